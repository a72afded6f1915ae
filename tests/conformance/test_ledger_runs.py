"""Runs, leases and what is remembered of steps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from segue.errors import ConflictError, LeaseLostError, UnknownNameError
from segue.spec.contract import Report
from segue.spec.run import Owner, RunStatus, StepFailure, StepOutcome, StepStatus
from tests.publications import MEASURED, OWNER, outcome


def always(owner):
    return True


def never(owner):
    return False


def test_tokens_grow_with_every_run(site):
    tokens = [site.begin().token for _ in range(3)]
    assert tokens == sorted(set(tokens))


def test_a_run_is_recorded_once(site):
    lease = site.begin()
    with pytest.raises(ConflictError, match=lease.run_id):
        site.begin(lease.run_id)


def test_runs_are_listed_newest_first_with_their_steps(site):
    first, second = site.begin(), site.begin()
    failure = StepFailure("step-failed", "it broke")
    site.ledger.note(first, [StepOutcome("a", StepStatus.FAILED, failure=failure)])
    site.ledger.close_run(first, RunStatus.FAILED, 1.5, "it broke")
    newest, oldest = site.ledger.runs()
    assert (newest.run_id, newest.status) == (second.run_id, RunStatus.RUNNING)
    assert (oldest.status, oldest.seconds, oldest.error) == (RunStatus.FAILED, 1.5, "it broke")
    assert oldest.steps == {"failed": 1}
    assert [run.run_id for run in site.ledger.runs(limit=1)] == [second.run_id]


def test_a_run_is_found_by_the_beginning_of_its_id(site):
    for run in ("20261102-091500-aaaa", "20261102-091500-aabb"):
        site.begin(run)
    assert site.ledger.run("20261102-091500-aab").run_id == "20261102-091500-aabb"
    assert site.ledger.run("last").run_id == "20261102-091500-aabb"
    with pytest.raises(UnknownNameError, match="several"):
        site.ledger.run("20261102")
    with pytest.raises(UnknownNameError, match="no run 'x%'"):
        site.ledger.run("x%")


def test_a_lease_is_lost_when_its_process_is_gone(site):
    lease = site.begin()
    assert site.ledger.lose_dead_runs(OWNER, always) == ()
    site.ledger.beat(lease)
    assert site.ledger.lose_dead_runs(OWNER, never) == (lease.run_id,)
    assert site.ledger.lose_dead_runs(OWNER, never) == ()
    assert site.ledger.run("last").status is RunStatus.LOST
    for act in (
        lambda: site.ledger.beat(lease),
        lambda: site.ledger.note(lease, []),
        lambda: site.ledger.declare(lease, site.intend(lease)),
        lambda: site.ledger.close_run(lease, RunStatus.DONE, 1.0),
    ):
        with pytest.raises(LeaseLostError):
            act()
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0, "too late")
    assert site.ledger.run("last").status is RunStatus.LOST


def test_a_lease_is_lost_when_its_machine_was_started_again(site):
    lease = site.begin(owner=replace(OWNER, boot_id="earlier"))
    assert site.ledger.lose_dead_runs(OWNER, always) == (lease.run_id,)


def test_a_lease_is_lost_when_its_heart_stands_still(open_again):
    time = [100.0]
    site = open_again(monotonic=lambda: time[0])
    lease = site.begin(seconds=15)
    time[0] += 14
    site.ledger.beat(lease)
    time[0] += 14
    assert site.ledger.lose_dead_runs(OWNER, always) == ()
    time[0] += 2
    assert site.ledger.lose_dead_runs(OWNER, always) == (lease.run_id,)
    site.ledger.close()


def test_a_lease_of_another_machine_is_watched(open_again):
    time = [100.0]
    site = open_again(monotonic=lambda: time[0])
    lease = site.begin(seconds=15, owner=Owner("far", "b", 1, 1.0, "x"))
    assert site.ledger.lose_dead_runs(OWNER, never) == ()
    time[0] += 10
    site.ledger.beat(lease)
    time[0] += 10
    assert site.ledger.lose_dead_runs(OWNER, never) == (), "its heart beat meanwhile"
    time[0] += 16
    assert site.ledger.lose_dead_runs(OWNER, never) == (lease.run_id,)
    site.ledger.close()


def test_what_a_failed_run_staged_is_kept_for_the_next(site):
    staged = site.stage("a", [(1, "x")])
    rejects = replace(site.stage("a__rejects", [(2, "y")]), base=None)
    first = site.begin()
    done = outcome(staged, rejects=rejects, report=Report("a", 1, (MEASURED,)), seconds=2.0)
    site.ledger.note(first, [done, StepOutcome("b", StepStatus.FAILED)])
    assert site.ledger.staged() == {}, "its run goes on"
    site.ledger.close_run(first, RunStatus.FAILED, 1.0, "b broke")
    memory = site.ledger.staged()["a"]
    assert (memory.staged, memory.rejects) == (staged, rejects)
    assert (memory.fingerprint, memory.inputs, memory.run_id) == ("f1", {"raw": "1"}, first.run_id)
    assert memory.report[0]["check"] == "id required"
    assert site.ledger.memories() == {}

    site.publish(outcome(staged, status=StepStatus.REUSED))
    assert site.ledger.staged() == {}
    published = site.ledger.memories()["a"]
    assert (published.schema, published.rows, published.staged) == (staged.schema, 1, None)


def test_steps_without_tables_are_remembered_when_their_run_is_done(site):
    effect = StepOutcome("mail", StepStatus.DONE, fingerprint="f2", seen_files={"raw": ("1",)})
    failed, done = site.begin(), site.begin()
    site.ledger.close_run(failed, RunStatus.FAILED, 1.0, "", [effect])
    assert site.ledger.memories() == {}
    skipped = StepOutcome("other", StepStatus.SKIPPED)
    site.ledger.close_run(done, RunStatus.DONE, 1.0, "", [effect, skipped])
    memory = site.ledger.memories()["mail"]
    assert (memory.fingerprint, memory.schema) == ("f2", None)
    assert memory.seen_files == {"raw": ("1",)}
    assert set(site.ledger.memories()) == {"mail"}


def test_measurements_tell_their_run_and_version(site):
    lease = site.begin()
    staged = site.stage("a", [(1, "x")])
    told = outcome(staged, report=Report("a", 1, (MEASURED,)))
    site.ledger.note(lease, [told])
    site.ledger.note(lease, [told])
    (measured,) = site.ledger.measurements("a")
    assert measured["run_id"] == lease.run_id
    assert (measured["verdict"], measured["failing"]) == ("fail", 1)
    assert measured["sample"] == [{"id": None}]
    assert measured["number"] is None
    site.publish(told)
    assert site.ledger.measurements("a", limit=1)[0]["number"] == 1


def test_names_may_be_anything(site):
    name = "préfix 'x\" ; drop table -- %_ 名前"
    site.publish_rows(**{name: [(1, "x")]})
    assert site.rows(name) == [(1, "x")]
    assert site.ledger.versions(name)[0].table == name
    assert list(site.ledger.memories()) == [name]


def test_several_who_make_a_ledger_at_once_make_one(open_again):
    with ThreadPoolExecutor(4) as pool:
        sites = [future.result() for future in [pool.submit(open_again) for _ in range(4)]]
    assert len({site.begin().token for site in sites}) == 4
    for site in sites:
        site.ledger.close()
