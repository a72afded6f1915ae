"""Lines of keys and values as the texts of columns."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence


class PairsSplit:
    """Splits lines into the texts of columns; keys that are no columns are left out.

    Args:
        columns: Names of the columns.
        nulls: Texts that mean null where they are not quoted.
        between: What stands between pairs; spaces count as one however many there are.
        assign: What stands between key and value.
        quote: What encloses a value that holds separators; a backslash stands before a quote.
        bare: Whether a key may stand alone, which means ``true``.
    """

    def __init__(
        self,
        columns: Sequence[str],
        nulls: tuple[str, ...],
        *,
        between: str = " ",
        assign: str = "=",
        quote: str = '"',
        bare: bool = False,
    ) -> None:
        self._columns = columns
        self._nulls = frozenset(nulls)
        self._quote = quote
        self._bare = bare
        self._pair = _match_pair(between, assign, quote)

    def __call__(self, lines: pa.Array) -> tuple[pa.Array, list[pa.Array], dict[int, str]]:
        """Return lines, texts and what can't be split; see `TextRows`."""
        reasons: dict[int, str] = {}
        rows = []
        for row, line in enumerate(lines.to_pylist()):
            try:
                found = self._take(line)
            except ValueError as error:
                reasons[row] = str(error)
                found = {}
            rows.append(found)
        texts = [pa.array([row.get(name) for row in rows], pa.string()) for name in self._columns]
        return lines, texts, reasons

    def _take(self, line: str) -> dict[str, str | None]:
        """Return the values of a line by key.

        Raises:
            ValueError: It can't be read; the text is the reason.
        """
        found: dict[str, str | None] = {}
        end = 0
        for match in self._pair.finditer(line):
            if match.start() != end:
                break
            end = match.end()
            key, value = match[1].rstrip(), match[2]
            if key in found and key in self._columns:
                raise ValueError(f"{key}: stands there twice")
            if value is None:
                if not self._bare:
                    raise ValueError(f"{key!r} has no value")
                found[key] = "true"
            elif self._quote and value[:1] == self._quote:
                found[key] = self._unquote(value)
            else:
                value = value.rstrip()
                found[key] = None if value in self._nulls else value
        if end != len(line):
            shown = line[end : end + 30]
            raise ValueError(f"no pair at {end + 1}: {shown!r}")
        return found

    def _unquote(self, value: str) -> str:
        inner = value[1:-1]
        if "\\" not in inner:
            return inner
        if self._quote == '"':
            try:
                text: str = json.loads(value, strict=False)
                text.encode()
            except ValueError:  # an escape that JSON lacks stands for what follows it
                pass
            else:
                return text
        return re.sub(r"\\(.)", r"\1", inner)


def _match_pair(between: str, assign: str, quote: str) -> re.Pattern[str]:
    """Return the pattern of a pair and what follows it; each step has one way to go."""
    if between == " ":
        stop, room, end = r"\s", "", r"(?:\s++|$)"
    else:
        stop, room = re.escape(between), "[ ]*+"
        end = rf"[ ]*+(?:{stop}[ ]*+|$)"
    sign, q = re.escape(assign), re.escape(quote)
    short = len(between) == len(assign) == 1
    key = rf"[^{sign}{stop}{q}]++" if short else rf"(?:(?!{sign}|{stop}).)++"
    value = rf"[^{stop}]*+" if short else rf"(?:(?!{stop}).)*+"
    quoted = rf"{q}(?:[^{q}\\]|\\.)*+{q}|(?!{q})" if quote else ""
    return re.compile(rf"\s*+({key})(?:{sign}{room}({quoted}{value}))?{end}")
