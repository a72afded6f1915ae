"""Suggested checks as the YAML that people read and change."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segue.judge.suggesting.columns import Suggestion

_PLAIN = re.compile(r"[A-Za-z_](?:[\w .-]*\w)?")
_EXACT = 16
"""Characters up to which a number with a point is read as it is written."""
_WIDTH = 100
"""Characters after which evidence goes above the line that it speaks of."""


def write_contract(
    table: str,
    columns: Mapping[str, Sequence[Suggestion]],
    others: Sequence[Suggestion],
    source: str,
) -> str:
    """Return a contract as YAML, with the evidence as comments.

    Args:
        table: Name of the table.
        columns: What is suggested of each column.
        others: What is suggested of the table.
        source: What all of it rests on.
    """
    lines = [f"{write_scalar(table)}:  # {source}", "  columns:"]
    for name, checks in columns.items():
        inner = ", ".join(f"{each.kind}: {write_value(each.value)}" for each in checks if each.kind)
        told = dict.fromkeys(each.evidence for each in checks if each.evidence)
        evidence = ", ".join(told)
        lines += _write_line(f"    {write_scalar(name)}: {{{inner}}}", evidence)
    for each in others:
        lines += _write_line(f"  {each.kind}: {write_value(each.value)}", each.evidence)
    return "\n".join(lines) + "\n"


def _write_line(line: str, evidence: str) -> Iterable[str]:
    if not evidence:
        return [line]
    beside = f"{line}  # {evidence}"
    if len(beside) <= _WIDTH:
        return [beside]
    margin = line[: len(line) - len(line.lstrip())]
    return [f"{margin}# {evidence}", line]


def write_value(value: Any) -> str:
    """Return a value as YAML in one line.

    Example:
        >>> write_value({"min": 1}), write_value([Decimal("0.5"), None]), write_value("no")
        ('{min: 1}', '[0.5, ~]', '"no"')
    """
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = (f"{write_scalar(name)}: {write_value(each)}" for name, each in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(write_value, value))}]"
    if isinstance(value, Decimal):
        text = format(value, "f")
        # YAML would round it; checks read a number as text exactly
        return f'"{text}"' if "." in text and len(text) > _EXACT else text
    return write_scalar(value) if isinstance(value, str) else str(value)


def write_scalar(text: str) -> str:
    r"""Return a text as YAML, in quotes unless it is plain and means itself.

    Example:
        >>> write_scalar("paid"), write_scalar("no"), write_scalar(r"\d+")
        ('paid', '"no"', "'\\d+'")
    """
    import yaml

    if _PLAIN.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    if "\\" in text and "'" not in text and text.isprintable() and text.isascii():
        return f"'{text}'"
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return quoted.strip()
