"""A report as data and as sentences."""

import json

from segue.judge.measure import measure_table
from segue.judge.reports.lines import measurement_to_json, report_lines
from segue.spec.contract import Tolerance
from tests.unit.judge.judging import make_check, make_contract


def measure(session, *checks):
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", make_contract(*checks), schema)


def test_lines_name_counts_shares_and_rows(session):
    session.bind("orders", "select range - 3 as amount from range(1200)")
    checks = [
        make_check("between", [0, 100000], ["amount"]),
        make_check("required", True, ["amount"]),
        make_check("in", [1], ["amount"], fail=None, warn=Tolerance(share=0.5)),
    ]

    lines = report_lines(measure(session, *checks))

    assert lines[0] == "orders: 1 of 3 checks pass on 1,200 rows"
    assert lines[1] == (
        "orders: amount between fails: 3 of 1,200 rows, 0.25% break "
        "`amount between 0 and 100000` (fail at the first)"
    )
    assert lines[2].startswith("    such as amount=-")
    assert any("warns: 1,199 of 1,200 rows, over 99% break" in line for line in lines)


def test_one_line_where_all_is_well(session):
    session.bind("orders", "select 1 as amount where false")

    assert report_lines(measure(session, make_check("required", True, ["amount"]))) == [
        "orders: 1 check passes on 0 rows"
    ]
    assert report_lines(measure(session)) == []


def test_json_holds_every_value(session):
    session.bind(
        "orders",
        "select 'nan'::double as x, 1.10::decimal(9,2) as d, date '2024-01-31' as day, "
        "'\\x00'::blob as b, [1] as l, true as t",
    )

    (measured,) = measure(session, make_check("between", [0, None], ["x"])).measurements
    found = measurement_to_json(measured)

    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["verdict"] == "fail"
    assert found["sample"] == [
        {"x": "nan", "d": "1.10", "day": "2024-01-31", "b": "\\x00", "l": "[1]", "t": True}
    ]
