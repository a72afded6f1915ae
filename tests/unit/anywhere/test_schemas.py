import datetime as dt
import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType, NotRequired, TypedDict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import pytest
import typing_extensions

from segue.anywhere.schemas import read_schema
from segue.errors import UsageError
from segue.spec.types import parse_schema

INPUT = {"data": parse_schema("a: int64, b: string, amount: float64")}


def read(declared):
    return str(read_schema(declared, INPUT))


def refusal(declared):
    with pytest.raises(UsageError) as caught:
        read_schema(declared, INPUT)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", "a: int64, b: string, amount: float64"),
        ("*,x:int64", "a: int64, b: string, amount: float64, x: int64"),
        ("x:int,*", "x: int64, a: int64, b: string, amount: float64"),
        ("*-a", "b: string, amount: float64"),
        ("* - a - b", "amount: float64"),
        ("*-a-b", "amount: float64"),
        ("*-a,-b", "amount: float64"),
        ("*-a,b", "amount: float64"),
        ("*-a,b,x:int", "amount: float64, x: int64"),
        ("*-a,a:str", "b: string, amount: float64, a: string"),
        ("*~a~z", "b: string, amount: float64"),
        ("*+x:int64", "a: int64, b: string, amount: float64, x: int64"),
        ("*+a:str", "a: string, b: string, amount: float64"),
        ("*-b+a:float+c:bool", "a: float64, amount: float64, c: bool"),
        ("a:long,b:double,c:str,d:datetime", "a: int64, b: float64, c: string, d: timestamp"),
        ("a:date,b:bytes,c:short,d:byte", "a: date, b: binary, c: int16, d: int8"),
        ("a:[int],b:{x:int,y:[str]}", "a: list<int64>, b: struct<x: int64, y: list<string>>"),
        ("a:<str,[int]>", "a: map<string, list<int64>>"),
        ('`a b`:int,"c d":str,`e``f`:bool', '"a b": int64, "c d": string, "e`f": bool'),
        ('*-"b"', "a: int64, amount: float64"),
        ("t: timestamp(us, America/Port-au-Prince)", "t: timestamp(us, America/Port-au-Prince)"),
        ("t: timestamp(ms, +05:30)", "t: timestamp(ms, +05:30)"),
        ("t: timestamp(ns, Etc/GMT+5)", "t: timestamp(ns, Etc/GMT+5)"),
        ("d: decimal(18, 2)", "d: decimal(18,2)"),
    ],
)
def test_expressions(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("*,a:str", "column 'a' comes twice: write '*+a: string' to give it another type"),
        ("a:int,a:str", "column 'a' comes twice"),
        ("*,*", "column 'a' comes twice"),
        ("*-amuont", "there is no column 'amuont' to leave out: did you mean 'amount'?"),
        ("*-a-a", "there is no column 'a' to leave out: there are 'b', 'amount'"),
        ("*,x:in64", "unknown type 'in64': did you mean 'int64'?"),
        ("*,x", "expected ':', found the end"),
        ("a-b:int", "expected ':', found '-' in 'a-b:int'; a name that is no word is written"),
        ("-a", "expected a column name, found '-'"),
        ("a:[int", "expected ']', found the end"),
        ("a:int;", "unexpected ';'"),
        ("a:int b:int", "expected ',', found 'b'"),
    ],
)
def test_expressions_that_can_not_be_read(text, told):
    assert told in refusal(text)


