"""Cases done for real: as a query, as a function, as a step of a project."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

import segue
from segue.spec.types import Column, TableSchema
from segue.testing.engines.functions import make_function
from segue.testing.engines.notation import read_schema, spell_schema
from segue.testing.engines.project import run_steps
from segue.testing.engines.queries import OPERATIONS, name_inputs, read_how, read_order, write_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.testing.engines.cases import Case

_OPTIONS = ("by", "fn", "how", "order", "schema", "skip", "ignore_errors")
FUNCTIONAL = ("group", "batch", "cogroup", "cast", "roundtrip")
"""Operations that are functions, not queries."""


def perform_case(case: Case, on: Any) -> pa.Table:
    """Do what a case says on an engine, and return what comes out.

    Args:
        case: Any case.
        on: Where, as `segue.transform` and `segue.query` take it.

    Raises:
        SegueError: It can't be done.
        ValueError: Nobody knows the operation, or one of its options.
    """
    if case.op in OPERATIONS:
        named = dict(zip(name_inputs(case), case.tables, strict=True))
        return segue.query(write_query(case), **named, on=on)
    if case.op not in FUNCTIONAL:
        raise ValueError(f"case {case.name!r}: there is no operation {case.op!r}")
    tables = case.tables
    data = tuple(tables) if len(tables) > 1 else tables[0]
    return segue.transform(data, make_function(case), **read_arguments(case), on=on)


def read_arguments(case: Case) -> dict[str, Any]:
    """Return the arguments of `segue.transform` that a case asks for.

    Example:
        >>> from segue.testing.engines.cases import Case
        >>> options = {"by": ["k"], "order": "v desc", "schema": "*,n:i64"}
        >>> read_arguments(Case("some", "group", (("k:i64,v:i64", []),), None, options))
        {'by': ['k'], 'sort': ['-v'], 'schema': '*, n: int64'}
    """
    if case.op == "cast":
        return {"schema": _write_cast(case)}
    if case.op == "roundtrip":
        return {"schema": "*"}
    unknown = set(case.options) - set(_OPTIONS)
    if unknown:
        raise ValueError(f"case {case.name!r}: {case.op} has no option {sorted(unknown)}")
    found: dict[str, Any] = {}
    by = case.names("by") or (_find_shared(case) if case.op == "cogroup" else ())
    if by:
        found["by"] = list(by)
    if "order" in case.options:
        found["sort"] = [_write_term(*term) for term in read_order(case.options["order"])]
    if "how" in case.options:
        found["how"] = read_how(case.options["how"])
    if "schema" in case.options:
        found["schema"] = spell_schema(case.options["schema"])
    skipped = case.names("skip") or case.names("ignore_errors")
    if skipped:
        found["skip"] = tuple(getattr(builtins, name) for name in skipped)
        found["on_skip"] = str  # instead of a warning
    return found


def _write_term(name: str, way: str, nulls: str) -> str:
    if nulls == "first":
        raise ValueError("nulls are last where a function is given sorted rows")
    return f"-{name}" if way == "desc" else name


def _find_shared(case: Case) -> Sequence[str]:
    """Return the columns that all inputs have: the keys, where a case names none."""
    if "how" in case.options and read_how(case.options["how"]) == "cross":
        return ()
    first, *others = (read_schema(text) for text, _ in case.inputs)
    return [name for name in first.names if all(other.find(name) for other in others)]


def _write_cast(case: Case) -> str:
    """Return the input's columns with the types to which they are to be cast."""
    source, target = read_schema(case.inputs[0][0]), read_schema(case.options["to"])
    found = {column.name: column.type for column in target}
    columns = tuple(Column(each.name, found.pop(each.name, each.type)) for each in source)
    return str(TableSchema((*columns, *(Column(name, type_) for name, type_ in found.items()))))


def perform_steps(case: Case, place: Mapping[str, Any], folder: Path) -> dict[str, pa.Table]:
    """Send a case's input through a project's steps, and read what was published.

    Args:
        case: A round trip.
        place: Keys of the place, such as ``engine`` and ``address``.
        folder: Empty folder for the project.

    Returns:
        What each of the steps published: one is a function, one a SELECT.
    """
    steps = {
        "through_python.py": (
            "import pandas as pd\n\nfrom segue import step\n\n\n"
            '@step(schema="*")\n'
            "def through_python(given: pd.DataFrame) -> pd.DataFrame:\n    return given\n"
        ),
        "through_sql.sql": "select * from given\n",
    }
    return run_steps(folder, place, {"given": case.tables[0]}, steps)
