import json
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from segue.agent.work.once import run_once
from segue.errors import StepError
from segue.spec.edge import StreamAlert, WindowKind, WindowSpec
from segue.spec.step import FrameKind
from tests.edge_slots import (
    SETTINGS,
    check,
    python_step,
    read_headers,
    read_spool,
    source,
    sql_step,
    write_lines,
    write_slot,
)


def rows(count, first=0):
    return [{"n": n, "sensor": f"s{n % 3}", "value": n / 2} for n in range(first, first + count)]


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "a.jsonl"


def test_sql_steps_see_the_nodes_name_and_send_what_their_schema_says(tmp_path, home, log):
    write_lines(log, rows(10))
    step = sql_step("kept", "select *, _node as station from readings where n % 2 = 0")
    named = sql_step(
        "named", "select n, _node as station from kept", "n: int64, station: string", "kept"
    )
    slot = write_slot(tmp_path / "7", [source(log)], [step_without(step), named], send=[named])
    done = run_once(slot, home, "n1")
    assert read_spool(home) == {"named": [{"n": n, "station": "n1"} for n in range(0, 10, 2)]}
    assert done.rows == {"readings": 10, "kept": 5, "named": 5}
    (header,) = read_headers(home, "named")
    assert (header.deployment, header.clock, header.rows) == (7, "ok", 5)


def step_without(step):
    return sql_step(step.name, "select * from readings where n % 2 = 0")


def test_reading_goes_on_behind_what_was_committed(tmp_path, home, log):
    slot = write_slot(tmp_path / "1", [source(log)])
    for first in (0, 100):
        write_lines(log, rows(100, first))
        run_once(slot, home)
    assert read_spool(home) == {"readings": rows(200)}


@pytest.mark.parametrize("frame", [FrameKind.ARROW, FrameKind.PANDAS, FrameKind.POLARS])
def test_python_steps_run_as_they_do_elsewhere(tmp_path, home, log, frame):
    write_lines(log, rows(6))
    library, kind = str(frame).split(".")
    code = {
        "pandas": "readings.assign(value=readings['value'] * factor)",
        "polars": "readings.with_columns(pl.col('value') * factor)",
        "pyarrow": (
            "readings.set_column(2, 'value', pa.compute.multiply(readings['value'], factor))"
        ),
    }[library]
    alias = {"pandas": "pd", "polars": "pl", "pyarrow": "pa"}[library]
    text = f"""\
import {library} as {alias}
{"import pyarrow.compute" if library == "pyarrow" else ""}
from segue import step

@step
def scaled(readings: {alias}.{kind}, factor: float = 1.0) -> {alias}.{kind}:
    return {code}
"""
    step = python_step("scaled", frame=frame, parameters={"factor": 4.0})
    slot = write_slot(tmp_path / "1", [source(log)], [step], files={"steps/scaled.py": text})
    done = run_once(slot, home)
    assert not done.error
    wanted = [{**row, "value": row["value"] * 4} for row in rows(6)]
    assert read_spool(home) == {"scaled": wanted}


def test_groups_are_passed_one_by_one_and_sorted(tmp_path, home, log):
    write_lines(log, reversed(rows(9)))
    text = """\
from segue import step

@step(by="sensor", sort="n")
def firsts(readings: list[dict]) -> list[dict]:
    return readings[:1]
"""
    step = python_step("firsts", frame=FrameKind.ROWS, by=("sensor",), sort=("n",))
    slot = write_slot(tmp_path / "1", [source(log)], [step], files={"steps/firsts.py": text})
    run_once(slot, home)
    assert [row["n"] for row in read_spool(home)["firsts"]] == [0, 1, 2]


def test_reference_tables_are_there_for_sql_and_functions(tmp_path, home, log):
    write_lines(log, rows(6))
    limits = pa.table({"sensor": ["s0", "s1"], "most": [1.0, 2.0]})
    joined = sql_step(
        "joined",
        "select n, sensor, value, most from readings join limits using (sensor)",
        "n: int64, sensor: string, value: float64, most: double",
        references=("limits",),
    )
    text = """\
import pyarrow as pa
from segue import step

@step
def counted(joined: pa.Table, limits: pa.Table) -> pa.Table:
    return pa.table({"n": [joined.num_rows * 10 + limits.num_rows]})
"""
    counted = python_step("counted", "n: int64", "joined", references=("limits",))
    slot = write_slot(
        tmp_path / "1",
        [source(log)],
        [joined, counted],
        send=[joined, counted],
        files={"steps/counted.py": text},
        references={"limits": limits},
    )
    run_once(slot, home)
    found = read_spool(home)
    assert sorted(row["n"] for row in found["joined"]) == [0, 1, 3, 4]
    assert found["counted"] == [{"n": 42}]


