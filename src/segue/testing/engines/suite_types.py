"""Every type and every name, through functions, queries and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import segue
from segue.errors import SegueError
from segue.spec.sql import quote_identifier
from segue.testing.engines.bench import EngineBench
from segue.testing.engines.compare import expect_table
from segue.testing.engines.notation import make_table
from segue.testing.engines.suite_frames import BIG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.testing.engines.user_code import UserCode

NAN, INF = float("nan"), float("inf")
TYPES: dict[str, dict[str, list[Any]]] = {
    "integers": {
        "i8": [-128, 127],
        "i16": [-(2**15), 2**15 - 1],
        "i32": [-(2**31), 2**31 - 1],
        "i64": [BIG, -(2**63), 2**63 - 1],
    },
    "unsigned": {"u8": [255], "u16": [2**16 - 1], "u32": [2**32 - 1], "u64": [2**64 - 1, BIG]},
    "bools": {"bool": [True, False]},
    "floats": {"f32": [NAN, 0.5, -INF], "f64": [NAN, INF, 5e-324, -1.7976931348623157e308]},
    "texts": {"str": ["", " ", "ü\n", "𝄞", "null"]},
    "bytes": {"bytes": ["hex:", "hex:00ff"]},
    "dates": {"date": ["0001-01-01", "1969-12-31", "9999-12-31"]},
    "times": {"time": ["00:00:00", "23:59:59.999999"]},
    "timestamps": {
        "ts": ["1969-12-31T23:59:59.999999", "2020-03-29T02:30:00", "0001-01-01T00:00:00"],
        "ts(s)": ["1969-12-31T23:59:59"],
        "ts(ms)": ["1969-12-31T23:59:59.999"],
    },
    "nanoseconds": {"ts(ns)": ["1969-12-31T23:59:59.999999", "2020-01-01T00:00:00.000001"]},
    "zones": {
        "ts(us, UTC)": ["1969-12-31T23:59:59.999999", "2020-03-29T02:30:00"],
        "ts(us, Europe/Rome)": ["2020-10-25T00:30:00", "2020-10-25T01:30:00"],
    },
    "nanosecond-zones": {"ts(ns, America/New_York)": ["2020-03-29T02:30:00.000001"]},
    "durations": {"duration": [-0.000001, 86400 * 400], "duration(ms)": [-1, 1.5]},
    "decimals": {
        "decimal(18,2)": ["-0.01", "9999999999999999.99"],
        "decimal(38,0)": ["99999999999999999999999999999999999999"],
    },
    "categoricals": {"categorical<str>": ["b", "a", ""]},
}
"""Types that can be keys, and values of them."""

IN_SQL = {
    "ts(s)": "ts",
    "ts(ms)": "ts",
    "ts(us, Europe/Rome)": "ts(us, UTC)",
    "duration(ms)": "duration",
    "categorical<str>": "str",
}
"""Types that SQL has in another form; all others stay what they are."""

REFUSED = ("nanosecond-zones",)
"""Types that SQL has not."""

NESTED: dict[str, dict[str, list[Any]]] = {
    "lists": {
        "list<i64>": [[BIG, None], []],
        "list<str>": [["", None], []],
        "list<decimal(18,2)>": [["0.10"]],
        "list<ts>": [["1969-12-31T23:59:59.999999"]],
        "list<list<f64>>": [[[NAN, None], [], None]],
    },
    "structs": {
        "struct<a:i64,b:str>": [[BIG, None], [None, ""]],
        "struct<`a b`:struct<c:date>>": [[["1969-12-31"]], [None]],
    },
    "maps": {
        "map<str,i64>": [{"a": BIG, "b": None}, {}],
        "map<i64,list<str>>": [{1: ["x", None], 2: None}],
    },
    "deep": {"list<struct<m:map<str,bytes>>>": [[[{"x": "hex:00"}], None]]},
}
"""Types that hold others."""

NAMES = {
    "blank": "a b",
    "dot": "a.b",
    "quote": 'a "b"',
    "backtick": "a`b",
    "apostrophe": "it's",
    "unicode": "größe 𝄞",
    "comma": "a,b:c",
    "keyword": "select",
    "percent": "50%s {x}",
    "digit": "1st",
    "newline": "a\nb",
    "backslash": "a\\b",
}
"""Names of columns that something on the way may trip over."""


def make_typed(types: Mapping[str, list[Any]], spelled: Mapping[str, str]) -> pa.Table:
    """Return a table with a key and a column of each type: its values, and null.

    Args:
        types: Types and their values.
        spelled: Types to use instead.
    """
    rows = max(map(len, types.values())) + 1
    table = make_table("k:i64", [[number % 2] for number in range(rows)])
    for number, (type_, values) in enumerate(types.items()):
        cells = [[value] for value in values] + [[None]] * (rows - len(values))
        column = make_table(f"v:{spelled.get(type_, type_)}", cells)["v"]
        table = table.append_column(f"v{number}", column)
    return table


class TypeConformance(EngineBench):
    """Types and names."""

    @pytest.mark.parametrize("types", [*TYPES, *NESTED])
    def test_types_in_pandas(self, types: str, on: Any, user: UserCode) -> None:
        """Types survive a pandas function, by group."""
        table = make_typed({**TYPES, **NESTED}[types], {})
        through = user.write_identity("pandas.DataFrame").through
        expect_table(segue.transform(table, through, by="k", schema="*", on=on), table)

    @pytest.mark.parametrize("types", [*TYPES, *NESTED])
    def test_types_in_sql(self, types: str, on: Any) -> None:
        """Types survive a query that joins, filters and sorts, or have their form in SQL."""
        found = {**TYPES, **NESTED}[types]
        table, expected = make_typed(found, {}), make_typed(found, IN_SQL)
        joined = "select t.* from t join (select distinct k from t) as keys using (k)"
        for query in ("select * from t", f"{joined} where k is not null order by k"):
            if types in REFUSED:
                with pytest.raises(SegueError):
                    segue.query(query, t=table, on=on)
            else:
                expect_table(segue.query(query, t=table, on=on), expected)

    @pytest.mark.parametrize("types", TYPES)
    def test_types_of_keys(self, types: str, on: Any, user: UserCode) -> None:
        """Rows with equal keys come together, null among them."""
        module = user.write(
            """
            def count(given: pyarrow.Table) -> pyarrow.Table:
                return given.slice(0, 1).append_column("n", [[given.num_rows]])
            """,
            "pyarrow",
        )
        table = make_typed(TYPES[types], {}).drop_columns("k")
        again = pa.concat_tables([table, table, table.slice(0, 1)])
        counts = pa.array([3, *[2] * (table.num_rows - 1)], pa.int64())
        found = segue.transform(
            again, module.count, by=table.column_names, schema="*, n:int64", on=on
        )
        expect_table(found, table.append_column("n", counts))

    @pytest.mark.parametrize("name", NAMES)
    def test_odd_name(self, name: str, on: Any, user: UserCode) -> None:
        """A name survives as it is, as a key and in a query."""
        odd, through = NAMES[name], user.write_identity("pandas.DataFrame").through
        table = make_table("k:i64,v:str", [[1, "x"], [None, None]]).rename_columns([odd, "v"])
        found = segue.transform(table, through, by=odd, sort=[f"-{odd}"], schema="*", on=on)
        expect_table(found, table)
        quoted = quote_identifier(odd)
        query = f"select {quoted}, v, {quoted} as {quote_identifier(odd + ' 2')} from t"
        twice = table.append_column(f"{odd} 2", table[odd])
        expect_table(segue.query(query, t=table, on=on), twice)

    def test_negative_zero(self, on: Any, user: UserCode) -> None:
        """A zero keeps its sign as a value, and has none as a key."""
        module = user.write(
            """
            def count(given: pandas.DataFrame) -> pandas.DataFrame:
                return pandas.DataFrame({"n": [len(given)]})
            """
        )
        table = make_table("a:f64,b:f64", [[0.0, -0.0], [-0.0, 0.0]])
        through = user.write_identity("pandas.DataFrame").through
        expect_table(segue.transform(table, through, schema="*", on=on), table)
        found = segue.transform(table, module.count, by="a", schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[2]]))
        found = segue.query("select count(*) as n from t group by a", t=table, on=on)
        expect_table(found, make_table("n:i64", [[2]]))

    def test_no_columns(self, on: Any, user: UserCode) -> None:
        """A table without columns is given to a function as it is."""
        module = user.write(
            """
            def count(given: pandas.DataFrame) -> pandas.DataFrame:
                return pandas.DataFrame({"n": [len(given.columns)]})
            """
        )
        found = segue.transform(pa.table({}), module.count, schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[0]]))
