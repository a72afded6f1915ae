"""``key=value`` pairs as logfmt writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.reading import TEXTS, check_options, take_reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class LogfmtFormat:
    """Pairs with spaces between; quoted values have JSON's escapes; a bare key is true."""

    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = {**TEXTS, "nulls": [""]}

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        return check_options(options, self.required, self.optional, schema)

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.pairs_split import PairsSplit
            from segue.agent.formats.rows import TextRows

            options = {**self.optional, **source.format_options}
            split = PairsSplit(source.schema.names, tuple(options["nulls"]), bare=True)
            reading = take_reading({**source.format_options, "nulls": []})
            return TextRows(source.schema, reading, split)

        return defer(self, source, build)
