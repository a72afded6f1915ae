"""What `segue show TABLE` says of a contract."""

import re

import pytest

from segue.cli.subject import describe_subject, render_subject
from tests.unit.cli.golden import show

CONTRACT = """
orders:
  columns:
    id: {unique: true}
    amount: {between: [0, 5000]}
    late: {between: [~, 9]}
    status: {in: [new, paid]}
    code: {matches: {pattern: '[A-Z]+', warn: 2%}}
  unique: [[id, code]]
  rows: {min: 1}
  checks:
    - {name: paid late, rule: late > 0, where: "status = 'paid'"}
"""


@pytest.fixture
def lines(make_project):
    step = "select 1 as id, 2 as amount, 3 as late, 'new' as status, 'A' as code"
    built = make_project({"steps/orders.sql": step, "contracts.yml": CONTRACT})
    info = next(each for each in built.project.tables() if each.name == "orders")
    text = show(*render_subject(describe_subject(built.project, info)), width=100)
    return [re.sub(" {2,}", " | ", line) for line in text.splitlines()]


def test_arguments_are_written_as_in_the_contract(lines):
    assert "amount between | between 0 and 5000" in lines
    assert "late between | at most 9" in lines
    assert "status in | new, paid" in lines
    assert "code matches | [A-Z]+ | warns above 2%" in lines
    assert "id, code unique" in lines
    assert "rows | at least 1" in lines
    assert "paid late | late > 0 where status = 'paid'" in lines
