import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from segue import failpoints
from segue.errors import ForeignCommitError, LedgerDamagedError
from segue.publish.intent import declare_intent
from segue.publish.recover import adopt_table, recover
from segue.publish.swap import complete_intent
from segue.spec.output import DataFile
from segue.spec.run import RunStatus
from tests.publications import ARROW, OWNER, digest_rows, open_site, outcome, read_rows


def gone(owner):
    return False


def declare(site, **tables):
    lease = site.begin()
    told = [outcome(site.stage(table, rows, lease.run_id)) for table, rows in tables.items()]
    site.ledger.note(lease, told)
    intent = site.intend(lease, *told)
    declare_intent(site.ledger, site.lake, lease, intent)
    return lease, intent


def write_elsewhere(site, table, rows):
    columns = {"id": [row[0] for row in rows], "name": [row[1] for row in rows]}
    write_deltalake(site.lake.folder(table), pa.table(columns, schema=ARROW), mode="append")


def count_rows(scan):
    """Digest a scan's files, as an engine does."""
    files = []
    for path in scan.paths:
        rows = [tuple(row.values()) for row in pq.read_table(path).to_pylist()]
        files.append(DataFile(path.rpartition("/")[2], len(rows), 1, digest_rows(rows)))
    return tuple(files)


def test_there_is_nothing_to_recover(site):
    assert recover(site.ledger, site.lake, OWNER) == ()
    site.begin()
    assert recover(site.ledger, site.lake, OWNER) == ()


@pytest.mark.parametrize(
    ("point", "passes"),
    [
        ("commit.before", 1),
        ("commit.before", 2),
        ("commit.after", 1),
        ("commit.after", 2),
        ("flip.before", 1),
        ("flip.after", 1),
    ],
)
def test_a_run_that_died_while_publishing_is_finished(site, monkeypatch, point, passes):
    site.publish_rows(a=[(1, "old")], b=[(1, "old")])
    lease, intent = declare(site, a=[(2, "new")], b=[(2, "new")])
    monkeypatch.setitem(failpoints._armed, f"publish.{point}", ("raise", passes))
    monkeypatch.setattr(failpoints, "_passes", {})
    with pytest.raises(OSError, match="failpoint"):
        complete_intent(site.ledger, site.lake, intent)
    # And recovery dies as well, at its last moment.
    monkeypatch.setitem(failpoints._armed, "recover.flip.before", ("raise", 1))
    if point != "flip.after":
        assert site.rows("a") == [(1, "old")]
        with pytest.raises(OSError, match="failpoint"):
            recover(site.ledger, site.lake, OWNER, gone)
    (recovery,) = recover(site.ledger, site.lake, OWNER, gone)
    assert (recovery.run_id, recovery.status) == (lease.run_id, RunStatus.DONE)
    assert (recovery.snapshot, recovery.numbers) == (2, {"a": 2, "b": 2})
    assert recover(site.ledger, site.lake, OWNER, gone) == ()
    assert (site.rows("a"), site.rows("b")) == ([(2, "new")], [(2, "new")])
    assert site.ledger.run("last").status is RunStatus.DONE


def test_what_a_dead_run_told_of_itself_is_completed_until_it_was(site):
    lease = site.begin()
    told = []

    def die(recovery):
        raise OSError("it dies as well")

    with pytest.raises(OSError, match="as well"):
        recover(site.ledger, site.lake, OWNER, gone, die)
    recover(site.ledger, site.lake, OWNER, gone, told.append)
    recover(site.ledger, site.lake, OWNER, gone, told.append)
    assert [(each.run_id, each.status) for each in told] == [(lease.run_id, RunStatus.LOST)]


def test_a_run_that_died_before_its_intent_is_lost(site):
    site.publish_rows(a=[(1, "old")])
    lease = site.begin()
    noted = site.stage("a", [(2, "new")], lease.run_id)
    half = site.stage("a", [(3, "half")], lease.run_id)
    site.ledger.note(lease, [outcome(noted)])
    (recovery,) = recover(site.ledger, site.lake, OWNER, gone)
    assert (recovery.run_id, recovery.status) == (lease.run_id, RunStatus.LOST)
    assert site.rows("a") == [(1, "old")]
    left = {path.name for path in site.lake.loose_files("a")}
    assert noted.adds[0].path in left
    assert half.adds[0].path not in left
    assert site.ledger.staged()["a"].staged == noted


