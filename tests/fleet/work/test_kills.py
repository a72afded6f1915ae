"""Workers that are killed: every row exactly once, in order."""

import json
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from segue.agent.work.attempts import SUSPECT
from segue.spec.edge import WindowKind, WindowSpec
from tests.edge_slots import (
    SETTINGS,
    python_step,
    read_spool,
    source,
    sql_step,
    write_lines,
    write_slot,
)
from tests.fleet.waiting import wait_for
from tests.fleet.work.workers import report, run_worker, worker

SMALL = replace(SETTINGS, batch_bytes=4096, linger=0.0)
"""Batches of some ninety rows."""


def rows(count, first=0):
    return [{"n": n, "sensor": f"s{n % 3}", "value": n / 2} for n in range(first, first + count)]


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "a.jsonl"


@pytest.mark.parametrize(
    "point", ["agent.read", "agent.transform", "agent.commit.before", "agent.commit.after"]
)
def test_kill_at_each_point_of_a_batch(tmp_path, home, log, point):
    write_lines(log, rows(1000))
    step = sql_step("kept", "select * from readings where n % 10 > 0")
    window = WindowSpec(WindowKind.TUMBLING, "at", 100 * 10**6, 100 * 10**6)
    counted = sql_step(
        "counted",
        "select window_start, count(*) as n from stamped group by all",
        "window_start: timestamp, n: int64",
        "stamped",
        window=window,
    )
    stamped = sql_step(
        "stamped",
        'select n, make_timestamp(n * 1000000) as "at" from kept',
        "n: int64, at: timestamp",
        "kept",
    )
    slot = write_slot(
        tmp_path / "1", [source(log)], [step, stamped, counted], send=[step, counted], spool=SMALL
    )
    for count in (1, 3, 2):
        assert run_worker(home, slot, failpoint=f"{point}=kill@{count}") == -signal.SIGKILL
    assert run_worker(home, slot) == 0
    found = read_spool(home)
    assert found["kept"] == [row for row in rows(1000) if row["n"] % 10]
    assert [row["n"] for row in found["counted"]] == [90] * 10
    assert set(found) == {"kept", "counted"}


def test_a_signal_to_end_commits_what_was_read(tmp_path, home, log):
    slot = write_slot(tmp_path / "1", [source(log)], spool=replace(SETTINGS, linger=30.0))
    with worker(home, slot) as process:
        write_lines(log, rows(10))
        wait_for(lambda: _has_opened(process, log))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not list((home / "work").glob("*.json"))
    run_worker(home, slot)
    assert read_spool(home) == {"readings": rows(10)}


def _has_opened(process, log):
    """Return whether a process has opened a file, which it reads at once."""
    links = Path(f"/proc/{process.pid}/fd").iterdir()
    return any(link.is_symlink() and link.resolve() == log for link in links)


KILLER = """\
import os, signal, time
import pyarrow as pa
from segue import step

@step
def picky(readings: pa.Table) -> pa.Table:
    if 345 in readings["n"].to_pylist():
        {deed}
    return readings
"""


def test_rows_that_kill_the_worker_are_found_and_set_aside(tmp_path, home, log):
    write_lines(log, rows(600))
    text = KILLER.format(deed="os.kill(os.getpid(), signal.SIGKILL)")
    slot = write_slot(
        tmp_path / "1",
        [source(log)],
        [python_step("picky")],
        files={"steps/picky.py": text},
        spool=SMALL,
    )
    for _ in range(SUSPECT):
        assert run_worker(home, slot) == -signal.SIGKILL
    assert run_worker(home, slot) == 0
    found = read_spool(home)
    (reject,) = found["picky__rejects"]
    assert json.loads(reject["row"])["n"] == 345
    assert reject["reasons"] == ["step 'picky': its process was ended by SIGKILL"]
    assert found["picky"] == [row for row in rows(600) if row["n"] != 345]
    assert report_error(home) == "step 'picky': its process was ended by SIGKILL"


def report_error(home):
    return json.loads((home / "worker.json").read_text())["error"]


@pytest.mark.parametrize(
    ("deed", "patience", "reason"),
    [
        ("time.sleep(1000)", 0.7, "did not end within"),
        ("hold = [bytearray(2**26) for _ in iter(int, 1)]", 60.0, "used more than"),
    ],
)
def test_rows_that_hang_or_leak_are_found_and_set_aside(
    tmp_path, home, log, monkeypatch, deed, patience, reason
):
    from segue.agent.work.careful import CarefulSteps
    from segue.agent.work.once import run_once

    write_lines(log, rows(400))
    slot = write_slot(
        tmp_path / "1",
        [source(log)],
        [python_step("picky")],
        files={"steps/picky.py": KILLER.format(deed=deed)},
        memory=400 * 10**6,
        spool=SMALL,
    )
    monkeypatch.setattr(
        "segue.agent.work.careful.CarefulSteps", partial(CarefulSteps, patience=patience)
    )
    # every batch is under suspicion
    monkeypatch.setattr("segue.agent.work.attempts.SUSPECT", 0)
    done = run_once(slot, home)
    found = read_spool(home)
    (reject,) = found["picky__rejects"]
    assert json.loads(reject["row"])["n"] == 345
    assert reason in reject["reasons"][0]
    assert found["picky"] == [row for row in rows(400) if row["n"] != 345]
    assert done.errors == 1


