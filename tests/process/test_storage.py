"""Foreign writers, full disks, and ledgers that are locked, gone or damaged."""

import shutil

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from segue.errors import LedgerDamagedError
from segue.testing.faults import (
    can_mount,
    corrupt_page,
    fill_disk,
    hold_ledger,
    limit_files,
    mount_disk,
    running,
    start_call,
    truncate_file,
)
from tests.process.generations import TABLES, assert_settled, expect

STRANGER = pa.table({"generation": pa.array([99], pa.int64()), "n": pa.array([7], pa.int64())})


def write_elsewhere(folder):
    write_deltalake(folder, STRANGER, mode="append")


@pytest.mark.parametrize(
    "point",
    ["judge.before", "publish.intent.before", "publish.intent.after", "publish.flip.before"],
)
def test_a_foreign_commit_is_refused_and_never_overwritten(site, point):
    slow = site.start(2, f"{point}=stop")
    with running(slow), site.watched() as reader:
        slow.wait_stopped()
        assert start_call(write_elsewhere, site.lake / "totals").wait().code == 0
        slow.go_on()
        ended = slow.wait()
        if point == "publish.flip.before":
            # It came after the run's own commit: this run is whole, the next one is refused.
            assert ended.code == 0
            site.published.append(2)
        else:
            assert (ended.code, ended.error) == (1, "foreign-commit")
        assert reader.look_again() == expect(site.published)
        ended = site.run(3)
        assert (ended.code, ended.error) == (1, "foreign-commit")
        assert "recover --adopt totals" in ended.document["error"]["hint"]
        assert reader.look_again() == expect(site.published)
    assert_settled(site)
    assert 99 in DeltaTable(site.lake / "totals").to_pyarrow_table()["generation"].to_pylist()
    assert site.ask("recover", "--adopt", "totals").code == 0
    assert '"generation": 99' in site.ask("read", "totals", "--json").out
    ended = site.run(3)
    assert ended.code == 0, ended
    assert_settled(site)


needs_mount = pytest.mark.skipif(not can_mount(), reason="only root may mount a disk")


@needs_mount
@pytest.mark.parametrize("leave", [0, 8, 24, 48, 96, 160])
def test_a_full_lake(site, leave):
    with mount_disk(site.lake, 4_000_000), site.watched() as reader:
        with fill_disk(site.lake, leave * 1024):
            ended = site.run(2)
            assert ended.error in ("storage-full", ""), ended
            assert ended.code == (1 if ended.error else 0)
            assert reader.look_again() == expect(site.published)
        if not ended.code:
            return
        # Somebody made room.
        assert site.run(2).code == 0
        assert reader.look_again() == expect([1, 2])
        assert_settled(site)


@needs_mount
@pytest.mark.parametrize("leave", [0, 16, 48])
def test_a_full_ledger(site, leave, tmp_path):
    with mount_disk(tmp_path / "small", 4_000_000) as small:
        shutil.copy(site.ledger, small / "ledger.db")
        site.ledger.unlink()
        site.ledger.symlink_to(small / "ledger.db")
        site.edit(
            "segue.toml",
            f'[project]\nname = "g"\n[lake]\nledger = "sqlite:///{small}/ledger.db"\n',
        )
        with site.watched() as reader:
            with fill_disk(small, leave * 1024):
                ended = site.run(2)
                assert ended.error in ("storage-full", ""), ended
                assert reader.look_again() == expect(site.published)
            if ended.code:
                assert site.run(2).code == 0
            assert_settled(site)


SPILLS = """
select any_value(generation) as generation, count(*) // 100_000 as n
from (select distinct x, generation from range(2_000_000) as t(x), (select * from seed limit 1))
"""
LITTLE = '[project]\nname = "generations"\n[places.local]\nmemory = "40MB"\nthreads = 1\n'


@needs_mount
def test_a_full_folder_for_temporary_files(site, tmp_path):
    site.edit("steps/totals.sql", SPILLS)
    site.edit("segue.toml", LITTLE)
    with mount_disk(tmp_path / "scratch", 1_000_000), site.watched():
        ended = site.run(2)
        assert (ended.code, ended.error) == (1, "storage-full"), ended
        assert ended.document["error"]["retryable"]
        assert_settled(site)
    ended = site.run(2)
    assert ended.code == 0, ended
    assert_settled(site)


