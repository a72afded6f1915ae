"""One JSON object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.reading import TIMES, check_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class JsonFormat:
    """Members of objects are columns by name; others are left out, missing ones are null."""

    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = TIMES

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        return check_options(options, self.required, self.optional, schema)

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.json_lines import JsonLines

            return JsonLines(source.schema, source.format_options)

        return defer(self, source, build)
