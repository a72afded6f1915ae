"""Every decision of a plan, and the reason it gives."""

import time
from dataclasses import replace

import pytest

from segue.errors import UnknownNameError, UsageError
from segue.spec.plan import Action, Selection
from segue.spec.step import Fingerprint, Mode
from tests.unit.plan.samples import (
    RUN_1,
    actions,
    make_contract,
    make_function,
    make_history,
    make_project,
    make_state,
    make_step,
    make_version,
    plan_of,
    publish,
    reasons,
    stage,
)

ORDERS = make_step("orders", "raw")
DAILY = make_step("daily", "orders")
SHOP = make_project(ORDERS, DAILY)


def done(project=SHOP, history=None):
    return publish(plan_of(project, history or make_history()))


def recoded(step, *parts: tuple[str, str]):
    """The same step after a change of its code."""
    return replace(step, fingerprint=Fingerprint("changed", (*step.fingerprint.parts, *parts)))


def test_a_step_that_never_ran_runs_and_its_readers_wait_for_it():
    plan = plan_of(SHOP, make_history())
    assert actions(plan) == {"orders": "RUN", "daily": "RUN"}
    assert reasons(plan, "orders") == ["never ran"]
    assert plan["daily"].inputs == {"orders": ""}


def test_nothing_to_do_tells_since_which_run():
    plan = plan_of(SHOP, done())
    assert actions(plan) == {"orders": "SKIP", "daily": "SKIP"}
    assert reasons(plan, "daily") == [f"unchanged: since run {RUN_1}"]
    assert plan.work == ()


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ([("helper clean", "1")], [("helper clean", "2")], "code changed: helper clean"),
        ([("constant RATE", "1")], [("constant RATE", "2")], "code changed: constant RATE"),
        ([("library pandas", "3.0")], [("library pandas", "3.1")],
         "code changed: library pandas 3.0 -> 3.1"),
        ([("view x", "1")], [("view x", "2")], "code changed: view x"),
        ([], [("helper clean", "1")], "code changed: helper clean is new"),
        ([("helper clean", "1")], [], "code changed: helper clean is gone"),
        ([("contract", "1")], [("contract", "2")], "contract changed"),
        ([], [("contract", "2")], "contract changed: added"),
        ([("contract", "1")], [], "contract changed: removed"),
        ([("contract", "1"), ("helper a", "1")], [("contract", "2"), ("helper a", "2")],
         "code changed: contract, helper a"),
    ],
)  # fmt: skip
def test_changed_code_names_the_part(then, now, told):
    before = replace(ORDERS, fingerprint=Fingerprint("before", tuple(then)))
    after = replace(ORDERS, fingerprint=Fingerprint("after", tuple(now)))
    plan = plan_of(make_project(after), done(make_project(before)))
    assert reasons(plan, "orders") == [told]


def test_code_that_cannot_be_seen_says_so():
    opaque = replace(ORDERS, fingerprint=Fingerprint("after", (), "it imports by name"))
    before = replace(ORDERS, fingerprint=Fingerprint("before", (), "it imports by name"))
    plan = plan_of(make_project(opaque), done(make_project(before)))
    assert reasons(plan, "orders") == [
        "code changed: some file of the project, for it imports by name"
    ]


def test_a_changed_step_makes_its_readers_run_too():
    history = done()
    plan = plan_of(make_project(recoded(ORDERS), DAILY), history)
    assert reasons(plan, "daily") == ["input runs: orders"]


def test_a_changed_source_is_named():
    plan = plan_of(SHOP, replace(done(), sources={"raw": make_state(identity="other")}))
    assert reasons(plan, "orders") == ["input changed: raw"]
    assert reasons(plan, "daily") == ["input runs: orders"]


def test_a_table_that_is_gone_is_made_again():
    history = done()
    versions = {"daily": history.versions["daily"]}
    plan = plan_of(SHOP, replace(history, versions=versions))
    assert reasons(plan, "orders") == ["missing: its table is not there any more"]


