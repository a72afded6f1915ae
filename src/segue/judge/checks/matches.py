"""``matches: '[A-Z][0-9]+'``: the whole text matches a pattern (RE2's syntax, Unicode).

Null passes. ``.`` does not match a line's end unless the pattern says ``(?s)``.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_long, read_text
from segue.judge.sql_text import text_column
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType

# What RE2 knows and Python does not, and a harmless stand-in for each.
_ONLY_RE2 = (
    (re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\\x\{[0-9a-fA-F]+\}|\\C"), "x"),
    (re.compile(r"\\Q.*?(?:\\E|$)", re.DOTALL), "x"),
    (re.compile(r"\\z"), r"\\Z"),
    (re.compile(r"\[:\^?\w+:\]"), "x"),
    (re.compile(r"\(\?[imsU]*(?:-[imsU]+)?\)"), ""),
    (re.compile(r"\(\?[imsU]*(?:-[imsU]+)?:"), "(?:"),
    (re.compile(r"\(\?<(\w+)>"), r"(?P<\1>"),
)
_NOT_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?<?[=!]|\(\?>|\(\?\(|\(\?P=|\\[1-9])")


class MatchesCheck(RowCheck):
    """Rows whose text does not match as a whole break it."""

    name = "matches"
    pointwise = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read a pattern, or ``{pattern: …}``."""
        long = read_long(value, ("pattern",), "pattern")
        pattern = read_text(long.get("pattern"), "a pattern as text")
        if _NOT_RE2.search(pattern):
            raise ValueError(
                f"`{pattern}`: patterns have no look-ahead, look-behind or back-references"
            )
        try:
            _compile_loosely(pattern)
        except re.error as error:
            raise ValueError(f"`{pattern}` is not a pattern: {error}") from None
        return {"pattern": pattern}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        text = text_column(name, types[name])
        pattern = quote_text(check.arguments["pattern"])
        return (
            f"({quote_identifier(name)} is not null and not regexp_full_match({text}, {pattern}))"
        )

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{check.columns[0]} matches {check.arguments['pattern']}"


def _compile_loosely(pattern: str) -> None:
    """Refuse what no dialect takes; the rest shows when the engine measures."""
    for only_re2, stand_in in _ONLY_RE2:
        pattern = only_re2.sub(stand_in, pattern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        re.compile(pattern)


CHECK = MatchesCheck()
