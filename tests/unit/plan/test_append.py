"""Append steps: new rows once, old rows never again, and no doubled ones."""

from dataclasses import replace

from segue.plan.growth import seen_after
from segue.plan.settle import settle
from segue.spec.plan import Action
from segue.spec.step import Fingerprint, Mode
from tests.unit.plan.samples import (
    RUN_1,
    RUN_2,
    actions,
    make_history,
    make_project,
    make_state,
    make_step,
    plan_of,
    publish,
    reasons,
)

LOG = make_step("log", "raw", mode=Mode.APPEND)
COPY = make_step("copy", "log", mode=Mode.APPEND)
CHAIN = make_project(LOG, COPY)
TWO = make_state("raw", "a.csv", "b.csv")
THREE = make_state("raw", "a.csv", "b.csv", "c.csv")


def after(history, state):
    return replace(history, sources={**history.sources, state.table: state})


def first(project=CHAIN):
    return publish(plan_of(project, make_history(TWO)))


def test_the_first_run_reads_everything():
    plan = plan_of(CHAIN, make_history(TWO))
    assert actions(plan) == {"log": "RUN", "copy": "RUN"}
    assert plan["log"].rebuild
    assert plan["log"].new_files == {}
    assert first().memories["log"].seen_files == {"raw": ("/data/a.csv\t1", "/data/b.csv\t1")}


def test_later_runs_read_new_files_only():
    plan = plan_of(CHAIN, after(first(), THREE))
    assert reasons(plan, "log") == ["input changed: 1 new file in raw"]
    assert plan["log"].new_files == {"raw": ("/data/c.csv",)}
    assert plan["log"].estimate.input_bytes == 100
    assert not plan["log"].rebuild
    assert reasons(plan, "copy") == ["input runs: log"]


def test_nothing_new_is_up_to_date():
    plan = plan_of(CHAIN, first())
    assert actions(plan) == {"log": "SKIP", "copy": "SKIP"}


def test_a_table_that_grew_hands_on_its_new_files_during_the_run():
    history = after(first(), THREE)
    plan = plan_of(CHAIN, history)
    made = {"log": [f"log-{RUN_1}.parquet", f"log-{RUN_2}.parquet"]}
    settled = settle(plan["copy"], history.memories["copy"], {"log": "new"}, made)
    assert settled.action is Action.RUN
    assert settled.new_files == {"log": (f"log-{RUN_2}.parquet",)}
    assert seen_after(settled, history, CHAIN, made) == {"log": tuple(made["log"])}


def test_a_table_that_did_not_grow_after_all_ends_its_reader():
    history = after(first(), THREE)
    plan = plan_of(CHAIN, history)
    version = history.versions["log"]
    made = {"log": [file.path for file in version.files]}
    settled = settle(plan["copy"], history.memories["copy"], {"log": version.identity}, made)
    assert settled.action is Action.SKIP
    assert str(settled.reasons[0]) == "unchanged: inputs came out the same"


def test_changed_code_waits_for_new_rows():
    history = first()
    recoded = replace(LOG, fingerprint=Fingerprint("2", (("helper clean", "2"),)))
    plan = plan_of(make_project(recoded, COPY), history)
    assert actions(plan) == {"log": "SKIP", "copy": "SKIP"}
    assert reasons(plan, "log")[1] == (
        "code changed: helper clean is new, query log is gone; "
        "takes effect on new rows, --force rebuilds"
    )
    plan = plan_of(make_project(recoded, COPY), after(history, THREE))
    assert reasons(plan, "log") == [
        "input changed: 1 new file in raw",
        "code changed: helper clean is new, query log is gone",
    ]


def test_force_starts_over_and_blocks_readers_that_are_not_forced():
    history = first()
    plan = plan_of(CHAIN, history, force=True)
    assert [(step.rebuild, step.new_files) for step in plan.steps] == [(True, {}), (True, {})]
    rebuilt = publish(plan_of(CHAIN, history, "log", force=True), RUN_2)
    plan = plan_of(CHAIN, rebuilt)
    assert actions(plan) == {"log": "SKIP", "copy": "BLOCKED"}
    told = reasons(plan, "copy")[0]
    assert told.startswith(f"rewritten: log-{RUN_1}.parquet in log changed or went away")
    assert told.endswith("--force rebuilds from what is there")


def test_a_file_that_changed_blocks():
    history = first()
    changed = plan_of(CHAIN, after(history, make_state("raw", "a.csv=2", "b.csv")))
    assert actions(changed) == {"log": "BLOCKED", "copy": "BLOCKED"}
    assert reasons(changed, "log")[0].startswith("rewritten: /data/a.csv in raw")


def test_a_file_that_was_archived_leaves_its_rows():
    gone = plan_of(CHAIN, after(first(), make_state("raw", "b.csv", "c.csv")))
    assert actions(gone)["log"] == "RUN"
    assert gone["log"].new_files == {"raw": ("/data/c.csv",)}


def test_a_step_that_becomes_append_starts_over_rather_than_double_its_rows():
    whole = make_step("log", "raw")
    history = publish(plan_of(make_project(whole), make_history(TWO)))
    plan = plan_of(make_project(LOG), after(history, THREE))
    assert plan["log"].action is Action.RUN
    assert plan["log"].rebuild


def test_a_changed_side_table_alone_appends_nothing():
    joined = make_step("log", "raw", "stores", mode=Mode.APPEND)
    project = make_project(joined, sources=("raw", "stores"))
    history = publish(plan_of(project, make_history(TWO, make_state("stores"))))
    moved = after(history, make_state("stores", identity="other"))
    assert actions(plan_of(project, moved)) == {"log": "SKIP"}
    plan = plan_of(project, after(moved, THREE))
    assert plan["log"].new_files == {"raw": ("/data/c.csv",)}


def test_of_two_growing_inputs_the_still_one_gives_no_rows():
    union = make_step("log", "raw", "web", mode=Mode.APPEND)
    project = make_project(union, sources=("raw", "web"))
    web = make_state("web", "w.csv", "x.csv")
    history = publish(plan_of(project, make_history(TWO, web)))
    plan = plan_of(project, after(history, THREE))
    assert plan["log"].new_files == {"raw": ("/data/c.csv",), "web": ()}


def test_without_growing_inputs_each_change_appends_once():
    project = make_project(LOG)
    history = publish(plan_of(project, make_history()))
    assert actions(plan_of(project, history)) == {"log": "SKIP"}
    plan = plan_of(project, after(history, make_state(identity="other")))
    assert reasons(plan, "log") == ["input changed: raw"]
    assert not plan["log"].rebuild
    assert plan_of(project, history, since="2027-01-01")["log"].action is Action.RUN


def test_new_files_are_seen_through_a_view():
    view = make_step("clean", "raw", mode=Mode.VIEW)
    project = make_project(view, make_step("log", "clean", mode=Mode.APPEND))
    plan = plan_of(project, after(first(project), THREE))
    assert plan["log"].new_files == {"raw": ("/data/c.csv",)}