def test_another_machines_run_is_lost_after_a_watched_lease(tmp_path):
    time = [0.0]
    site = open_site(tmp_path, monotonic=lambda: time[0])
    site.begin(owner=replace(OWNER, host="far", boot_id="far"), seconds=15)

    assert recover(site.ledger, site.lake, OWNER) == ()  # its heart is seen for the first time
    time[0] += 16
    (recovery,) = recover(site.ledger, site.lake, OWNER)
    assert recovery.status is RunStatus.LOST
    site.ledger.close()


def test_a_foreign_commit_between_intent_and_swap_withdraws_the_run(site):
    site.publish_rows(a=[(1, "old")], b=[(1, "old")])
    lease, intent = declare(site, a=[(2, "new")], b=[(2, "new")])
    write_elsewhere(site, "b", [(7, "foreign")])
    with pytest.raises(ForeignCommitError, match="'b'"):
        complete_intent(site.ledger, site.lake, intent)
    assert (site.rows("a"), site.rows("b")) == ([(1, "old")], [(1, "old")])
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0, "foreign")
    assert recover(site.ledger, site.lake, OWNER, gone) == ()

    version = adopt_table(site.ledger, site.lake, "b", count_rows)
    assert version.number == 3
    assert site.rows("b") == [(1, "old"), (7, "foreign")]
    site.publish_rows(a=[(3, "newer")], b=[(3, "newer")])
    assert (site.rows("a"), site.rows("b")) == ([(3, "newer")], [(3, "newer")])
    assert read_rows(site.lake, version.schema, "b", version.files) == [(1, "old"), (7, "foreign")]


def test_recovery_tells_of_a_foreign_commit(site):
    site.publish_rows(a=[(1, "old")])
    declare(site, a=[(2, "new")])
    write_elsewhere(site, "a", [(7, "foreign")])
    (recovery,) = recover(site.ledger, site.lake, OWNER, gone)
    assert (recovery.status, recovery.snapshot) == (RunStatus.FAILED, None)
    assert "'a'" in recovery.reason
    assert recover(site.ledger, site.lake, OWNER, gone) == ()


def test_a_foreign_table_can_be_adopted(site):
    write_elsewhere(site, "a", [(7, "foreign")])
    adopt_table(site.ledger, site.lake, "a", count_rows)
    assert site.rows("a") == [(7, "foreign")]
    assert site.version("a").content_hash == digest_rows([(7, "foreign")])


def test_several_may_recover_at_once_while_the_zombie_goes_on(tmp_path):
    sites = [open_site(tmp_path) for _ in range(3)]
    first = sites[0]
    for round_ in range(3):
        _, intent = declare(first, a=[(round_, "x")], b=[(round_, "x")], c=[(round_, "x")])
        start = threading.Barrier(len(sites))

        def finish(site, start=start, intent=intent):
            start.wait()
            if site is first:
                return complete_intent(site.ledger, site.lake, intent)
            return recover(site.ledger, site.lake, OWNER, gone)

        with ThreadPoolExecutor(len(sites)) as pool:
            list(pool.map(finish, sites))
        assert first.ledger.snapshot().number == round_ + 1
        assert [first.rows(table) for table in "abc"] == [[(round_, "x")]] * 3
        assert first.lake.head("a") == round_
    for site in sites:
        site.ledger.close()


def test_an_empty_ledger_beside_a_full_lake_is_noticed(site, tmp_path):
    site.publish_rows(a=[(1, "x")])
    other = open_site(tmp_path / "elsewhere")
    with pytest.raises(LedgerDamagedError, match="'a'") as caught:
        recover(other.ledger, site.lake, OWNER)
    assert "--rebuild" in caught.value.hint
    other.ledger.close()
