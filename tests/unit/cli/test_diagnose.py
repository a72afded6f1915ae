"""Each question of the doctor."""

import sqlite3
import time

import pytest

from segue.cli import diagnose
from segue.cli.diagnose import (
    look_at_clock,
    look_at_extras,
    look_at_lake,
    look_at_ledger,
    look_at_libraries,
    look_at_python,
    look_at_room,
)


def test_this_machine_is_well(tmp_path):
    for finding in (look_at_python(), look_at_libraries(), look_at_extras()):
        assert finding.verdict == "ok", finding
    assert look_at_clock(time.time()).verdict == "ok"
    assert look_at_lake(tmp_path / "shop" / "lake").verdict == "ok"


def test_missing_library(monkeypatch):
    monkeypatch.setattr(diagnose, "CORE", ("click", "no-such-library"))
    finding = look_at_libraries()
    assert (finding.verdict, finding.message) == ("fail", "missing: no-such-library")
    assert finding.hint.startswith("pip install")


def test_clock_of_1970():
    assert look_at_clock(0).verdict == "warn"


@pytest.mark.parametrize(("least", "verdict"), [(0, "ok"), (1 << 80, "warn")])
def test_room(monkeypatch, tmp_path, least, verdict):
    monkeypatch.setattr(diagnose, "NO_ROOM", 0)
    monkeypatch.setattr(diagnose, "LITTLE_ROOM", least)
    assert look_at_room("lake's disk", tmp_path).verdict == verdict


def test_no_room(monkeypatch, tmp_path):
    monkeypatch.setattr(diagnose, "NO_ROOM", 1 << 80)
    assert look_at_room("lake's disk", tmp_path).verdict == "fail"


def test_ledger_states(tmp_path):
    path = tmp_path / "ledger.db"
    assert look_at_ledger(f"sqlite:///{path}").verdict == "ok"
    connection = sqlite3.connect(path)
    connection.execute("create table t as select zeroblob(20000) as x")
    connection.commit()
    connection.close()
    assert look_at_ledger(f"sqlite:///{path}").verdict == "ok"
    path.write_bytes(path.read_bytes()[:9000])
    finding = look_at_ledger(f"sqlite:///{path}")
    assert (finding.verdict, finding.hint) == ("fail", "segue recover --rebuild")
    path.write_text("nothing of the kind")
    assert look_at_ledger(f"sqlite:///{path}").verdict == "fail"


def test_ledger_elsewhere_is_left_alone():
    assert look_at_ledger("postgresql://db/ledger").verdict == "ok"
