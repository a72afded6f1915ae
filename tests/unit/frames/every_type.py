"""A table with a column of every type, canaries included."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from segue.frames.arrow_types import to_arrow
from segue.spec.types import parse_schema

BIG = 2**53 + 1
"""The first integer that a float can't hold."""

COLUMNS = {
    "int: int64": [1, 2, BIG],
    '"int or null": int64': [1, None, BIG],
    "int8: int8": [-128, None, 127],
    "uint64: uint64": [2**64 - 1, None, 0],
    "flag: bool": [True, False, True],
    '"flag or null": bool': [True, None, False],
    "float: float64": [0.5, 1.5, -0.0],
    '"float or null": float64': [0.5, None, float("inf")],
    '"NaN or null": float64': [float("nan"), None, 1.0],
    "float32: float32": [0.5, None, float("nan")],
    "text: string": ["", None, "ü"],
    '"größe x": string': ["a", "b", "c"],
    "Text: string": [None, None, "case counts"],
    "bytes: binary": [b"\xff", None, b""],
    "money: decimal(18,2)": [Decimal("1.20"), None, Decimal("9999999999999999.99")],
    "day: date": [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)],
    "clock: time": [dt.time(1, 2, 3, 4), None, dt.time(23, 59, 59, 999999)],
    "stamp: timestamp": [
        dt.datetime.fromisoformat("2020-01-01T03:04:05.678901"),
        None,
        dt.datetime.fromisoformat("9999-12-31T23:59:59.999999"),
    ],
    "nanos: timestamp(ns)": [1, None, -1],
    "rome: timestamp(us, Europe/Rome)": [1, None, 2**50],
    "offset: timestamp(ms, +01:00)": [1, None, 3],
    "span: duration(us)": [dt.timedelta(microseconds=1), None, dt.timedelta(days=-400)],
    "kind: categorical<string>": ["a", None, "b"],
    "ints: list<int64>": [[1, None, BIG], None, []],
    "pair: struct<a: int64, b: string>": [{"a": BIG, "b": None}, None, {"a": None, "b": "x"}],
    "prices: map<string, decimal(18,2)>": [[("x", Decimal("1.20"))], None, []],
    "deep: list<struct<a: list<int32>>>": [[{"a": [1]}, None], [], None],
    "nothing: null": [None, None, None],
}
SCHEMA = parse_schema(", ".join(COLUMNS))


def make_table() -> pa.Table:
    columns = zip(COLUMNS.values(), to_arrow(SCHEMA), strict=True)
    return pa.table([pa.array(v, f.type) for v, f in columns], to_arrow(SCHEMA))


def cells(table: pa.Table) -> dict[str, str]:
    """Return each column as text, in which NaN equals itself."""
    return {name: str(table[name].to_pylist()) for name in table.column_names}
