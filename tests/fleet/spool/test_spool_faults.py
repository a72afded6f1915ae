"""A disk that fails, copies of a spool, a clock that jumps, and two processes at once."""

import os
import shutil
import subprocess
import sys

import pytest

from segue.agent.spool import Entry, Spool, clock
from segue.errors import StorageError
from segue.spec.edge import SpoolSettings, WhenFull
from segue.testing.faults import start_call
from tests.fleet.spool.spool_processes import SETTINGS, STREAM, assert_oracle, supervise, work

NEEDS_STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

FAILING = """
import sys
from pathlib import Path
from segue.agent.spool import Entry, Spool
from segue.errors import StorageError
from tests.fleet.spool.spool_processes import SETTINGS, STREAM
done = failed = 0
while True:
    try:
        spool = Spool(Path(sys.argv[1]) / "spool.db", SETTINGS)
        break
    except StorageError:
        failed += 1
for number in range(1, 61):
    entry = Entry(STREAM, 1, f"{number}:".encode().ljust(5000, b"."))
    while True:
        try:
            spool.commit([entry], {"numbers": {"at": number}}, {})
            done += 1
            break
        except StorageError:
            failed += 1
            try:
                cursor = spool.cursor("numbers") or {"at": 0}
            except StorageError:
                continue
            assert cursor["at"] == number - 1, "what failed is not there"
print(done, failed)
"""


@NEEDS_STRACE
@pytest.mark.parametrize("fault", ["fdatasync:error=EIO", "fdatasync:error=ENOSPC"])
@pytest.mark.parametrize("when", ["when=3..60+4", "when=30"])
def test_a_flush_that_fails(fault, when, tmp_path):
    home, hub = tmp_path / "home", tmp_path / "hub"
    home.mkdir()
    hub.mkdir()
    command = ["strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync"]
    command += ["-e", f"inject={fault}:{when}", sys.executable, "-c", FAILING, str(home)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr
    done, failed = map(int, ended.stdout.split())
    assert (done, failed > 0) == (60, True)
    assert start_call(supervise, home, hub, 60).wait().code == 0
    assert assert_oracle(hub, 60) == []


def test_worker_and_supervisor_at_once(tmp_path):
    home, hub = tmp_path / "home", tmp_path / "hub"
    home.mkdir()
    hub.mkdir()
    worker, supervisor = start_call(work, home, 4_000), start_call(supervise, home, hub, 4_000)
    ended = worker.wait(), supervisor.wait()
    assert [each.code for each in ended] == [0, 0], ended
    assert assert_oracle(hub, 4_000) == []
    taken = sum(path.stat().st_size for path in home.iterdir())
    assert taken <= SETTINGS.cap


def test_one_that_leaves_takes_no_journal_from_one_that_stays(tmp_path):
    """A worker ends, the next one begins; the supervisor sees what both have appended."""
    work(tmp_path, 4)  # so that the file is there when they open it
    with Spool(tmp_path / "spool.db", SETTINGS) as stays:
        for upto in (8, 12):
            assert start_call(work, tmp_path, upto).wait().code == 0
            (standing,) = stays.streams("lake")
            assert standing.last == upto
            stays.acknowledge("lake", STREAM, standing.epoch, upto)
    with Spool(tmp_path / "spool.db", SETTINGS) as spool:
        (standing,) = spool.streams("lake")
        assert (standing.last, standing.acknowledged) == (12, 12)
        assert spool.usage().alerts == ()


def test_a_copy_begins_an_epoch_of_its_own(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    work(home, 4)
    shutil.copytree(home, tmp_path / "clone")
    work(home, 8)
    work(tmp_path / "clone", 6)
    with (
        Spool(home / "spool.db", SETTINGS) as original,
        Spool(tmp_path / "clone" / "spool.db", SETTINGS) as clone,
    ):
        ours = {(each.epoch, each.last) for each in original.streams("lake")}
        theirs = [(each.epoch, each.last) for each in clone.streams("lake")]
        assert [last for _, last in sorted(ours)] == [8]
        assert [last for _, last in theirs] == [4, 2]
        assert theirs[0][0] == original.epoch != theirs[1][0] == clone.epoch


def test_a_spool_that_is_removed_under_an_agent_begins_anew(tmp_path):
    with Spool(tmp_path / "spool.db", SETTINGS) as spool:
        spool.commit([Entry(STREAM, 1, b"1:")], {}, {})
        epoch = spool.epoch
        for path in tmp_path.glob("spool.db*"):
            path.unlink()
        spool.commit([Entry(STREAM, 1, b"2:")], {}, {})
        assert spool.epoch != epoch
        (standing,) = spool.streams("lake")
        assert standing.last == 1


def test_ages_need_no_wall_clock_and_outlive_a_restart(tmp_path, monkeypatch):
    moment = {"boot": "first", "now": 5_000}
    monkeypatch.setattr(clock, "read_uptime", lambda: int(moment["now"] * 1e9))
    monkeypatch.setattr("segue.agent.spool.file.read_uptime", lambda: int(moment["now"] * 1e9))
    monkeypatch.setattr("segue.agent.spool.file.read_boot", lambda: moment["boot"])
    path = tmp_path / "spool.db"
    with Spool(path, SETTINGS) as spool:
        spool.commit([Entry(STREAM, 1, b"1:")], {}, {})
        moment["now"] = 5_060
        spool.commit([Entry(STREAM, 1, b"2:")], {}, {})
        (standing,) = spool.streams("lake")
        assert (standing.age, standing.at_least) == (60, False)
    moment.update(boot="second", now=20)
    with Spool(path, SETTINGS) as spool:
        (standing,) = spool.streams("lake")
        assert (standing.age, standing.at_least) == (80, True)
        spool.acknowledge("lake", STREAM, standing.epoch, 2)
        assert spool.streams("lake")[0].age == 0


def test_a_disk_error_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=r"spool\.db can't be used"):
        Spool(tmp_path / "file" / "spool.db", SpoolSettings(cap=10**7, when_full=WhenFull.BLOCK))
