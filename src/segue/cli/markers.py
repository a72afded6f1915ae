"""Words in a file that stand for "no value", and make a column of numbers one of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.project import Project

MARKERS = (
    *("NA", "N/A", "#N/A", "n/a", "na"),
    *("NULL", "Null", "null", "None", "none"),
    *("NaN", "nan", "-", "--", "?", "."),
)
TYPES = ("double", "timestamp", "boolean")
"""Types that a file's text is tried as."""


def find_markers(project: Project, table: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the words that stand between values of another type than text.

    They are those of columns in which every other value is a number, a time or a truth value.

    Args:
        project: The project.
        table: A source of delimited text.
        texts: Its columns that hold texts as long as no marker is known.
    """
    if not texts:
        return ()
    parts = ", ".join(_measure(name) for name in texts)
    answer = project.query(f"select {parts} from {quote_identifier(table)}").to_pylist()[0]
    found: set[str] = set()
    for facts in answer.values():
        if facts["others"] and facts["others"] in [facts[type_] for type_ in TYPES]:
            found.update(facts["markers"] or ())
    return tuple(marker for marker in MARKERS if marker in found)


def _measure(column: str) -> str:
    """Return an expression that counts a text column's values, and those of each type."""
    name = quote_identifier(column)
    marks = f"{name} in ({', '.join(map(quote_text, MARKERS))})"
    counts = [
        f"{type_}: count(try_cast({name} as {type_})) filter (not {marks})" for type_ in TYPES
    ]
    others = f"others: count(*) filter ({name} is not null and not {marks})"
    listed = f"markers: list(distinct {name}) filter ({marks})"
    return f"{{{', '.join((*counts, others, listed))}}} as {name}"
