"""Lines taken apart by a regular expression, by RE2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.agent.formats.grok import Expanded


def find_fault(pattern: str) -> str:
    """Return why RE2 can't take a pattern; empty if it can.

    Example:
        >>> find_fault("(?=a)"), find_fault("(?P<a>a+)+")
        ('invalid perl operator: (?=', '')
    """
    try:
        pc.extract_regex(pa.array([""], pa.string()), _whole(pattern))
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return ""


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


class PatternSplit:
    """Splits lines into the texts of columns.

    Args:
        columns: Names of the columns.
        patterns: In the order in which they are tried.
    """

    def __init__(self, columns: Sequence[str], patterns: Sequence[Expanded]) -> None:
        self._columns = columns
        self._patterns = patterns

    def __call__(self, lines: pa.Array) -> tuple[pa.Array, list[pa.Array], dict[int, str]]:
        """Return lines, texts and what does not match; see `TextRows`."""
        found = [pa.nulls(len(lines), pa.string())] * len(self._columns)
        left = pc.is_valid(lines)
        for expanded in self._patterns:
            texts = pc.if_else(left, lines, pa.scalar(None, pa.string()))
            matches = pc.extract_regex(texts, _whole(expanded.pattern))
            taken = self._pick(matches, expanded)
            found = [pc.coalesce(old, new) for old, new in zip(found, taken, strict=True)]
            left = pc.and_(left, pc.is_null(matches))
            if not pc.any(left).as_py():
                break
        noun = "the pattern" if len(self._patterns) == 1 else "any pattern"
        misses = pc.indices_nonzero(left).to_pylist()
        return lines, found, dict.fromkeys(misses, f"does not match {noun}")

    def _pick(self, matches: pa.StructArray, expanded: Expanded) -> list[pa.Array]:
        """Return the text of each column; what a group did not catch is empty."""
        fields = matches.flatten()
        picked = []
        for name in self._columns:
            groups = [fields[at] for at, column in enumerate(expanded.groups) if column == name]
            text = groups[0] if groups else pa.nulls(len(matches), pa.string())
            for other in groups[1:]:
                text = pc.if_else(pc.equal(text, ""), other, text)
            picked.append(text)
        return picked