def test_force_and_since_concern_selected_steps_only():
    history = done()
    forced = plan_of(SHOP, history, "daily", force=True)
    assert actions(forced) == {"orders": "UNSELECTED", "daily": "RUN"}
    assert reasons(forced, "daily") == ["asked: --force"]
    assert plan_of(SHOP, history, since="2026-11-20T08:00:00").work == ()
    old = plan_of(SHOP, history, since="2026-11-21T00:00:00")
    assert reasons(old, "orders") == [
        "too old: ran 2026-11-20T09:00:00, before 2026-11-21T00:00:00"
    ]


FORECAST = make_function("forecast", "raw", settings=(("horizon", 14), ("rate", 0.5)))


def test_a_changed_parameter_tells_from_what_to_what():
    project = make_project(FORECAST)
    plan = plan_of(project, done(project), params={"forecast.horizon": 7})
    assert reasons(plan, "forecast") == ["parameter changed: horizon 14 -> 7"]
    assert plan.parameters == {"forecast.horizon": 7}
    assert plan.project.parameters_of(FORECAST) == {"horizon": 7, "rate": 0.5}


def test_a_whole_number_will_do_for_a_fraction():
    plan = plan_of(make_project(FORECAST), make_history(), params={"forecast.rate": 1})
    assert plan.parameters == {"forecast.rate": 1.0}


def test_unknown_and_unfit_parameters_are_refused():
    project = make_project(FORECAST)
    with pytest.raises(UnknownNameError, match=r"did you mean 'forecast.horizon'"):
        plan_of(project, make_history(), params={"forecast.horizn": 7})
    with pytest.raises(UsageError, match="give a whole number"):
        plan_of(project, make_history(), params={"forecast.horizon": "many"})
    with pytest.raises(UsageError, match="give a whole number"):
        plan_of(project, make_history(), params={"forecast.horizon": True})


def test_a_missing_source_blocks_its_readers_and_theirs():
    history = replace(make_history(), sources={}, missing={"raw": "no file matches data/*.csv"})
    plan = plan_of(SHOP, history)
    assert actions(plan) == {"orders": "BLOCKED", "daily": "BLOCKED"}
    assert reasons(plan, "orders") == ["missing: source raw: no file matches data/*.csv"]
    assert reasons(plan, "daily") == ["input blocked: orders"]


def test_an_unselected_step_that_never_ran_blocks_with_the_next_move():
    plan = plan_of(SHOP, make_history(), "daily")
    assert actions(plan) == {"orders": "UNSELECTED", "daily": "BLOCKED"}
    assert reasons(plan, "daily") == ["missing: orders has never run; select it too: +daily"]
    assert actions(plan_of(SHOP, make_history(), "+daily")) == {"orders": "RUN", "daily": "RUN"}


def test_an_unselected_step_is_read_as_it_is_published():
    history = replace(done(), sources={"raw": make_state(identity="other")})
    plan = plan_of(SHOP, history, "daily")
    assert actions(plan) == {"orders": "UNSELECTED", "daily": "SKIP"}


def test_a_reader_of_a_view_depends_on_what_the_view_reads():
    view = make_step("recent", "raw", mode=Mode.VIEW)
    project = make_project(view, make_step("daily", "recent"))
    plan = plan_of(project, make_history())
    assert actions(plan) == {"recent": "INLINE", "daily": "RUN"}
    assert plan["daily"].inputs == {"raw": make_state().identity}
    changed = replace(done(project), sources={"raw": make_state(identity="other")})
    assert reasons(plan_of(project, changed), "daily") == ["input changed: raw"]


def test_an_unselected_view_is_used_by_selected_readers_only():
    steps = [make_step(name, "raw", mode=Mode.VIEW) for name in ("used", "idle")]
    plan = plan_of(make_project(*steps, make_step("daily", "used")), make_history(), "daily")
    assert actions(plan) == {"used": "INLINE", "idle": "UNSELECTED", "daily": "RUN"}


def test_an_effect_runs_by_memory_without_a_table():
    project = make_project(ORDERS, make_function("mail", "orders", mode=Mode.EFFECT))
    assert actions(plan_of(project, make_history()))["mail"] == "RUN"
    plan = plan_of(project, done(project))
    assert actions(plan)["mail"] == "SKIP"
    assert reasons(plan, "mail") == [f"unchanged: since run {RUN_1}"]


