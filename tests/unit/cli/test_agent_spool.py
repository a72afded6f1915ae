"""``segue agent spool``, on a home folder."""

import json
import os
import pty
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from segue.agent.spool import Entry, Spool
from segue.agent.work.payload import write_payload
from segue.cli.agent_spool import spool as commands
from segue.spec.edge import SpoolSettings, WhenFull

SETTINGS = SpoolSettings(cap=10_000_000, when_full=WhenFull.DROP_OLDEST, keep=1000)


@pytest.fixture
def home(tmp_path):
    with Spool(tmp_path / "spool.db", SETTINGS) as spool:
        spool.assign({"readings": ["lake", "archive"]})
        for number in range(1, 11):
            rows = pa.table({"number": [number] * 5, "text": ["é\n"] * 5})
            spool.commit([Entry("readings", 5, write_payload(rows))], {"source": {}}, {})
        spool.acknowledge("lake", "readings", spool.epoch, 4)
    return tmp_path


def call(home, *arguments, typed=None, code=0):
    ended = CliRunner().invoke(commands, [*arguments, "--home", str(home)], input=typed)
    assert ended.exit_code == code, (ended.output, ended.exception)
    return ended


def test_ls_for_programs(home):
    told = json.loads(call(home, "ls", "--json").stdout)
    assert told["usage"]["cap"] == SETTINGS.cap
    assert told["usage"]["unsent_rows"] == 30
    found = {each["reader"]: (each["acknowledged"], each["rows"]) for each in told["streams"]}
    assert found == {"lake": (4, 30), "archive": (0, 50)}


@pytest.mark.parametrize("width", [64, 80, 120])
def test_ls_fits_a_terminal(home, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = call(home, "ls", "--no-color").stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert any("readings" in line for line in lines)


def test_commands_leave_limits_and_epoch_alone(home):
    with Spool(home / "spool.db", SETTINGS) as spool:
        epoch = spool.epoch
        call(home, "ls")
        call(home, "fsck")
        spool.commit([Entry("readings", 1, b"while it is open")], {}, {})
        assert spool.epoch == epoch


def test_fsck_tells_damage_and_changes_nothing(home):
    assert "Nothing is damaged." in call(home, "fsck").stdout
    path = home / "spool.db"
    with Spool(path, SETTINGS) as spool:
        (record,) = spool.read("lake", "readings", spool.epoch, 6, 1)
    content = bytearray(path.read_bytes())
    content[content.index(record.payload[:200]) + 100] ^= 1
    path.write_bytes(content)
    told = json.loads(call(home, "fsck", "--json", code=1).stdout)
    assert [(each["stream"], each["rows"]) for each in told["harm"]] == [("readings", 5)]
    assert path.read_bytes() == bytes(content)
    assert "damaged" in call(home, "fsck", code=1).stdout


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "jsonl"])
def test_export_writes_unsent_rows(home, suffix, tmp_path):
    output = tmp_path / f"unsent.{suffix}"
    call(home, "export", "readings", str(output))
    if suffix == "parquet":
        numbers = pq.read_table(output)["number"].to_pylist()
    elif suffix == "arrow":
        numbers = pa.ipc.open_file(output).read_all()["number"].to_pylist()
    else:
        numbers = [json.loads(line)["number"] for line in output.read_text().splitlines()]
    assert numbers == [number for number in range(5, 11) for _ in range(5)]
    assert json.loads(call(home, "ls", "--json").stdout)["usage"]["unsent_rows"] == 30
    again = CliRunner().invoke(commands, ["export", "readings", str(output), "--home", str(home)])
    assert "exists" in str(again.exception)


def test_skip_asks_and_declares(home):
    refused = call(home, "skip", "readings", "--all", typed="n\n", code=1)
    assert "can't be brought back" in refused.output
    assert json.loads(call(home, "ls", "--json").stdout)["usage"]["lost_rows"] == 0
    told = call(home, "skip", "readings", "--to", "7", "--reason", "refused", typed="y\n").stdout
    assert "given up" in told
    with Spool(home / "spool.db", SETTINGS) as spool:
        records = spool.read("lake", "readings", spool.epoch, 4, 10**6)
        gaps = [each.header for each in records if each.header.kind == "gap"]
        told = [(gap.first, gap.last, gap.rows, gap.reason) for gap in gaps]
        assert told == [(5, 7, 15, "refused")]
        assert [each.header.first for each in records if each.header.kind == "rows"] == [8, 9, 10]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["skip", "readings"], "--to SEQUENCE or --all"),
        (["export", "nothing", "new.jsonl"], "readings"),
        (["export", "readings", "new.txt"], ".parquet"),
        (["export", "readings", "new.jsonl", "--reader", "arhive"], "archive"),
    ],
)
def test_mistakes_are_told_with_the_next_move(home, arguments, hint):
    ended = CliRunner().invoke(commands, [*arguments, "--home", str(home)])
    assert hint in ended.exception.hint


def test_no_spool(tmp_path):
    ended = CliRunner().invoke(commands, ["ls", "--home", str(tmp_path)])
    assert "--home" in ended.exception.hint


def test_it_looks_well_in_a_terminal(home):
    master, slave = pty.openpty()
    environ = {**os.environ, "COLUMNS": "90", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "segue", "agent", "spool", "ls", "--home", str(home)]
    subprocess.run(command, stdout=slave, stderr=slave, env=environ, check=True, timeout=60)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    os.close(slave)
    assert "on disk" in shown
    assert "\x1b[" in shown
