"""Delimited text; a record is a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.reading import TEXTS, check_options, take_reading
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class CsvFormat:
    """Fields in a fixed order; lines that repeat their names are headers and left out."""

    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = {
        **TEXTS,
        "nulls": [""],
        "fields": [],
        "header": True,
        "delimiter": ",",
        "quote": '"',
        "escape": "",
    }

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        problems = check_options(options, self.required, self.optional, schema)
        return problems or [
            *_check_fields(options.get("fields", []), schema),
            *_check_signs({**self.optional, **options}),
        ]

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.csv_split import CsvSplit
            from segue.agent.formats.rows import TextRows

            options = {**self.optional, **source.format_options}
            split = CsvSplit(source.schema.names, options)
            # markers of null are seen where quotes still are
            reading = take_reading({**source.format_options, "nulls": []})
            return TextRows(source.schema, reading, split)

        return defer(self, source, build)


def _check_fields(fields: list[Any], schema: TableSchema) -> list[str]:
    if not all(isinstance(name, str) for name in fields):
        return ["fields: must be a list of names"]
    problems = [
        f"fields: {name!r} stands there twice" for name in set(fields) if fields.count(name) > 1
    ]
    if fields:
        problems += [
            f"fields: column {name!r} is missing: {nearest(name, fields)}"
            for name in schema.names
            if name not in fields
        ]
    return problems


def _check_signs(options: Mapping[str, Any]) -> list[str]:
    problems = []
    for name, empty in (("delimiter", False), ("quote", True), ("escape", True)):
        sign = options[name]
        if not sign and empty:
            continue
        if len(sign) != 1 or not sign.isascii() or sign in "\r\n":
            problems.append(f"{name}: must be one character, not {sign!r}")
    signs = [options[name] for name in ("delimiter", "quote", "escape") if options[name]]
    if len(set(signs)) != len(signs):
        problems.append("delimiter, quote and escape must differ")
    if options["decimal"] == options["delimiter"]:
        problems.append("a comma can't both separate fields and decimals")
    return problems
