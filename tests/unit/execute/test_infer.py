"""Columns of results, found on a sample, before anything is sent to workers."""

from dataclasses import replace

import pyarrow as pa
import pytest

from segue.errors import OutputError, StepError
from segue.execute.infer import infer_result
from tests.unit.execute.test_work import BY_K, make_work

NUMBERS = pa.table({"k": [float(n // 100) for n in range(3_000)], "v": range(3_000)})


@pytest.fixture
def session(world):
    with world.open() as opened:
        opened.bind("t", NUMBERS)
        opened.bind("none", NUMBERS.slice(0, 0))
        yield opened


def infer(session, function, name="t", layout=BY_K):
    work = make_work(function, NUMBERS, layout=layout, result=None)
    return infer_result(session, [name], work)


def test_few_groups_tell_and_the_function_is_called_on_no_more(session):
    calls = []

    def function(table):
        calls.append(table["k"][0].as_py())
        return table.append_column("x", pa.array(["a"] * len(table)))

    assert str(infer(session, function)) == "k: float64, v: int64, x: string"
    assert calls == [0, 1, 2, 3, 4]


def test_more_groups_are_tried_where_few_do_not_tell(session):
    def function(table):
        return [{"x": 1 if table["k"][0].as_py() > 6 else None}]

    assert str(infer(session, function)) == "x: int64"


def test_a_function_that_needs_whole_groups_gets_some(session):
    session.bind("t", pa.table({"k": [float(n % 30) for n in range(3_000)], "v": range(3_000)}))

    def function(table):
        if table.num_rows < 100:
            raise ValueError("too few")
        return table

    assert str(infer(session, function)) == "k: float64, v: int64"


def test_what_fails_is_told_before_anything_is_sent(session):
    def function(table):
        raise ValueError("never")

    with pytest.raises(StepError, match="raised ValueError: never") as raised:
        infer(session, function)
    assert raised.value.group == "k=0.0"


@pytest.mark.parametrize(
    ("function", "name", "message"),
    [
        (lambda table: [{"x": None}], "t", "a sample of its result has only nulls in 'x'"),
        (lambda table: [{"x": []}], "t", "a sample of its result has only nulls in 'x'"),
        (lambda table: None, "t", "it returned nothing to tell columns by"),
        (lambda table: table, "none", "there are no rows to try it on"),
    ],
)
def test_nothing_is_guessed(session, function, name, message):
    with pytest.raises(OutputError, match=message) as raised:
        infer(session, function, name)
    assert "schema=" in raised.value.hint


def test_without_keys_no_rows_tell_as_well(session):
    layout = replace(BY_K, by=())
    assert str(infer(session, lambda table: table, "none", layout)) == "k: float64, v: int64"
