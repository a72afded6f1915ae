"""A line is the value of the one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.reading import TEXTS, check_options, take_reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class TextFormat:
    """The whole line, as text or as the number or time that it is."""

    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = TEXTS

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        problems = check_options(options, self.required, self.optional, schema)
        if len(schema) != 1:
            problems.append(f"a line of text is one column, and there are {len(schema)}")
        return problems

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.rows import TextRows

            reading = take_reading(source.format_options)
            return TextRows(source.schema, reading, lambda lines: (lines, [lines], {}))

        return defer(self, source, build)
