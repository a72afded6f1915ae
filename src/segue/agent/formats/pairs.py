"""Keys and values with separators of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.agent.formats.deferred import defer
from segue.agent.formats.reading import TEXTS, check_options, take_reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


class PairsFormat:
    """Keys and values such as ``temp: 21.5; door: open``; spaces around them are left out."""

    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = {
        **TEXTS,
        "nulls": [""],
        "between": " ",
        "assign": "=",
        "quote": '"',
    }

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options; see `segue.protocols.edge`."""
        problems = check_options(options, self.required, self.optional, schema)
        return problems or _check_signs({**self.optional, **options})

    def open(self, source: EdgeSource) -> Format:
        """Set it up; see `segue.protocols.edge`."""

        def build() -> Format:
            from segue.agent.formats.pairs_split import PairsSplit
            from segue.agent.formats.rows import TextRows

            options = {**self.optional, **source.format_options}
            split = PairsSplit(
                source.schema.names,
                tuple(options["nulls"]),
                between=options["between"],
                assign=options["assign"],
                quote=options["quote"],
            )
            reading = take_reading({**source.format_options, "nulls": []})
            return TextRows(source.schema, reading, split)

        return defer(self, source, build)


def _check_signs(options: Mapping[str, Any]) -> list[str]:
    between, assign, quote = options["between"], options["assign"], options["quote"]
    problems = [
        f"{name}: must not be empty, or hold a line break"
        for name, sign in (("between", between), ("assign", assign))
        if not sign or "\n" in sign
    ]
    if len(quote) > 1 or not quote.isprintable():
        problems.append(f"quote: must be one character or empty, not {quote!r}")
    if len({between, assign, quote}) != len((between, assign, quote)):
        problems.append("between, assign and quote must differ")
    return problems
