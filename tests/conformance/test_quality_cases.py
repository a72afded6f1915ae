"""Every case of `tests/cases/quality.yaml`, on the local engine."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.spec.contract import Tolerance, Verdict
from tests.unit.judge.judging import NotingSession, make_check, make_contract

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/quality.yaml").read_text())["cases"]
KINDS = {
    "not_null": "required",
    "range": "between",
    "accepted": "in",
    "regex": "matches",
    "fk": "references",
    "unique": "unique",
    "row_count": "rows",
    "freshness": "fresh",
    "finite": "finite",
    "mean": "mean",
    "sum": "sum",
}
SQL_TYPES = {"int": "integer", "text": "varchar"}


def read_case(case):
    """Return the check as a contract would state it."""
    ((word, value),) = case["check"].items()
    kind = KINDS[word]
    value = dict(value) if isinstance(value, dict) else {"col": value}
    column = value.pop("col", None)
    fail = Tolerance()
    if "max_fail_pct" in value:
        fail = Tolerance(share=value.pop("max_fail_pct") / 100)
    if kind == "unique" and not isinstance(column, str):
        columns = column or value.pop("cols")
        return make_check(kind, {"columns": columns, **value}, fail=fail)
    if kind == "references":
        value = "parents.id"
    if kind == "fresh":
        value = value["max_age"]
    return make_check(kind, value, [column], fail=fail)


def bind_rows(session, case):
    types = {name: SQL_TYPES.get(type_, type_) for name, type_ in case["cols"].items()}
    names = ", ".join(f'"{name}"' for name in types)
    casts = ", ".join(f'cast("{name}" as {type_}) as "{name}"' for name, type_ in types.items())
    given = pa.table(
        {name: [row[i] for row in case["rows"]] for i, name in enumerate(types)}
        if case["rows"]
        else {name: pa.nulls(0) for name in types}
    )
    session.bind("given", given)
    session.bind("orders", f"select {casts} from (select {names} from given)")
    session.bind("parents", pa.table({"id": case.get("parent", [])}))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case, tmp_path):
    check = read_case(case)
    with NotingSession(tmp_path) as session:
        bind_rows(session, case)
        schema = session.describe("select * from orders")
        now = datetime.fromisoformat(case["now"]) if "now" in case else None
        contract = make_contract(check)
        report = measure_table(session, "orders", contract, schema, context=Context(now))

    assert report.verdict == Verdict(case["verdict"])
    assert report.measurements[0].failing == case["failing"]
