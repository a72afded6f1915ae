"""Whatever the project: what was just executed is up to date, and only what changed runs."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from segue.plan.graph import follow, map_needs, map_readers
from segue.plan.select import select_steps
from segue.spec.plan import Action
from segue.spec.step import Fingerprint, Mode
from tests.unit.plan.samples import (
    RUN_2,
    make_history,
    make_project,
    make_state,
    make_step,
    plan_of,
    publish,
)

SOURCES = ("raw", "web")
AT_WORK = (Action.RUN, Action.REUSE)


@st.composite
def projects(draw):
    """Steps that read sources and earlier steps, in any mode, and sources that may grow."""
    steps = []
    for number in range(draw(st.integers(1, 8))):
        stored = [step.name for step in steps if step.mode is not Mode.EFFECT]
        reads = draw(st.lists(st.sampled_from([*SOURCES, *stored]), max_size=3, unique=True))
        mode = draw(st.sampled_from(list(Mode)))
        steps.append(make_step(f"s{number}", *reads, mode=mode))
    return make_project(*steps, sources=SOURCES)


@st.composite
def states(draw):
    count = draw(st.integers(1, 3))
    return [make_state(name, *(f"{number}.csv" for number in range(count))) for name in SOURCES]


def recode(project, name):
    step = project.steps[name]
    changed = replace(step, fingerprint=Fingerprint("changed", ()))
    return replace(project, steps={**project.steps, name: changed})


@given(projects(), states())
def test_what_was_executed_is_up_to_date(project, seen):
    history = publish(plan_of(project, make_history(*seen)))
    again = plan_of(project, history)
    assert again.work == ()
    assert not any(step.action is Action.BLOCKED for step in again.steps)


@given(projects(), states(), st.data())
def test_a_changed_step_touches_only_what_depends_on_it(project, seen, data):
    history = publish(plan_of(project, make_history(*seen)))
    name = data.draw(st.sampled_from(sorted(project.steps)))
    plan = plan_of(recode(project, name), history)
    behind = follow(map_readers(map_needs(project)), [name]) | {name}
    assert {step.name for step in plan.work} <= behind
    assert publish_and_plan(plan).work == ()


@given(projects(), states(), st.data())
def test_after_new_files_and_a_second_run_nothing_is_left(project, seen, data):
    history = publish(plan_of(project, make_history(*seen)))
    more = [
        make_state(state.table, *(f"{n}.csv" for n in range(len(state.files) + 1)))
        for state in seen
        if len(state.files) > 1
    ]
    history = replace(history, sources={**history.sources, **make_history(*more).sources})
    assert publish_and_plan(plan_of(project, history)).work == ()


@given(projects(), states())
def test_a_recoded_step_that_makes_the_same_rows_ends_there(project, seen):
    history = publish(plan_of(project, make_history(*seen)))
    first = next(iter(project.steps))
    plan = plan_of(recode(project, first), history)
    after = publish(plan, RUN_2, same=True)
    ran = {name for name, memory in after.memories.items() if memory.run_id == RUN_2}
    assert ran <= {first}


@given(projects(), states())
def test_force_runs_all_that_is_stored_or_acts(project, seen):
    history = publish(plan_of(project, make_history(*seen)))
    forced = plan_of(project, history, force=True)
    assert all(step.action in (Action.RUN, Action.INLINE) for step in forced.steps)
    assert publish_and_plan(forced).work == ()


@given(projects(), st.data())
def test_selections_add_up(project, data):
    name = data.draw(st.sampled_from(sorted(project.steps)))
    before, behind = select_steps(project, [f"+{name}"]), select_steps(project, [f"{name}+"])
    both = select_steps(project, [f"+{name}+"])
    assert set(both) == set(before) | set(behind)
    assert set(before) & set(behind) == {name}
    assert select_steps(project, [f"+{name}", f"{name}+"]) == both
    assert [step for step in project.steps if step in both] == list(both)


def publish_and_plan(plan):
    return plan_of(plan.project, publish(plan, RUN_2))
