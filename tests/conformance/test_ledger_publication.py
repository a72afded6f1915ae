"""Intents, snapshots and versions: what a run makes visible, and what it may not."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from segue.errors import ConflictError, LeaseLostError, UnknownNameError
from segue.publish.swap import complete_intent
from segue.spec.contract import Report
from segue.spec.run import RunStatus, StepFailure, StepOutcome, StepStatus
from segue.spec.types import parse_schema
from tests.publications import MEASURED, OWNER, append, outcome, stage


def test_nothing_is_there_at_first(site):
    snapshot = site.ledger.snapshot()
    assert (snapshot.number, dict(snapshot.versions)) == (0, {})
    assert site.ledger.is_empty()
    assert (site.ledger.heads(), site.ledger.numbers(), site.ledger.pending()) == ({}, {}, ())


def test_a_flip_moves_all_tables_at_once(site):
    lease = site.begin()
    intent = site.intend(
        lease,
        outcome(site.stage("a", [(1, "x")])),
        outcome(site.stage("b", [(2, "y"), (3, "z")])),
    )
    site.ledger.declare(lease, intent)
    assert site.ledger.snapshot().number == 0
    assert site.ledger.pending() == (intent,)
    number = site.ledger.flip(intent, {"a": 0, "b": 0})
    snapshot = site.ledger.snapshot()
    assert (snapshot.number, snapshot.run_id) == (number, lease.run_id)
    version = snapshot.versions["b"]
    assert (version.number, version.delta_version, version.rows) == (1, 0, 2)
    assert version.files == intent.publications[1].staged.files
    assert version.content_hash == intent.publications[1].staged.content_hash
    assert site.ledger.heads() == {"a": 0, "b": 0}
    assert site.ledger.numbers() == {"a": 1, "b": 1}
    assert site.ledger.run("last").snapshot == number
    assert set(site.ledger.memories()) == {"a", "b"}


def test_an_intent_comes_back_whole(site):
    schema = parse_schema('"a b": list<struct<x: uint8>>, t: timestamp(ms, Europe/Rome)')
    staged = replace(site.stage("a", [(1, "x")]), schema=schema)
    stats = {"minValues": {"a b": 1}, "maxValues": {}, "nullCount": {"a b": 0}}
    staged = replace(staged, adds=(replace(staged.adds[0], stats=stats),))
    told = outcome(
        staged,
        reasons=("never ran",),
        parts=(("body", "1"), ("helper", "2")),
        parameters={"n": "1"},
        input_rows={"raw": 3},
        report=Report("a", 1, (MEASURED,)),
        failure=StepFailure("x", "y"),
        seen_files={"raw": ("1.csv", "\udcff.csv")},
        peak_memory=5,
    )
    lease = site.begin()
    intent = site.intend(lease, told)
    site.ledger.declare(lease, intent)
    assert site.ledger.pending() == (intent,)


def test_a_flip_may_be_repeated(site):
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(1, "x")])))
    site.ledger.declare(lease, intent)
    first = complete_intent(site.ledger, site.lake, intent)
    site.publish_rows(a=[(2, "y")])
    assert site.ledger.flip(intent, {"a": 0}) == first
    assert site.rows("a") == [(2, "y")]


def test_older_snapshots_stay_readable(site):
    numbers = [site.publish_rows(a=[(each, "x")], b=[(0, "b")]) for each in range(3)]
    for each, number in enumerate(numbers):
        versions = site.ledger.snapshot(number=number).versions
        assert (versions["a"].number, versions["b"].number) == (each + 1, 1)
    assert [version.number for version in site.ledger.versions("a")] == [1, 2, 3]
    assert [len(version.files) for version in site.ledger.versions("a")] == [1, 1, 1]
    with pytest.raises(UnknownNameError):
        site.ledger.snapshot(number=99)


def test_appended_files_belong_to_all_later_versions(site):
    site.publish_rows(a=[(1, "x")])
    for each in (2, 3):
        site.publish(outcome(append(site.lake, site.version("a"), [(each, "x")])))
    assert [version.rows for version in site.ledger.versions("a")] == [1, 2, 3]
    assert site.rows("a") == [(1, "x"), (2, "x"), (3, "x")]
    site.publish_rows(a=[(9, "x")])
    assert [len(version.files) for version in site.ledger.versions("a")] == [1, 2, 3, 1]


def test_a_table_that_moved_since_the_plan_is_a_conflict(site):
    base = site.base()
    site.publish_rows(a=[(1, "x")])
    late = site.begin()
    staged = stage(site.lake, "a", [(2, "y")])
    with pytest.raises(ConflictError, match="'a'"):
        site.ledger.declare(late, site.intend(late, outcome(staged), base=base))
    assert site.ledger.pending() == ()
    assert site.rows("a") == [(1, "x")]


def test_a_table_with_a_pending_intent_is_a_conflict(site):
    first, second = site.begin(), site.begin()
    staged = site.stage("a", [(1, "x")])
    site.ledger.declare(first, site.intend(first, outcome(staged)))
    with pytest.raises(ConflictError, match=first.run_id):
        site.ledger.declare(second, site.intend(second, outcome(staged)))
    other = outcome(site.stage("b", [(1, "x")]))
    site.ledger.declare(second, site.intend(second, other))
    assert [intent.run_id for intent in site.ledger.pending()] == [first.run_id, second.run_id]


def test_an_intent_of_another_token_is_refused(site):
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(1, "x")])))
    with pytest.raises(LeaseLostError):
        site.ledger.declare(replace(lease, token=lease.token + 1), intent)


def test_a_dead_run_with_an_intent_is_left_to_be_finished(site):
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(1, "x")])))
    site.ledger.declare(lease, intent)
    assert site.ledger.pending(dead_only=True) == ()
    assert site.ledger.lose_dead_runs(OWNER, lambda owner: False) == ()
    assert site.ledger.pending(dead_only=True) == (intent,)
    site.ledger.flip(intent, {"a": 0})
    assert site.ledger.pending() == ()
    assert site.ledger.run("last").status is RunStatus.DONE
    # The zombie goes on, and finds that its work was done.
    assert site.ledger.flip(intent, {"a": 0}) == 1
    site.ledger.close_run(lease, RunStatus.DONE, 3.0)
    assert site.ledger.run("last").seconds == 3.0


def test_a_run_that_fails_after_its_intent_is_left_to_be_finished(site):
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(1, "x")])))
    site.ledger.declare(lease, intent)
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0, "no room is left")
    assert site.ledger.run("last").status is RunStatus.PUBLISHING
    assert site.ledger.pending(dead_only=True) == (intent,)


def test_a_withdrawn_intent_is_never_seen_and_its_numbers_are_spent(site):
    site.publish_rows(a=[(1, "x")], b=[(1, "x")])
    lease = site.begin()
    intent = site.intend(
        lease, outcome(site.stage("a", [(2, "y")])), outcome(site.stage("b", [(2, "y")]))
    )
    site.ledger.declare(lease, intent)
    committed = {"a": site.lake.commit(intent.publications[0])}
    site.ledger.withdraw(intent, committed, "another writer committed to 'b'")
    site.ledger.withdraw(intent, committed, "again")
    assert site.ledger.pending() == ()
    assert site.rows("a") == [(1, "x")]
    assert site.ledger.run("last").status is RunStatus.FAILED
    assert "another writer" in site.ledger.run("last").error
    assert site.ledger.numbers() == {"a": 2, "b": 2}
    assert site.ledger.heads() == {"a": 1, "b": 0}
    with pytest.raises(LeaseLostError, match="withdrawn"):
        site.ledger.flip(intent, {"a": 1, "b": 1})
    site.publish_rows(a=[(3, "z")], b=[(3, "z")])
    assert site.rows("a") == [(3, "z")]
    assert [version.number for version in site.ledger.versions("a")] == [1, 3]


def test_an_intent_without_tables_makes_memories_true(site):
    lease = site.begin()
    intent = site.intend(lease, StepOutcome("mail", StepStatus.DONE, fingerprint="f1"))
    site.ledger.declare(lease, intent)
    site.ledger.flip(intent, {})
    assert list(site.ledger.memories()) == ["mail"]


def test_an_equal_result_is_remembered_only_while_its_version_is_current(site):
    site.publish_rows(a=[(1, "x")])
    late = site.begin()
    same = outcome(site.stage("a", [(1, "x")]), fingerprint="late")
    assert site.intend(late, same).publications == ()
    site.publish_rows(a=[(2, "y")])
    site.ledger.close_run(late, RunStatus.DONE, 1.0, "", [same])
    assert site.ledger.memories()["a"].fingerprint == "f1"

    early = site.begin()
    same = outcome(site.stage("a", [(2, "y")]), fingerprint="early")
    site.ledger.close_run(early, RunStatus.DONE, 1.0, "", [same])
    assert site.ledger.memories()["a"].fingerprint == "early"


def test_environments_have_pointers_of_their_own(site):
    site.publish_rows(a=[(1, "x")])
    lease = site.begin(environment="trial")
    told = outcome(site.stage("trial__a", [(2, "y")]))
    intent = site.intend(lease, told, environment="trial")
    site.ledger.declare(lease, intent)
    site.ledger.flip(intent, {"trial__a": 0})
    assert set(site.ledger.snapshot("trial").versions) == {"trial__a"}
    assert set(site.ledger.snapshot().versions) == {"a"}
    assert set(site.ledger.memories("trial")) == {"trial__a"}
    with pytest.raises(UnknownNameError):
        site.ledger.snapshot("trial", number=1)


def test_adopting_gives_the_next_number(site):
    site.publish_rows(a=[(1, "x")])
    version = replace(site.version("a"), delta_version=7, run_id="adopted")
    number = site.ledger.adopt(version)
    assert site.ledger.snapshot(number=number).versions["a"].number == 2
    assert site.ledger.heads() == {"a": 7}
    lease = site.begin()
    site.ledger.declare(lease, site.intend(lease, outcome(site.stage("a", [(2, "y")]))))
    with pytest.raises(ConflictError):
        site.ledger.adopt(version)


def test_kept_snapshots_intents_and_live_runs_protect_files(site):
    def names(staged):
        return {file.path for file in staged.files}

    first, second, third = (site.stage("a", [(each, "x")]) for each in range(3))
    for staged in (first, second, third):
        site.publish(outcome(replace(staged, base=None)))
    assert site.ledger.protected_files(1) == {"a": names(third)}
    assert site.ledger.protected_files(2) == {"a": names(second) | names(third)}

    live, declared = site.begin(), site.begin()
    staged = site.stage("b", [(1, "x")])
    site.ledger.note(live, [outcome(staged)])
    intended = site.stage("c", [(1, "x")])
    site.ledger.declare(declared, site.intend(declared, outcome(intended)))
    protected = site.ledger.protected_files(1)
    assert (protected["b"], protected["c"]) == (names(staged), names(intended))
    assert set(site.ledger.live_runs()) == {live.run_id, declared.run_id}

    site.ledger.close_run(live, RunStatus.FAILED, 1.0)
    assert "b" in site.ledger.protected_files(1), "the next run may use it"
    site.publish_rows(b=[(2, "y")])
    assert names(staged).isdisjoint(site.ledger.protected_files(1)["b"])


def test_of_two_racing_runs_one_wins(open_again):
    sites = [open_again() for _ in range(4)]
    for round_ in range(5):
        start = threading.Barrier(len(sites))
        base = sites[0].base()

        def race(site, start=start, base=base, round_=round_):
            lease = site.begin()
            staged = stage(site.lake, "a", [(round_, "x")], base=base.snapshot.versions.get("a"))
            intent = site.intend(lease, outcome(staged), base=base)
            start.wait()
            try:
                site.ledger.declare(lease, intent)
            except ConflictError:
                return 0
            site.ledger.flip(intent, {"a": round_})
            return 1

        with ThreadPoolExecutor(len(sites)) as pool:
            assert sum(pool.map(race, sites)) == 1
    assert [version.number for version in sites[0].ledger.versions("a")] == [1, 2, 3, 4, 5]
    for site in sites:
        site.ledger.close()


def test_a_refusal_leaves_no_lock_behind(open_again):
    one, two = open_again(), open_again()
    declared, late = one.begin(), two.begin()
    told = [outcome(one.stage(table, [(1, "x")])) for table in "abc"]
    one.ledger.declare(declared, one.intend(declared, *told))
    refused = two.intend(late, outcome(two.stage("a", [(2, "y")])), base=one.base())
    with pytest.raises(ConflictError) as kept:
        two.ledger.declare(late, refused)
    one.begin()
    # What the error's traceback holds must not make this writer's view an old one.
    two.ledger.close_run(late, RunStatus.FAILED, 1.0, str(kept.value))
    for site in (one, two):
        site.ledger.close()
