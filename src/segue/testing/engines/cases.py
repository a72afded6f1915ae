"""The cases: small inputs, an operation, and the exact rows and types that must come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from segue.testing.engines.notation import make_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

FOLDER = Path(__file__).parent
_ALIASES: dict[Any, str] = {
    "presort": "order",
    "sort": "order",
    "keys": "by",
    "on": "by",
    True: "by",  # what YAML takes `on` for
    "sql": "q",
}


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: What it is called; engines' gaps name it.
        op: Operation: ``join``, ``group``, ``sql``, ...
        inputs: Schema and rows of each input, in compact notation.
        out: Schema and rows of what must come out; None where an error must.
        options: Everything else that it says: ``how``, ``by``, ``fn``, ``schema``, ...
        ordered: Whether the order of rows counts.
        why: What it is there for.
    """

    name: str
    op: str
    inputs: tuple[tuple[str, Sequence[Any]], ...]
    out: tuple[str, Sequence[Any]] | None
    options: Mapping[str, Any] = field(default_factory=dict)
    ordered: bool = False
    why: str = ""

    @property
    def tables(self) -> list[pa.Table]:
        """The inputs as tables."""
        return [make_table(schema, rows) for schema, rows in self.inputs]

    @property
    def expected(self) -> pa.Table:
        """What must come out, as a table."""
        if self.out is None:
            raise ValueError(f"{self.name} must fail, so nothing comes out")
        return make_table(*self.out)

    def names(self, option: str) -> tuple[str, ...] | None:
        """Return an option that lists columns, None if it is not there."""
        value = self.options.get(option)
        return (value,) if isinstance(value, str) else None if value is None else tuple(value)


def read_cases(path: Path | None = None) -> list[Case]:
    """Return the cases of a file; those that segue ships, without one.

    Args:
        path: YAML with a list called ``cases``.

    Raises:
        ValueError: A case can't be read; the message names it.

    Example:
        >>> {case.op for case in read_cases()} >= {"join", "group", "cast", "sql"}
        True
    """
    paths = [FOLDER / "cases.yaml", FOLDER / "more.yaml"] if path is None else [path]
    return [
        _read_case(found)
        for each in paths
        for found in yaml.safe_load(each.read_text(encoding="utf-8"))["cases"]
    ]


def _read_case(found: Mapping[str, Any]) -> Case:
    options = dict(found)
    name, op = options.pop("id"), options.pop("op")
    inputs = tuple((schema, rows or ()) for schema, rows in options.pop("in"))
    out = options.pop("out", None)
    fails = options.pop("error", False)
    if (out is None) != bool(fails):
        raise ValueError(f"case {name!r} says what comes out, or that it fails: one of both")
    ordered, why = bool(options.pop("ordered", False)), options.pop("why", "")
    options |= options.pop("args", None) or {}
    # an unquoted comma in `why` makes YAML see keys without values
    options = {_ALIASES.get(k, k): value for k, value in options.items() if value is not None}
    return Case(name, op, inputs, out and (out[0], out[1] or ()), options, ordered, why)