class Colour(enum.StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: float
    y: float


class Row(TypedDict):
    k: str
    n: NotRequired[int | None]
    flag: bool
    at: dt.datetime
    day: dt.date
    price: Annotated[Decimal, "decimal(18,2)"]
    small: Annotated[int, pa.int8()]
    tags: list[str]
    pair: tuple[float, float]
    some: Mapping[str, int]
    where: Point
    colour: Colour
    kind: Literal["a", "b"]
    id: uuid.UUID


ROW = (
    "k: string, n: int64, flag: bool, at: timestamp, day: date, price: decimal(18,2), small: int8, "
    "tags: list<string>, pair: list<float64>, some: map<string, int64>, "
    "where: struct<x: float64, y: float64>, colour: string, kind: string, id: string"
)
ORDER = "id: int64, at: timestamp, lines: list<struct<x: float64, y: float64>>, amount: float64"
MODEL = (
    "id: int64, seen: timestamp(us, UTC), price: decimal(18,2), cost: decimal(9,0), "
    f"mail: string, order: struct<{ORDER}>"
)
Dollars = NewType("Dollars", float)


@dataclass
class Order:
    limit: ClassVar[int] = 3
    id: int
    at: "dt.datetime | None" = None
    lines: Sequence[Point] = field(default_factory=list)
    amount: Dollars = Dollars(0.0)


class Broken(TypedDict):
    a: "Missing"  # noqa: F821


class Model(pydantic.BaseModel):
    id: int = pydantic.Field(gt=0)
    seen: pydantic.AwareDatetime
    price: Annotated[Decimal, pydantic.Field(max_digits=18, decimal_places=2)]
    cost: pydantic.condecimal(max_digits=9) | None
    mail: str | None = None
    order: Order


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (pa.schema([("a", pa.int8()), ("b c", pa.large_string())]), 'a: int8, "b c": string'),
        (parse_schema("a: int8"), "a: int8"),
        (Row, ROW),
        (
            Order,
            ORDER,
        ),
        (
            Model,
            MODEL,
        ),
        (Point, "x: float64, y: float64"),
        (typing_extensions.TypedDict("T", {"a": int}), "a: int64"),
        (
            pl.Schema({"a": pl.Datetime("ms", "UTC"), "b": pl.Enum(["x"])}),
            "a: timestamp(ms, UTC), b: categorical<string>",
        ),
        ({"a": int, "b": "decimal(9,2)", "c": pa.int8()}, "a: int64, b: decimal(9,2), c: int8"),
        ({"a": np.int32, "b": np.dtype("M8[ns]")}, "a: int32, b: timestamp(ns)"),
        ({"a": pd.Int8Dtype(), "b": pd.StringDtype()}, "a: int8, b: string"),
        ({"a": pd.DatetimeTZDtype("ms", "UTC")}, "a: timestamp(ms, UTC)"),
        (
            {"a": pd.ArrowDtype(pa.list_(pa.int8())), "b": pd.Timestamp},
            "a: list<int8>, b: timestamp",
        ),
        (
            {"a": pl.Int8, "b": pl.List(pl.Struct({"x": pl.Time}))},
            "a: int8, b: list<struct<x: time>>",
        ),
        ({"a": int | float, "b": int | None}, "a: float64, b: int64"),
    ],
    ids=str,
)
def test_declarations(declared, expected):
    assert read(declared) == expected


def test_types_of_pandas_own_columns_are_a_schema():
    frame = pd.DataFrame({"a": [1], "b": ["x"]}).astype({"b": "string"})
    assert read(frame.dtypes.to_dict()) == "a: int64, b: string"


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"a": int | str}, "column 'a': int | str tells 2 types, not one"),
        ({"a": Any}, "column 'a': typing.Any tells no column type"),
        ({"a": Decimal}, "column 'a': Decimal tells no column type: write Annotated[Decimal"),
        ({"a": object}, "column 'a': object tells no column type"),
        ({"a": np.dtype("O")}, "column 'a': pandas' type object tells no column type"),
        ({"a": "strnig"}, "column 'a': unknown type 'strnig': did you mean 'string'?"),
        ({"a": pl.Object}, "column 'a': polars' type Object can't be stored"),
        ({"a": pd.PeriodDtype("M")}, "column 'a': pandas' periods can't be stored"),
        ({1: int}, "column names are text, 1 is of type int"),
        ({"a": list}, "column 'a': list tells no column type"),
        (Broken, "Broken can't be read: Broken: name 'Missing' is not defined"),
        (5, "schema is of type int, which tells no columns"),
        ([("a", int)], "schema is of type list, which tells no columns"),
    ],
    ids=str,
)
def test_declarations_that_can_not_be_read(declared, told):
    assert told in refusal(declared)
