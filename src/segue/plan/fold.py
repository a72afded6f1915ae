"""Folds views into the one view that reads them, so that a stack of views is bound once.

Defining a view costs a statement, and binds all views that it stands on again: in a chain of
ten, the first is bound ten times. As common table expressions of the last one they are bound
together, and mean the same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MOST = 20
"""Views in one statement: each is a level deeper, and engines limit the levels."""


def fold_views(
    views: Mapping[str, str], reads: Mapping[str, Iterable[str]], keep: Collection[str]
) -> dict[str, str]:
    """Return fewer views of the same meaning.

    Args:
        views: SELECTs by name, each after what it reads.
        reads: The tables that each of them reads.
        keep: Views that others than views read; they keep a name of their own.

    Returns:
        SELECTs by name, in the order of `views`.

    Example:
        >>> views = {"a": "select 1 as n", "b": "select n from a"}
        >>> print(fold_views(views, {"a": [], "b": ["a"]}, keep=["b"])["b"])
        with "a" as not materialized (
        select 1 as n
        )
        select * from (
        select n from a
        )
    """
    readers = Counter(table for name in views for table in set(reads[name]))
    folded: dict[str, dict[str, str]] = {}
    for name, query in views.items():
        parts: dict[str, str] = {}
        for table in dict.fromkeys(reads[name]):
            alone = readers[table] == 1 and table not in keep
            if alone and table in folded and len(parts) + len(folded[table]) < MOST:
                parts |= folded.pop(table)
        folded[name] = {**parts, name: query}
    return {name: _write(name, parts) for name, parts in folded.items()}


def _write(name: str, parts: Mapping[str, str]) -> str:
    query = parts[name]
    # the line break ends a comment in a query's last line
    before = ",\n".join(
        f"{quote_identifier(each)} as not materialized (\n{text}\n)"
        for each, text in parts.items()
        if each != name
    )
    return f"with {before}\nselect * from (\n{query}\n)" if before else query
