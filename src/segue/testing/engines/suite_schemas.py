"""Declared schemas: every worker casts results where nothing is lost, and refuses the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import segue
from segue.errors import OutputError
from segue.testing.engines.bench import EngineBench
from segue.testing.engines.compare import expect_table
from segue.testing.engines.notation import make_table
from segue.testing.engines.suite_errors import expect_error, expect_parts

if TYPE_CHECKING:
    from segue.testing.engines.user_code import UserCode

SAFE: dict[str, tuple[str, str, str, list[Any]]] = {
    "whole-float": ("[1.0, None]", "int64", "i64", [1, None]),
    "integer-to-float": ("[2**53, None]", "float64", "f64", [2**53, None]),
    "number-as-text": ("['7', None]", "int64", "i64", [7, None]),
    "number-to-text": ("[7, None]", "string", "str", ["7", None]),
    "float-to-decimal": ("[0.1, -12.25]", "decimal(18,2)", "decimal(18,2)", ["0.10", "-12.25"]),
    "items-of-lists": ("[[1.0, None], None]", "list<int8>", "list<i8>", [[1, None], None]),
    "fields-of-structs": ("[{'a': 1}]", "struct<a: string>", "struct<a: str>", [{"a": "1"}]),
}
"""Values, declared type, the same in the notation of cases, and what comes out."""

UNSAFE = {
    "fraction": ("[1.0, 1.5]", "int64", "float64"),
    "overflow": ("[1, 2**40]", "int32", "int64"),
    "too-big-for-float": ("[2**53 + 1]", "float64", "int64"),
    "negative-to-unsigned": ("[-1]", "uint8", "int64"),
    "no-number": ("['x']", "int64", "string"),
    "digits": ("[0.15]", "decimal(3,1)", "float64"),
    "time-of-day": ("[datetime.datetime(2020, 1, 1, 5)]", "date", "timestamp"),
    "zone": ("[datetime.datetime(2020, 1, 1)]", "timestamp(us, UTC)", "timestamp"),
    "item-of-list": ("[[1.5]]", "list<int64>", "list<float64>"),
    "field-of-struct": ("[[{'a': 1, 'b': 2}]]", "list<struct<a: int64>>", "b: int64"),
}
"""Values, the declared type that they don't fit, and a part of their own."""

PRODUCER = """
def produce(given: pyarrow.Table) -> pyarrow.Table:
    if given["k"][0].as_py() == 1:
        return pyarrow.table({{"x": pyarrow.nulls(1, pyarrow.null())}})
    return pyarrow.table({{"x": {values}}})
"""


class SchemaConformance(EngineBench):
    """What a declared schema promises."""

    @pytest.mark.parametrize("name", SAFE)
    def test_safe_result(self, name: str, on: Any, user: UserCode) -> None:
        """A result is cast to the declared type where nothing is lost."""
        values, declared, type_, expected = SAFE[name]
        module = user.write(PRODUCER.format(values=values), "datetime, pyarrow")
        data = make_table("k:i64", [[2], [2]])
        found = segue.transform(data, module.produce, by="k", schema=f"x: {declared}", on=on)
        expect_table(found, make_table(f"x:{type_}", [[value] for value in expected]))

    @pytest.mark.parametrize("name", UNSAFE)
    def test_unsafe_result(self, name: str, on: Any, user: UserCode) -> None:
        """A result of which a part would be lost fails with column, types, group and rows."""
        values, declared, own = UNSAFE[name]
        module = user.write(PRODUCER.format(values=values), "datetime, pyarrow")
        data = make_table("k:i64,v:str", [[1, "fine"], [2, "culprit"]])

        def call() -> Any:
            return segue.transform(data, module.produce, by="k", schema=f"x: {declared}", on=on)

        error = expect_error(OutputError, call)
        expect_parts(error.message, "produce", "column 'x'", declared, own)
        expect_parts(error.group, "k=2")
        expect_parts(error.sample, "culprit")

    def test_schema_of_annotation(self, on: Any, user: UserCode) -> None:
        """A class of rows in the annotation is the schema, and calls no sample for it."""
        module = user.write(
            """
            class Row(typing.TypedDict):
                k: int | None
                n: float
                when: datetime.date | None

            def count(given: list[dict]) -> list[Row]:
                return [{"k": given[0]["k"], "n": len(given), "when": None}]
            """,
            "typing, datetime",
        )
        data = make_table("k:i64", [[1], [None], [1]])
        expected = make_table("k:i64,n:f64,when:date", [[1, 2, None], [None, 1, None]])
        expect_table(segue.transform(data, module.count, by="k", on=on), expected)
        nothing = segue.transform(data.slice(0, 0), module.count, by="k", on=on)
        expect_table(nothing, expected.slice(0, 0))

    @pytest.mark.parametrize(
        ("schema", "columns"),
        [
            ("*-v", ("k",)),
            ("*+v:str", ("k", "v")),
            ("*~z,n:int", ("k", "v", "n")),
            ({"k": int, "v": "string"}, ("k", "v")),
            (pa.schema([("v", pa.string()), ("k", pa.int64())]), ("v", "k")),
        ],
        ids=["leave-out", "change", "add", "dict", "arrow"],
    )
    def test_schema_in_each_form(
        self, schema: Any, columns: tuple[str, ...], on: Any, user: UserCode
    ) -> None:
        """Expressions, dicts and Arrow's schemas tell columns, in their order."""
        module = user.write(
            f"""
            def pick(given: pyarrow.Table) -> pyarrow.Table:
                rows = given.append_column("n", pyarrow.array([7] * given.num_rows))
                return rows.select({list(columns)})
            """,
            "pyarrow",
        )
        data = make_table("k:i64,v:i64", [[1, 5], [2, None]])
        found = segue.transform(data, module.pick, schema=schema, on=on)
        text = "v" in columns and not (isinstance(schema, str) and "v:str" not in schema)
        types = {"k": "i64", "v": "str" if text else "i64", "n": "i64"}
        rows: list[dict[str, Any]] = [
            {"k": 1, "v": "5" if text else 5, "n": 7},
            {"k": 2, "v": None, "n": 7},
        ]
        listed = ",".join(f"{name}:{types[name]}" for name in columns)
        expect_table(found, make_table(listed, [[row[name] for name in columns] for row in rows]))