def test_a_worker_that_hangs_gives_no_beat(tmp_path, home, log):
    write_lines(log, rows(400))
    text = KILLER.format(deed="time.sleep(1000)")
    slot = write_slot(
        tmp_path / "1",
        [source(log)],
        [python_step("picky")],
        files={"steps/picky.py": text},
    )
    with worker(home, slot) as process:
        wait_for(lambda: silent(home, process))


def silent(home, process):
    """Return whether a worker gives no beat in its next two reports."""
    before = report(home, process).beat
    for _ in range(2):
        wait_for(partial(written_since, home, (home / "worker.json").stat().st_mtime_ns))
    return before == report(home, process).beat


def written_since(home, then):
    return (home / "worker.json").stat().st_mtime_ns != then


def test_a_full_spool_waits_and_goes_on(tmp_path, home, log):
    from segue.agent.spool import Spool

    tight = replace(SMALL, cap=1_000_000, keep=0)
    noise = [{**row, "sensor": f"{row['n'] * 2654435761 % 2**32:x}" * 30} for row in rows(8_000)]
    write_lines(log, noise)
    slot = write_slot(tmp_path / "1", [source(log)], spool=tight)
    taken = []
    with worker(home, slot) as process:
        wait_for(lambda: any("spool" in each for each in report(home, process).alerts))
        with Spool(home / "spool.db", tight) as spool:
            last = 0

            def drain():
                nonlocal last
                for header, payload in spool.read("lake", "readings", spool.epoch, last, 10**6):
                    taken.append((header, payload))
                    last = header.last
                spool.acknowledge("lake", "readings", spool.epoch, last)
                return sum(header.rows for header, _ in taken) >= len(noise)

            wait_for(drain)
            wait_for(lambda: not report(home, process).alerts)
    from segue.agent.work.payload import read_payload

    assert [row for _, payload in taken for row in read_payload(payload).to_pylist()] == noise


def test_an_idle_worker_is_small_and_becomes_small_again(tmp_path, home, log):
    from segue.agent.heartbeat import RECYCLE
    from segue.agent.processes import measure_process

    slot = write_slot(tmp_path / "1", [source(log)])
    with worker(home, slot, "--idle", "1") as process:
        assert measure_process(process.pid).memory < 45_000_000
        write_lines(log, rows(10))
        assert process.wait(60) == RECYCLE
    assert read_spool(home) == {"readings": rows(10)}


def test_rows_in_windows_of_a_step_that_is_gone_are_set_aside(tmp_path, home, log):
    stamped = source(log, "n: int64, time: timestamp")
    window = WindowSpec(WindowKind.TUMBLING, "time", 3600 * 10**6, 3600 * 10**6)
    counted = sql_step("counted", "select count(*) as n from readings", "n: int64", window=window)
    one = write_slot(tmp_path / "1", [stamped], [counted])
    two = write_slot(tmp_path / "2", [stamped])
    write_lines(log, [{"n": n, "time": f"2026-03-01T00:00:0{n}"} for n in range(3)])
    with worker(home, one) as process:
        wait_for(lambda: report(home, process).rows)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert read_spool(home) == {}
    assert run_worker(home, two) == 0
    found = read_spool(home)
    assert [json.loads(row["row"])["n"] for row in found["counted__rejects"]] == [0, 1, 2]
    assert found["counted__rejects"][0]["step"] == "counted"
    assert run_worker(home, two) == 0
    assert read_spool(home) == found


def test_a_supervised_worker_gets_over_rows_that_kill_it(tmp_path, home, log):
    from segue.agent.backoff import Backoff
    from segue.agent.worker_process import Job, WorkerProcess

    write_lines(log, rows(600))
    text = KILLER.format(deed="os.kill(os.getpid(), signal.SIGKILL)")
    slot = write_slot(
        tmp_path / "1",
        [source(log)],
        [python_step("picky")],
        files={"steps/picky.py": text},
        spool=SMALL,
    )
    process = WorkerProcess(home, Job(slot, 1, memory=2 * 10**9), backoff=Backoff(first=0.1))
    process.start()

    def settled():
        process.tend()
        found = process.report
        return found is not None and found.rejects == {"picky": 1} and found.rows["picky"] > 200

    try:
        wait_for(settled, 120)
        assert process.restarts == SUSPECT
        write_lines(log, rows(10, 600))
        wait_for(lambda: len(read_spool(home)["picky"]) == 609)
        process.stop()
    finally:
        process.kill()
    assert read_spool(home)["picky"] == [row for row in rows(610) if row["n"] != 345]