def test_contracts_set_rows_aside_with_all_their_reasons(tmp_path, home, log):
    write_lines(log, [*rows(3), {"n": 3, "sensor": None, "value": -1.0}])
    checks = (
        check("readings", "value is positive", "value < 0"),
        check("readings", "sensor is known", "sensor is null"),
        check("readings", "n is small", "n > 1", sets_aside=False),
    )
    slot = write_slot(tmp_path / "1", [source(log)], checks=checks)
    done = run_once(slot, home)
    found = read_spool(home)
    assert found["readings"] == rows(3)
    (reject,) = found["readings__rejects"]
    assert json.loads(reject["row"]) == {"n": 3, "sensor": None, "value": -1.0}
    assert reject["reasons"] == ["value is positive", "sensor is known"]
    assert reject["step"] == "readings"
    assert done.broken == {"readings.n is small": 2}
    assert done.errors == 0


def test_lines_that_are_no_rows_are_rejects_of_every_table_that_comes_of_them(tmp_path, home, log):
    write_lines(log, rows(1))
    with log.open("a") as file:
        file.write('no row\n{"n": "many", "sensor": "s", "value": 1}\n')
    one, two = sql_step("one", "from readings"), sql_step("two", "from readings")
    slot = write_slot(tmp_path / "1", [source(log)], [one, two], send=[one, two])
    run_once(slot, home)
    found = read_spool(home)
    assert found["one"] == found["two"] == rows(1)
    assert [row["row"] for row in found["one__rejects"]] == [
        "no row",
        '{"n": "many", "sensor": "s", "value": 1}',
    ]
    assert found["one__rejects"] == found["two__rejects"]


def test_poison_rows_become_rejects_and_their_neighbours_flow(tmp_path, home, log):
    write_lines(log, rows(1000))
    text = """\
import pyarrow as pa
from segue import step

@step
def picky(readings: pa.Table) -> pa.Table:
    for number in readings["n"].to_pylist():
        if number in (3, 500, 501):
            raise ValueError(f"not {number}")
    return readings
"""
    step = python_step("picky")
    slot = write_slot(tmp_path / "1", [source(log)], [step], files={"steps/picky.py": text})
    done = run_once(slot, home)
    found = read_spool(home)
    poison = [json.loads(row["row"])["n"] for row in found["picky__rejects"]]
    assert poison == [3, 500, 501]
    assert found["picky__rejects"][0]["reasons"] == [
        "step 'picky' raised ValueError: not 3 (steps/picky.py:8)"
    ]
    assert [row["n"] for row in found["picky"]] == [n for n in range(1000) if n not in poison]
    assert done.errors == 1
    assert "picky" in done.error


def test_rows_that_sql_fails_on_become_rejects(tmp_path, home, log):
    write_lines(log, [{"n": 1, "sensor": "12", "value": 0}, {"n": 2, "sensor": "x", "value": 0}])
    step = sql_step("cast_", "select n, sensor, sensor::int::double as value from readings")
    slot = write_slot(tmp_path / "1", [source(log)], [step])
    run_once(slot, home)
    found = read_spool(home)
    assert found["cast_"] == [{"n": 1, "sensor": "12", "value": 12.0}]
    assert json.loads(found["cast___rejects"][0]["row"])["n"] == 2


def test_a_function_that_hands_the_nodes_name_on_need_not_declare_it(tmp_path, home, log):
    write_lines(log, rows(2))
    text = """\
import pyarrow as pa
from segue import step

@step
def same(readings: pa.Table) -> pa.Table:
    assert readings["_node"][0].as_py() == "n1"
    return readings
"""
    slot = write_slot(
        tmp_path / "1", [source(log)], [python_step("same")], files={"steps/same.py": text}
    )
    assert not run_once(slot, home, "n1").error
    assert read_spool(home) == {"same": rows(2)}


def test_sql_reaches_for_no_file(tmp_path, home, log):
    write_lines(log, rows(1))
    step = sql_step("evil", f"select n, content as sensor, value from readings, '{__file__}'")
    reads = sql_step(
        "reads", f"select n, content as sensor, value from readings, read_text('{__file__}')"
    )
    slot = write_slot(tmp_path / "1", [source(log)], [step, reads], send=[step, reads])
    run_once(slot, home)
    assert set(read_spool(home)) == {"evil__rejects", "reads__rejects"}


def test_a_module_that_cannot_be_loaded_ends_the_run_with_its_line(tmp_path, home, log):
    write_lines(log, rows(1))
    text = "import pyarrow as pa\nimport nowhere_to_be_found\n"
    slot = write_slot(
        tmp_path / "1", [source(log)], [python_step("broken")], files={"steps/broken.py": text}
    )
    with pytest.raises(StepError, match="nowhere_to_be_found") as caught:
        run_once(slot, home)
    assert str(caught.value.location) == "steps/broken.py:2"
    assert read_spool(home) == {}


