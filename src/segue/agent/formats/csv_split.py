"""Lines of delimited text as fields, by Arrow's reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BLOCK = 2**22
_BROKEN = "a carriage return stands inside the line"
_TORN = "a quote is not closed, or stands inside a field"
"""Also of an escape at the end of a line: it would make the newline a part of the field."""


class CsvSplit:
    """Splits lines into the texts of columns.

    Args:
        columns: Names of the columns.
        options: All options of the format.
    """

    def __init__(self, columns: Sequence[str], options: Mapping[str, Any]) -> None:
        self._columns = columns
        self._fields = list(options["fields"] or columns)
        self._header = options["header"]
        self._delimiter = options["delimiter"]
        self._quote = options["quote"]
        self._escape = options["escape"]
        self._whole = _match_record(self._delimiter, self._quote, self._escape)
        self._convert = pv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(self._fields, pa.string()),
            null_values=options["nulls"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )

    def __call__(self, lines: pa.Array) -> tuple[pa.Array, list[pa.Array], dict[int, str]]:
        """Return lines, texts and what can't be split; see `TextRows`."""
        reasons = self._find_torn(lines)
        table = self._read(lines, reasons)
        columns = [table.column(name).combine_chunks() for name in self._fields]
        if not self._header or not len(lines):
            return lines, self._pick(columns), reasons
        heads = self._find_headers(columns)
        if not pc.any(heads).as_py():
            return lines, self._pick(columns), reasons
        kept = pc.invert(heads)
        rows = pc.indices_nonzero(kept).to_pylist()
        moved = {row: place for place, row in enumerate(rows)}
        reasons = {moved[row]: reason for row, reason in reasons.items()}
        return lines.filter(kept), self._pick([each.filter(kept) for each in columns]), reasons

    def _pick(self, columns: list[pa.Array]) -> list[pa.Array]:
        return [columns[self._fields.index(name)] for name in self._columns]

    def _find_torn(self, lines: pa.Array) -> dict[int, str]:
        """Return lines that would be more than one record, or swallow their neighbours."""
        broken = pc.match_substring(lines, "\r")
        reasons = dict.fromkeys(pc.indices_nonzero(broken).to_pylist(), _BROKEN)
        signs = "".join(map(re.escape, (self._quote, self._escape)))
        if not signs:
            return reasons
        marked = pc.match_substring_regex(lines, f"[{signs}]")
        if not pc.any(marked).as_py():
            return reasons
        torn = pc.and_(marked, pc.invert(pc.match_substring_regex(lines, self._whole)))
        return dict.fromkeys(pc.indices_nonzero(torn).to_pylist(), _TORN) | reasons

    def _read(self, lines: pa.Array, reasons: dict[int, str]) -> pa.Table:
        """Return a row for each line; those that can't be split are told, and empty."""
        wrong = self._find_uneven(lines, reasons)
        for row, count in wrong.items():
            reasons[row] = f"{count} fields, not {len(self._fields)}"
        if reasons:
            blank = self._delimiter * (len(self._fields) - 1) or f"{self._quote}{self._quote}"
            bad = [False] * len(lines)
            for row in reasons:
                bad[row] = True
            lines = pc.if_else(pa.array(bad, pa.bool_()), pa.scalar(blank or "-"), lines)
        return self._parse(lines)

    def _find_uneven(self, lines: pa.Array, torn: dict[int, str]) -> dict[int, int]:
        """Return lines with another number of fields, and the number."""
        counts = pc.add(pc.count_substring(lines, self._delimiter), 1)
        odd = pc.indices_nonzero(pc.not_equal(counts, len(self._fields))).to_pylist()
        found = {}
        for row in odd:
            if row in torn:
                continue
            line = lines[row].as_py()
            count = self._count_fields(line)
            if count != len(self._fields):
                found[row] = count
        return found

    def _count_fields(self, line: str) -> int:
        if self._quote and self._quote in line:
            quoted = _match_quoted(self._quote, self._escape)
            line = re.sub(quoted, "", line)
        if self._escape:
            line = re.sub(re.escape(self._escape) + ".", "", line)
        return line.count(self._delimiter) + 1

    def _parse(self, lines: pa.Array) -> pa.Table:
        if not len(lines):
            schema = pa.schema([(name, pa.string()) for name in self._fields])
            return schema.empty_table()
        # without a newline at the end, Arrow takes an empty last field for a quoted one
        ended = pa.concat_arrays([lines, pa.array([""], pa.string())])
        text = pc.binary_join(pa.ListArray.from_arrays([0, len(ended)], ended), "\n")[0]
        longest = pc.max(pc.binary_length(lines)).as_py()
        read = pv.ReadOptions(
            use_threads=False,
            block_size=max(_BLOCK, longest + 2),
            column_names=self._fields,
        )
        parse = pv.ParseOptions(
            delimiter=self._delimiter,
            quote_char=self._quote or False,
            double_quote=not self._escape,
            escape_char=self._escape or False,
            ignore_empty_lines=False,
        )
        return pv.read_csv(
            pa.BufferReader(text.as_buffer()),
            read_options=read,
            parse_options=parse,
            convert_options=self._convert,
        )

    def _find_headers(self, columns: list[pa.Array]) -> pa.Array:
        heads = pa.array([True] * len(columns[0]), pa.bool_())
        for name, column in zip(self._fields, columns, strict=True):
            heads = pc.and_(heads, pc.fill_null(pc.equal(column, name), fill_value=False))
            if not pc.any(heads).as_py():
                break
        return heads


def _match_quoted(quote: str, escape: str) -> str:
    q, e = re.escape(quote), re.escape(escape)
    return f"{q}(?:[^{q}{e}]|{e}.)*{q}" if escape else f"{q}(?:[^{q}]|{q}{q})*{q}"


def _match_record(delimiter: str, quote: str, escape: str) -> str:
    """Return the pattern of a line whose quotes enclose whole fields."""
    d, q, e = re.escape(delimiter), re.escape(quote), re.escape(escape)
    bare = f"(?:[^{d}{q}{e}]|{e}.)*" if escape else f"[^{d}{q}]*"
    field = f"(?:{_match_quoted(quote, escape)}|{bare})" if quote else bare
    return f"^{field}(?:{d}{field})*$"
