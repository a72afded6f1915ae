"""The record of a run: whole, plain, free of secrets, readable without segue."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from segue.errors import StorageError, UnknownNameError
from segue.record.query import find_records, read_record, summarize_record
from segue.record.write import RunFacts, amend_record, build_record, write_record
from segue.spec.contract import Measurement, Report, Verdict
from segue.spec.output import DataFile, StagedTable
from segue.spec.run import Owner, RunStart, RunStatus, StepFailure, StepOutcome, StepStatus
from segue.spec.step import Mode
from segue.spec.types import parse_schema
from tests.unit.plan.samples import (
    make_function,
    make_history,
    make_project,
    make_step,
    plan_of,
)

RUN = "20261120-090000-aaaa"
SECRET = "hunter2-canary"


def staged(table, *files, keeps=()):
    schema = parse_schema('day: date, "total amount": decimal(18,2)')
    return StagedTable(table, schema, Mode.REPLACE, files, keeps, base=3)


def make_facts(**fields):
    steps = (make_step("orders", "raw"), make_function("daily", "orders", settings=(("n", 1),)))
    project = replace(make_project(*steps), secrets=("PASSWORD",), lock="abc")
    measured = Measurement(
        "orders", "amount in range", "between", ("amount",), Verdict.FAIL, 10, 2,
        "2 of 10 rows", value=float("nan"), sample=({"amount": float("inf")},), rejected=True,
    )  # fmt: skip
    orders = StepOutcome(
        "orders",
        StepStatus.DONE,
        reasons=("never ran",),
        fingerprint="f00",
        parts=(("query", "1"), ("library pandas", "3.1")),
        inputs={"raw": "raw-identity"},
        input_rows={"raw": 12},
        parameters={"n": "1"},
        staged=staged("orders", DataFile("b.parquet", 10, 500, "0b"),
                      keeps=(DataFile("a.parquet", 5, 300, "0a"),)),
        rejects=staged("orders__rejects", DataFile("r.parquet", 2, 50, "0c")),
        report=Report("orders", 10, (measured,)),
        attempts=1,
        seconds=0.25,
    )  # fmt: skip
    failure = StepFailure("step-failed", f"login {SECRET} failed", trace=f"raise {SECRET}")
    daily = StepOutcome("daily", StepStatus.FAILED, failure=failure)
    given = {
        "start": RunStart(RUN, "shop", "production", "segue run", "2026-11-20T09:00:00", ()),
        "owner": Owner("laptop", "boot", 42, 1.0, "ada"),
        "plan": plan_of(project, make_history()),
        "status": RunStatus.FAILED,
        "outcomes": (orders, daily),
        "seconds": 1.5,
        "numbers": {"orders": 4},
        "error": f"daily: login {SECRET} failed",
        "engine": {"name": "duckdb", "version": "2.0.0", "threads": 2},
        "environ": {"PASSWORD": SECRET},
    }
    return RunFacts(**given | fields)


def test_a_record_tells_what_went_in_what_ran_and_what_came_out():
    record = build_record(make_facts())
    step = record["steps"][0]
    assert step["inputs"] == [{"table": "raw", "identity": "raw-identity", "rows": 12}]
    assert step["rows"] == {"read": {"raw": 12}, "made": 10, "rejected": 2}
    assert step["output"]["version"] == 4
    assert step["output"]["rows"] == 15
    assert step["output"]["columns"] == {"day": "date", "total amount": "decimal(18,2)"}
    assert [file["new"] for file in step["output"]["files"]] == [False, True]
    assert step["parts"]["library pandas"] == "3.1"
    assert record["software"]["libraries"]["pandas"] == "3.1"
    assert {"segue", "duckdb", "pyarrow", "deltalake"} <= set(record["software"]["libraries"])
    assert record["software"]["engine"]["threads"] == 2
    assert record["plan"][0]["reasons"] == ["never ran"]
    assert {"start": "raw", "end": "orders", "how": "reads"} in record["lineage"]


def test_no_secret_stands_anywhere_in_a_record():
    text = json.dumps(build_record(make_facts()))
    assert SECRET not in text
    assert "login ${PASSWORD} failed" in text


def test_a_record_is_read_without_segue(tmp_path):
    path = write_record(tmp_path / "runs", build_record(make_facts()))
    strict = "import json, sys; json.load(open(sys.argv[1]), parse_constant=sys.exit)"
    subprocess.run([sys.executable, "-c", strict, str(path)], check=True)
    assert path.name == f"{RUN}.json"
    assert list(path.parent.iterdir()) == [path]


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path):
    record = build_record(make_facts())
    path = write_record(tmp_path, record)
    with pytest.raises(ValueError, match="serializ"):
        write_record(tmp_path, {**record, "bad": object()})
    assert json.loads(path.read_text()) == record
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_died_has_its_record_completed(tmp_path):
    write_record(tmp_path, build_record(make_facts(status=RunStatus.PUBLISHING)))
    amend_record(tmp_path, RUN, {"status": "done", "snapshot": 7})
    record = read_record(tmp_path, RUN)
    assert (record["status"], record["snapshot"], record["seconds"]) == ("done", 7, 1.5)
    assert amend_record(tmp_path, "20261120-000000-ffff", {"status": "lost"}) is None


def test_records_are_found_and_summed_up(tmp_path):
    record = build_record(make_facts())
    write_record(tmp_path, record)
    write_record(tmp_path, {**record, "run_id": "20261121-090000-bbbb"})
    assert find_records(tmp_path) == ("20261121-090000-bbbb", RUN)
    summary = summarize_record(read_record(tmp_path, RUN))
    assert summary.who == "ada@laptop"
    orders, daily = summary.steps
    assert (orders.rows_read, orders.rows_made, orders.rows_rejected) == (12, 10, 2)
    assert orders.verdicts == {"fail": 1}
    assert daily.reason == "login ${PASSWORD} failed"


def test_a_missing_or_damaged_record_is_a_clear_error(tmp_path):
    write_record(tmp_path, build_record(make_facts()))
    with pytest.raises(UnknownNameError, match=f"did you mean '{RUN}'"):
        read_record(tmp_path, "20261120-090000-aaab")
    (tmp_path / f"{RUN}.json").write_text("{")
    with pytest.raises(StorageError, match="is damaged"):
        read_record(tmp_path, RUN)
