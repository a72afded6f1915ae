"""The cases of `tests/cases/functions.yaml`, with functions of pandas frames."""

import datetime as dt
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from segue.errors import OutputError
from segue.frames.arrow_types import conform, to_arrow
from segue.spec.types import Column, TableSchema, parse_type

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/functions.yaml").read_text())["cases"]
SHORT = {"i32": "int32", "i64": "int64", "f64": "float64", "str": "string", "ts": "timestamp"}
SHORT |= {"bytes": "binary"}

# each as the body of a function of `df`; cogroups get `df` and `other`
FUNCTIONS = {
    "identity": "return df",
    "first_row": "return df.head(1)",
    "count_rows": "return df[['k']].head(1).assign(n=len(df))",
    "emit_nothing": "return df.head(0).assign(c=None)",
    "keep_if_key_is_1": "return df if df['k'].iloc[0] == 1 else df.head(0)",
    "make_struct": "return df[['k']].head(1).assign(s=[{'a': 1}])",
    "reverse_columns": "return df[df.columns[::-1]]",
    "half_missing_int": "return df.assign(m=pd.Series([1, float('nan')] * len(df))[:len(df)])",
    "concat_bytes": "return df.assign(b=df['b'].map(lambda b: b + b'x'))",
    "sizes": """both = pd.concat([df[['k']], other[['k']]])
            return both.head(1).assign(v=f'{len(df)}/{len(other)}')""",
}


def spell(text):
    return re.sub(r"(?<=[:<])\w+", lambda word: SHORT.get(word[0], word[0]), text)


def split(text):
    depth, parts = 0, [""]
    for letter in text:
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def read_schema(text):
    pairs = [part.split(":", 1) for part in split(spell(text))]
    return TableSchema(tuple(Column(name, parse_type(type_)) for name, type_ in pairs))


def read_value(value, kind):
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("hex:"):
        return bytes.fromhex(value.removeprefix("hex:"))
    readers = {"date": dt.date.fromisoformat, "timestamp": dt.datetime.fromisoformat}
    return readers.get(kind, lambda same: same)(value)


def make_table(text, rows):
    schema = read_schema(text)
    arrays = [
        pa.array([read_value(row[position], column.type.kind) for row in rows], type_)
        for position, (column, type_) in enumerate(zip(schema, to_arrow(schema).types, strict=True))
    ]
    return conform(pa.table(arrays, names=list(schema.names)), schema)


def write_step(case):
    expression = case.get("schema", "*")
    if case["op"] == "cast":
        source = read_schema(case["in"][0][0])
        name, type_ = case["to"].split(":")
        expression = ", ".join(f"{c.name}:{type_ if c.name == name else c.type}" for c in source)
    options = {"schema": spell(expression).replace(":", ": ")}
    options |= {"by": case["by"]} if "by" in case else {}
    options |= {"how": case["how"]} if "how" in case else {}
    if order := case.get("order"):
        name, _, way = order.partition(" ")
        options["sort"] = f"-{name}" if way == "desc" else name
    written = ", ".join(f"{name}={value!r}" for name, value in options.items())
    inputs = ["df", "other"][: len(case["in"])]
    body = FUNCTIONS[case.get("fn", "identity")]
    return f"""
        @step({written})
        def made({", ".join(f"{name}: pd.DataFrame" for name in inputs)}) -> pd.DataFrame:
            {body}
        """


def count(table):
    return Counter(map(str, table.to_pylist()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(world, case):
    tables = [make_table(*each) for each in case["in"]]
    world.add(**dict(zip(["df", "other"], tables, strict=False)))
    if case.get("error"):
        with pytest.raises(OutputError, match=r"column '.*'"):
            world.call(write_step(case))
        return
    made, expected = world.call(write_step(case)), make_table(*case["out"])
    assert made.schema == expected.schema
    assert count(made) == count(expected)