POINTS = ["execute.before", "stage.written", "judge.after", "publish.intent.before"]
POINTS += ["publish.commit.before", "publish.commit.after", "publish.flip.before", "record.written"]


@pytest.mark.parametrize("point", [*POINTS, "record.written@2", "record.written@3"])
def test_no_room_at_any_point(site, point):
    """As above where no disk may be mounted, and at exact points."""
    point, _, number = point.partition("@")
    with site.watched() as reader:
        ended = site.run(2, f"{point}=full@{number or 1}")
        assert ended.error == "storage-full", ended
        reader.look_again()
        again = site.run(2)
        assert again.code == 0, again
        site.published = [1, 2]
        reader.look_again()
    assert_settled(site)


def run_with_small_files(folder):
    import segue
    from segue.errors import StorageError

    limit_files(60_000)
    with segue.load(folder) as project, pytest.raises(StorageError):
        project.run(params={"seed.generation": 2})


def test_files_that_may_not_grow(site):
    ended = start_call(run_with_small_files, site.folder).wait()
    assert ended.code == 0, ended
    assert site.run(2).code == 0
    assert_settled(site)


WAITS = '[project]\nname = "generations"\n[lake]\nwait = "300ms"\n'


@pytest.mark.parametrize(
    "point", ["", "execute.before", "publish.intent.before", "publish.flip.before"]
)
def test_a_ledger_that_stays_locked(site, point):
    site.edit("segue.toml", WAITS)
    with site.watched() as reader:
        victim = site.start(2, f"{point}=stop" if point else "")
        with running(victim):
            if point:
                victim.wait_stopped()
            with hold_ledger(site.ledger):
                if point:
                    victim.go_on()
                ended = victim.wait() if point else site.run(2)
                assert (ended.code, ended.error) == (1, "ledger-busy"), ended
                assert ended.document["error"]["retryable"]
                assert reader.look_again() == expect([1])
        victim.wait()
        again = site.run(2)
        assert again.code == 0, again
        site.published = [1, 2]
        assert reader.look_again() == expect([1, 2])
    assert_settled(site)


def remove(path):
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


HARMS = {
    "removed": remove,
    "empty": lambda path: truncate_file(path, 0),
    "half of it": lambda path: truncate_file(path, 0.5),
    "its header": lambda path: corrupt_page(path, 0),
    "its second page": lambda path: corrupt_page(path, 1),
    "a page of data": lambda path: corrupt_page(path, 10),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_harmed_ledger_is_noticed_and_rebuilt(site, harm):
    for generation in (2, 3):
        assert site.run(generation).code == 0
    HARMS[harm](site.ledger)
    before = {table: DeltaTable(site.lake / table).version() for table in TABLES}
    for command in (("read", "seed", "--json"), ("run", "--json")):
        ended = site.ask(*command)
        assert (ended.code, ended.error) == (1, "ledger-damaged"), ended
        assert "segue recover --rebuild" in ended.document["error"]["hint"]
    assert {table: DeltaTable(site.lake / table).version() for table in TABLES} == before
    ended = site.ask("recover", "--rebuild", "--json")
    assert ended.code == 0, ended
    assert site.look() == expect([1, 2, 3])
    again = site.run(3)
    assert again.code == 0, again
    assert again.document["run_id"] is None
    site.published = [1, 2, 3]
    assert site.look() == expect([1, 2, 3])
    assert site.run(4).code == 0
    assert site.look() == expect([1, 2, 3, 4])


def test_no_damaged_page_leads_to_a_guess(site):
    whole = site.ledger.read_bytes()
    noticed = 0
    for page in range(len(whole) // 4096):
        site.ledger.write_bytes(whole)
        corrupt_page(site.ledger, page)
        try:
            # Pages that hold nothing may be anything.
            assert site.look() == expect([1])
        except LedgerDamagedError:
            noticed += 1
    assert noticed > 10
