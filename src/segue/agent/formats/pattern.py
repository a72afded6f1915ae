"""Lines by a pattern: named groups of a regular expression, or grok's ``%{NAME:column}``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.grok import PatternError, expand_pattern
from segue.agent.formats.reading import TEXTS, check_options, take_reading
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.agent.formats.grok import Expanded
    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class PatternFormat:
    """A line must match a pattern as a whole; the first of several that does decides.

    Patterns are RE2's: time grows with the line's length and never faster, and what RE2 can't
    do (looking around, back references) is refused where the project is declared.
    """

    required: tuple[str, ...] = ("pattern",)
    optional: Mapping[str, Any] = {**TEXTS, "nulls": [""], "patterns": {}}

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        problems = check_options(options, self.required, self.optional, schema)
        if problems:
            return problems
        try:
            expanded = _expand(options)
        except PatternError as error:
            return [f"pattern: {error}"]
        return [*_check_syntax(expanded), *_check_groups(expanded, schema)]

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.pattern_split import PatternSplit
            from segue.agent.formats.rows import TextRows

            options = {**self.optional, **source.format_options}
            split = PatternSplit(source.schema.names, _expand(options))
            return TextRows(source.schema, take_reading(options), split)

        return defer(self, source, build)


def _expand(options: Mapping[str, Any]) -> list[Expanded]:
    stated = options["pattern"]
    patterns = [stated] if isinstance(stated, str) else stated
    if (
        not isinstance(patterns, list)
        or not patterns
        or not all(isinstance(each, str) for each in patterns)
    ):
        raise PatternError("must be a text or a list of texts")
    own = options.get("patterns", {})
    if not all(isinstance(each, str) for each in own.values()):
        raise PatternError("patterns: must be texts by name")
    return [expand_pattern(each, own) for each in patterns]


def _check_syntax(expanded: list[Expanded]) -> list[str]:
    from segue.agent.formats.pattern_split import find_fault

    faults = [find_fault(each.pattern) for each in expanded]
    return [f"pattern: {fault}" for fault in faults if fault]


def _check_groups(expanded: list[Expanded], schema: TableSchema) -> list[str]:
    problems = []
    captured: set[str] = set()
    for each in expanded:
        captured.update(each.groups)
        problems += [
            f"pattern: {name!r} is no column: {nearest(name, schema.names)}"
            for name in dict.fromkeys(each.groups)
            if schema.find(name) is None
        ]
        problems += [
            f"pattern: {name!r} is taken as {wanted}, and the column is {column.type}"
            for name, wanted in each.types.items()
            if (column := schema.find(name)) is not None and not _agrees(wanted, column.type.kind)
        ]
    problems += [
        f"pattern: nothing gives column {name!r}" for name in schema.names if name not in captured
    ]
    return problems


def _agrees(wanted: str, kind: str) -> bool:
    if wanted == "int":
        return kind.lstrip("u").startswith("int") or kind == "decimal"
    if wanted == "float":
        return kind.startswith("float") or kind == "decimal"
    return kind in ("string", "categorical")
