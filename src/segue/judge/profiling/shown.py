"""A profile as notebooks show it."""

from __future__ import annotations

from segue.frames.html import Markup, join_markup, write_block, write_grid, write_text
from segue.judge.profiling.words import (
    tell_duplicates,
    tell_keys,
    tell_reference,
    tell_values,
    write_distinct,
    write_share,
)
from segue.spec.profile import ColumnProfile, Profile
from segue.spec.shown import write_html

_MOST = 200
"""Columns that are shown."""


@write_html.register
def write_profile(profile: Profile) -> str:
    """Return a profile as HTML."""
    size = f"{profile.rows:,} rows, {len(profile.columns):,} columns"
    if len(profile.columns) > _MOST:
        size += f", of which {_MOST} are shown"
    name = Markup(f"<b>{write_text(profile.table)}</b>")
    lines = [join_markup([name, write_text(size, "soft")])]
    told = {
        "key": tell_keys(profile),
        "repeated rows": tell_duplicates(profile),
        "refers to": "; ".join(map(tell_reference, profile.references)),
    }
    lines += [
        join_markup([write_text(word, "soft"), write_text(text)])
        for word, text in told.items()
        if text
    ]
    grid = write_grid(
        ("column", "nulls", "distinct", "values"),
        map(_write_row, profile.columns[:_MOST]),
        numbers=[1, 2],
    )
    notes = (write_text(note, "soft") for note in profile.notes)
    return write_block(*lines, grid, *notes)


def _write_row(column: ColumnProfile) -> list[object]:
    type_ = write_text(column.type, "soft")
    nulls = write_share(column.nulls, column.rows) if column.nulls else ""
    name = Markup(f"{write_text(column.name)}<br>{type_}")
    return [name, nulls, write_distinct(column), tell_values(column)]
