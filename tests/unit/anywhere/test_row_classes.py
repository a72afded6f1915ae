"""Classes of rows in annotations: they are frames, and declare schemas."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import pyarrow as pa
import pydantic
import pytest

import segue
from segue.errors import OutputError, UsageError
from segue.testing.engines.project import run_steps

DATA = pa.table({"k": ["a", "b", "a"], "n": pa.array([1, None, 2**53 + 1], pa.int64())})
EXPECTED = pa.schema([("k", pa.string()), ("n", pa.float64()), ("at", pa.timestamp("us"))])


class Row(TypedDict):
    k: str
    n: float
    at: dt.datetime | None


@dataclass
class Record:
    k: str
    n: float
    at: dt.datetime | None = None


class Model(pydantic.BaseModel):
    k: str
    n: float
    at: dt.datetime | None = None


class Pair(NamedTuple):
    k: str
    n: float
    at: dt.datetime | None = None


def give_dicts(given: list[Row]) -> list[Row]:
    return [{"k": row["k"], "n": 1, "at": None} for row in given]


def give_records(given: list[dict]) -> list[Record]:
    return [Record(row["k"], 1) for row in given]


def give_models(given: list[dict]) -> "list[Model]":
    return [Model(k=row["k"], n=1) for row in given]


def give_pairs(given: Iterator[list[dict]]) -> Iterator[list[Pair]]:
    for rows in given:
        yield [Pair(row["k"], 1) for row in rows]


@pytest.mark.parametrize("fn", [give_dicts, give_records, give_models, give_pairs])
def test_a_class_of_rows_declares_the_schema(fn):
    found = segue.transform(DATA, fn)
    assert found.schema == EXPECTED
    assert found["n"].to_pylist() == [1.0, 1.0, 1.0]
    assert segue.transform(DATA.slice(0, 0), fn).schema == EXPECTED


def test_a_schema_that_is_stated_comes_before_the_annotation():
    found = segue.transform(DATA, give_dicts, schema="k: str, n: int8, at: date")
    assert found.schema.types == [pa.string(), pa.int8(), pa.date32()]


def test_rows_that_break_the_class_fail_with_column_types_and_rows():
    def wrong(given: list[dict]) -> list[Row]:
        return [{"k": "x", "n": "many", "at": None}]

    with pytest.raises(OutputError) as caught:
        segue.transform(DATA, wrong, by="k")
    error = caught.value
    assert "column 'n' is string and can't be float64: row 1 holds 'many'" in error.message
    assert error.group == "k=a"
    assert "9007199254740993" in error.sample


def test_instances_are_not_made_for_parameters():
    def count(given: list[Record]) -> list[dict]:
        return []

    with pytest.raises(UsageError, match=r"asks for 'given' as list\[.*Record\]"):
        segue.transform(DATA, count)


def test_lists_of_instances_are_data():
    found = segue.transform([Record("a", 1.5), Record("b", 2)], lambda rows: rows, returns="arrow")
    assert found.to_pylist() == [{"k": "a", "n": 1.5, "at": None}, {"k": "b", "n": 2.0, "at": None}]


STEPS = """
from dataclasses import dataclass
from typing import TypedDict

import pyarrow as pa

from segue import step


class Row(TypedDict):
    k: str
    n: float


@dataclass
class Total:
    k: str
    total: float


@step
def rows(given: pa.Table) -> list[Row]:
    return [{"k": "x", "n": 1}]


@step(by="k", schema=Total)
def totals(given: list[Row]) -> list[dict]:
    return [{"k": given[0]["k"], "total": sum(row["n"] or 0 for row in given)}]


@step(schema={"k": str, "n": "int8"})
def small(given: pa.Table) -> pa.Table:
    return given.slice(0, 1)
"""


def test_steps_declare_schemas_in_every_form(tmp_path):
    sources = {"given": DATA.slice(0, 2)}
    for name in ("rows", "totals", "small"):
        folder = tmp_path / name
        steps = {f"{name}.py": STEPS}
        found = run_steps(folder, {"engine": "duckdb"}, sources, steps)[name]
        expected = {"rows": pa.float64(), "totals": pa.float64(), "small": pa.int8()}[name]
        assert found.schema.types == [pa.string(), expected]