def test_a_contract_waits_for_what_it_looks_into_and_is_no_input():
    stores = make_step("stores", "raw")
    project = make_project(stores, ORDERS, contracts=[make_contract("orders", "stores")])
    assert plan_of(project, make_history())["orders"].inputs == {"raw": make_state().identity}
    blocked = plan_of(project, make_history(), "orders")
    assert reasons(blocked, "orders") == ["missing: stores has never run; select it too: +orders"]


def test_rejects_are_made_by_the_step_whose_rows_they_are():
    project = make_project(ORDERS, make_step("bad", "orders__rejects"))
    plan = plan_of(project, make_history())
    assert plan["bad"].inputs == {"orders__rejects": ""}
    history = done(make_project(ORDERS))
    assert reasons(plan_of(project, history), "bad") == [
        "missing: orders has made no table orders__rejects yet"
    ]
    rejects = make_version("orders__rejects")
    history = replace(history, versions={**history.versions, "orders__rejects": rejects})
    assert plan_of(project, history)["bad"].inputs == {"orders__rejects": rejects.identity}


def test_what_was_staged_is_reused_as_far_as_it_holds():
    plan = plan_of(SHOP, make_history())
    history = stage(plan, "orders", "daily")
    again = plan_of(SHOP, history)
    assert actions(again) == {"orders": "REUSE", "daily": "REUSE"}
    assert reasons(again, "orders")[0] == "staged earlier: by run 20261120-100000-bbbb"
    recoded_daily = make_project(ORDERS, recoded(DAILY))
    assert actions(plan_of(recoded_daily, history)) == {"orders": "REUSE", "daily": "RUN"}
    recoded_orders = make_project(recoded(ORDERS), DAILY)
    assert actions(plan_of(recoded_orders, history)) == {"orders": "RUN", "daily": "RUN"}
    assert actions(plan_of(SHOP, history, force=True)) == {"orders": "RUN", "daily": "RUN"}


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.MERGE])
def test_what_was_staged_upon_another_version_is_not_reused(mode):
    project = make_project(make_step("log", "raw", mode=mode))
    history = stage(plan_of(project, make_history()), "log")
    assert actions(plan_of(project, history)) == {"log": "REUSE"}
    moved = replace(history, versions={"log": make_version("log")})
    moved = replace(moved, memories=done(project).memories)
    changed = replace(moved, sources={"raw": make_state(identity="other")})
    assert actions(plan_of(project, changed)) == {"log": "RUN"}


def test_merge_starts_over_only_when_asked_or_at_first():
    project = make_project(make_step("stock", "raw", mode=Mode.MERGE))
    assert plan_of(project, make_history())["stock"].rebuild
    history = done(project)
    assert plan_of(project, history, force=True)["stock"].rebuild
    changed = replace(history, sources={"raw": make_state(identity="other")})
    plan = plan_of(project, changed)
    assert plan["stock"].action is Action.RUN
    assert not plan["stock"].rebuild


def test_estimates_come_from_sources_and_earlier_runs():
    plan = plan_of(SHOP, make_history())
    assert plan["orders"].estimate.input_bytes == 100
    assert plan["orders"].estimate.rows is None
    plan = plan_of(make_project(recoded(ORDERS), DAILY), done())
    assert plan["orders"].estimate.rows == 10
    assert plan["orders"].estimate.seconds == 0.5
    assert plan["daily"].estimate.input_rows == 10


def test_a_plan_is_the_same_value_each_time():
    assert plan_of(SHOP, make_history()) == plan_of(SHOP, make_history())


def test_a_thousand_steps_that_are_up_to_date_are_planned_quickly():
    steps = [make_step("s0", "raw")]
    steps += [make_step(f"s{i}", f"s{i - 1}", f"s{i // 2}") for i in range(1, 1000)]
    project = make_project(*steps)
    history = done(project)
    start = time.process_time()
    plan = plan_of(project, history)
    seconds = time.process_time() - start
    assert plan.work == ()
    # a guard against quadratic work, not a benchmark: about 0.03 s on a slow machine
    assert seconds < 1


def test_selection_is_kept_in_the_plan():
    assert plan_of(SHOP, make_history(), "+daily").selection == Selection(("+daily",))