def test_records_that_were_lost_before_they_could_be_read_are_declared(tmp_path, home, log):
    write_lines(log, rows(1))
    with log.open("a") as file:
        file.write("x" * 50_000 + "\n")
    write_lines(log, rows(1, 1))
    kept = sql_step("kept", "from readings where n > 0")
    small = replace(SETTINGS, batch_bytes=4096)
    slot = write_slot(tmp_path / "1", [source(log)], [kept], send=[source(log), kept], spool=small)
    done = run_once(slot, home)
    found = read_spool(home)
    gap = {"gap": 1, "reason": "record too long"}
    assert [row for row in found["readings"] if row != gap] == rows(2)
    assert [row for row in found["kept"] if row != gap] == rows(1, 1)
    assert [stream.count(gap) for stream in found.values()] == [1, 1]
    assert done.lost == {"readings": 1}


@pytest.mark.parametrize("kind", ["tumbling", "session"])
def test_a_function_sees_the_rows_of_closed_windows(tmp_path, home, log, kind):
    stamps = [{"n": n, "sensor": f"s{n % 2}", "time": f"2026-03-01T00:0{n}:30"} for n in range(6)]
    write_lines(log, stamps)
    window = WindowSpec(WindowKind(kind), "time", 120 * 10**6, 120 * 10**6, by=("sensor",))
    text = """\
import pandas as pd
from segue import step

@step
def counted(readings: pd.DataFrame) -> pd.DataFrame:
    return readings.groupby(["window_start", "window_end"], as_index=False).agg(n=("n", "count"))
"""
    step = python_step(
        "counted",
        "window_start: timestamp, window_end: timestamp, n: int64",
        frame=FrameKind.PANDAS,
        window=window,
    )
    readings = source(log, "n: int64, sensor: string, time: timestamp")
    slot = write_slot(tmp_path / "1", [readings], [step], files={"steps/counted.py": text})
    done = run_once(slot, home)
    assert done.error == ""
    found = [
        (row["window_end"] - row["window_start"], row["n"]) for row in read_spool(home)["counted"]
    ]
    if kind == "tumbling":
        assert found == [(timedelta(minutes=2), 2)] * 3
    else:  # each row of a sensor comes just when the session before has ended
        assert found == [(timedelta(minutes=2), 1)] * 6


def test_what_nobody_foresaw_makes_rejects_and_the_windows_lose_nothing(
    tmp_path, home, log, monkeypatch
):
    from segue.agent.work import tree

    write_lines(log, [{"n": n, "time": f"2026-03-01T00:00:0{n}"} for n in range(9)])
    window = WindowSpec(WindowKind.TUMBLING, "time", 60 * 10**6, 60 * 10**6)
    counted = sql_step("counted", "select n from readings", "n: int64", window=window)
    later = sql_step("later", "select n from counted", "n: int64", "counted")
    readings = source(log, "n: int64, time: timestamp")
    small = replace(SETTINGS, batch_bytes=130, linger=0.0)
    slot = write_slot(
        tmp_path / "1", [readings], [counted, later], send=[readings, later], spool=small
    )
    take, calls = tree.TreeWork._take, []

    def fail_once(self, table, rows, made):
        calls.append(table)
        if len(calls) == 2:
            raise RuntimeError("nobody foresaw this")
        return take(self, table, rows, made)

    monkeypatch.setattr(tree.TreeWork, "_take", fail_once)
    done = run_once(slot, home)
    found = read_spool(home)
    lost = {json.loads(row["row"])["n"] for row in found["later__rejects"]}
    assert lost
    assert {row["n"] for row in found["later"]} == set(range(9)) - lost
    assert found["later__rejects"][0]["reasons"] == ["RuntimeError: nobody foresaw this"]
    assert (done.errors, done.rejects) == (1, {"readings": len(lost)})


def test_an_alert_that_cannot_look_at_rows_does_not_hold_them_up(tmp_path, home, log):
    write_lines(log, rows(3))
    alert = StreamAlert(
        name="odd",
        table="readings",
        condition="sensor::int > 3",
        at_least=1,
        distinct="",
        within=1,
        column="",
        send=("https://127.0.0.1:1/",),
        message="",
        quiet=0,
    )
    slot = write_slot(tmp_path / "1", [source(log)], alerts=(alert,))
    done = run_once(slot, home)
    assert read_spool(home) == {"readings": rows(3)}
    assert done.error.startswith("alert 'odd': ")


@pytest.mark.parametrize("private", [True, False])
def test_what_fails_on_a_sensitive_value_is_told_without_it(tmp_path, home, log, private):
    write_lines(log, [{"n": 1, "sensor": "hunter2canary", "value": 0}])
    step = sql_step("cast_", "select n, sensor, sensor::int::double as value from readings")
    tables = ("cast_",) if private else ()
    done = run_once(write_slot(tmp_path / "1", [source(log)], [step], private=tables), home)
    assert ("hunter2canary" in done.error) is not private
    assert ("'cast_' fails on a value that is not shown" in done.error) is private
