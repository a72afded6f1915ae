"""What only the lake of local Delta tables promises."""

import errno
import os
import resource
import signal
import subprocess
import sys

import pytest

from segue.errors import StorageError, StorageFullError
from segue.stores import lake_log
from segue.stores.lake_delta import DeltaLake
from tests.publications import publication, stage


@pytest.fixture
def lake(tmp_path):
    return DeltaLake(str(tmp_path / "lake"))


def test_a_url_is_refused():
    with pytest.raises(StorageError, match="s3://bucket"):
        DeltaLake("s3://bucket/lake")


def test_only_folders_of_tables_count(lake, tmp_path):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    lake.folder("staged only")
    for name in ("_runs", ".hidden"):
        (tmp_path / "lake" / name).mkdir()
    assert lake.tables() == ("a",)
    assert lake.folders() == ("a", "staged only")


def test_commits_and_their_folders_are_brought_to_the_disk(lake, tmp_path, monkeypatch):
    synced = []
    real = os.fsync

    def watch(descriptor):
        synced.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    folder = lake.folder("a")
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    log = folder / "_delta_log"
    wanted = [tmp_path / "lake", log / f"{0:020d}.json", log, folder]
    assert [path for path in map(str, wanted) if path not in synced] == []


def test_a_full_disk_is_told(lake, monkeypatch):
    def fail(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(lake_log, "sync_path", fail)
    with pytest.raises(StorageFullError, match="no room"):
        lake.folder("a")


def test_a_log_that_can_not_be_written_is_told(lake):
    staged = stage(lake, "a", [(1, "x")])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # No file may grow beyond ten bytes, as if the disk were full for delta-rs.
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(StorageError, match="a can't be used: file too large"):
            lake.commit(publication(staged))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert lake.commit(publication(staged)) == 0


PRELOAD = """
import sys, threading
from segue.stores.lake_delta import DeltaLake
if "without" in sys.argv:
    sys.modules["deltalake"] = None
DeltaLake(sys.argv[1]).preload()
for thread in threading.enumerate():
    if thread.name == "segue-preload":
        thread.join()
print("deltalake.transaction" in sys.modules)
"""


@pytest.mark.parametrize(("argument", "loaded"), [("with", "True"), ("without", "False")])
def test_what_commits_need_is_loaded_ahead_or_missed_later(tmp_path, argument, loaded):
    command = [sys.executable, "-c", PRELOAD, str(tmp_path), argument]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (loaded, "")
