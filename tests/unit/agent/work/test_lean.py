"""Workers without NumPy and pandas, where no step wants them: real processes, all types."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest

from segue.agent.lean import leave_out_unused
from segue.spec.edge import EdgePart
from tests.edge_slots import SETTINGS, check, python_step, read_spool, source, sql_step, write_slot

SCHEMA = (
    "n: int64, small: float32, ints: list<int16>, floats: list<float32>, zoned: timestamp(us, UTC),"
    " day: date, cost: decimal(10, 2), kind: categorical<string>, inner: struct<a: int8>,"
    " tags: map<string, int64>, raw: binary, lasts: duration(ms), at: time"
)
ROW = {
    "small": 0.1,
    "ints": [1, None],
    "floats": [0.1],
    "zoned": "2026-11-21T10:00:00+01:00",
    "day": "2026-11-21",
    "cost": "1.50",
    "kind": "a",
    "inner": {"a": 1},
    "tags": {"b": 2},
    "raw": "x",
    "lasts": 1500,
    "at": "10:00:00",
}
RUN = """
import sys
from segue.agent.worker import main
code = main(sys.argv[1:])
print(code, sorted({"numpy", "pandas"} & set(sys.modules)))
"""


def run_worker(home, slot):
    command = [sys.executable, "-c", RUN, "--home", str(home), "--slot", str(slot), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.startswith("0 "), done.stderr
    return done.stdout.splitlines()[-1]


def test_rows_of_all_types_pass_sql_contracts_and_tables_beside_them(tmp_path):
    log, home = tmp_path / "a.jsonl", tmp_path / "home"
    home.mkdir()
    lines = [{"n": n, **ROW} for n in range(4)]
    log.write_text("".join(json.dumps(row) + "\n" for row in lines) + '{"n": "no number"}\n')
    sql = "select readings.* replace (n + plus as n) from readings, known where n <> 1"
    step = sql_step("kept", sql, SCHEMA, references=("known",))
    checks = [check("kept", "n is small", "n > 11"), check("kept", "n is none", "n is null")]
    known = {"known": pa.table({"plus": pa.array([10], pa.int64())})}
    slot = write_slot(
        tmp_path / "1", [source(log, SCHEMA)], [step], checks=tuple(checks), references=known
    )
    assert run_worker(home, slot) == "0 []"
    found = read_spool(home)
    assert [row["n"] for row in found["kept"]] == [10]
    assert found["kept"][0]["ints"] == [1, None]
    assert found["kept"][0]["floats"] == [pytest.approx(0.1)]
    reasons = [row["reasons"] for row in found["kept__rejects"]]
    assert sorted(reasons)[:2] == [["n is small"], ["n is small"]]
    assert len(reasons) == 3


def make_part(*steps):
    return EdgePart("plant", "shops", sources=(), steps=steps, sent=(), spool=SETTINGS)


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (sql_step("plain", "from readings"), ["numpy", "pandas"]),
        (sql_step("scored", "from readings", model="models/m.onnx"), ["pandas"]),
        (python_step("made"), []),
    ],
)
def test_what_steps_may_want_stays(monkeypatch, step, left):
    told = []
    monkeypatch.setattr("segue.agent.lean.leave_out", lambda *names: told.extend(names))
    leave_out_unused(make_part(step))
    assert sorted(told) == left
