"""A contract that is put together from another tool's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from segue.spec.sql import quote_identifier, quote_text


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What could not be carried over.

    Attributes:
        where: Place in the other tool's file, in its own words.
        what: What it says there, and why contracts do not.
    """

    where: str
    what: str


@dataclass(slots=True)
class TableDraft:
    """The contract of one table.

    Attributes:
        name: Name of the table.
        keys: What stands beside its columns and checks: owner, about, rows, ...
        columns: What is said of each column.
        unique: Keys of several columns.
        checks: The list of checks.
    """

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)
    unique: list[Any] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)

    def column(self, name: str) -> dict[str, Any]:
        """Return what is said of a column so far."""
        return self.columns.setdefault(name, {})

    def check_column(
        self,
        name: str,
        kind: str,
        value: Any = True,  # noqa: FBT002  # what contracts say in short
        options: dict[str, Any] | None = None,
    ) -> None:
        """Add a check of a column; a second one of a kind that takes one becomes a rule.

        Args:
            name: The column.
            kind: The check kind.
            value: What the contract says of it in short, or a mapping.
            options: Tolerances and the like, which need the long form.

        Raises:
            ValueError: A second check of the kind says something else, and no rule can say it.
        """
        said = self.column(name)
        long = lengthen(kind, value, options)
        if kind not in said or said[kind] == long:
            said[kind] = long
        elif kind == "unique":
            self.unique.append({"columns": [name], **(options or {})})
        else:
            self.add_rule(name, write_rule(name, kind, value), options)

    def add_rule(self, columns: str, rule: str, options: dict[str, Any] | None = None) -> None:
        """Add a rule over rows, named after the columns that it speaks of."""
        options = dict(options or {})
        name = options.pop("name", f"{columns}: {rule}")
        self.checks.append({"name": self._name(name), "rule": rule, **options})

    def add_check(self, name: str, **said: Any) -> None:
        """Add a check to the list."""
        self.checks.append({"name": self._name(name), **said})

    def _name(self, wanted: str) -> str:
        taken = {check["name"] for check in self.checks}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted} ({number})", number + 1
        return name

    def plain(self) -> dict[str, Any]:
        """Return it as a contract file holds it."""
        parts = {"columns": self.columns, "unique": self.unique, "checks": self.checks}
        return {**self.keys, **{key: value for key, value in parts.items() if value}}


@dataclass(slots=True)
class Draft:
    """Contracts of several tables.

    Attributes:
        tables: By name.
        unsaid: What could not be carried over.
    """

    tables: dict[str, TableDraft] = field(default_factory=dict)
    unsaid: list[Unsaid] = field(default_factory=list)

    def table(self, name: str) -> TableDraft:
        """Return the contract of a table so far."""
        return self.tables.setdefault(name, TableDraft(name))

    def refuse(self, where: str, what: str) -> None:
        """Note what could not be carried over."""
        self.unsaid.append(Unsaid(where, what))

    def plain(self) -> dict[str, Any]:
        """Return it as a contract file holds it."""
        return {name: table.plain() for name, table in self.tables.items()}


_LONG = {"in": "values", "matches": "pattern", "fresh": "within", "format": "format"}
"""Key of a kind's long form that its short form stands for."""


def lengthen(kind: str, value: Any, options: dict[str, Any] | None) -> Any:
    """Return a check in its long form if it has options.

    Example:
        >>> lengthen("between", [0, 1], {"fail": "5%"})
        {'min': 0, 'max': 1, 'fail': '5%'}
        >>> lengthen("required", True, {"fail": "5%"})
        {'fail': '5%'}
        >>> lengthen("in", ["a"], {"fail": "5%"})
        {'values': ['a'], 'fail': '5%'}
    """
    if not options:
        return value
    if value is True:
        return dict(options)
    if isinstance(value, dict):
        return {**value, **options}
    if kind not in _LONG:
        low, high = value
        value = {key: end for key, end in (("min", low), ("max", high)) if end is not None}
        return {**value, **options}
    return {_LONG[kind]: value, **options}


def write_rule(column: str, kind: str, value: Any) -> str:
    r"""Return a check of a column's values as a rule over rows.

    Raises:
        ValueError: No rule says the same.

    Example:
        >>> write_rule("x", "between", [0, None]), write_rule("x", "in", ["a", "b"])
        ('"x" >= 0', '"x" in (\'a\', \'b\')')
    """
    name = quote_identifier(column)
    if kind == "required":
        return f"{name} is not null"
    if kind == "between":
        low, high = value
        ends = ((">=", low), ("<=", high))
        return " and ".join(
            f"{name} {sign} {literal(end)}" for sign, end in ends if end is not None
        )
    if kind == "in":
        return f"{name} in ({', '.join(map(literal, value))})"
    if kind == "matches":
        return f"regexp_full_match({name}, {literal(value)})"
    raise ValueError(f"{column} has a second `{kind}`, and contracts take one")


def literal(value: Any) -> str:
    """Return a plain value as SQL.

    Example:
        >>> literal(True), literal(1.5), literal("it's")
        ('true', '1.5', "'it''s'")
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else quote_text(str(value))


def tolerate(share: float) -> str:
    """Return a share of failing rows as a tolerance.

    Example:
        >>> tolerate(0.05), tolerate(1 - 0.999)
        ('5%', '0.1%')
    """
    return f"{round(share * 100, 10):g}%"


def anywhere(pattern: str) -> str:
    """Return the pattern of texts in which another pattern is found somewhere.

    Example:
        >>> anywhere("[0-9]+")
        '(?s:.*)(?:[0-9]+)(?s:.*)'
    """
    return f"(?s:.*)(?:{pattern})(?s:.*)"
