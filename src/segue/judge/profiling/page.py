"""A profile as one page that needs nothing else: no network, light and dark, for the keyboard."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from segue.frames.html import write_text
from segue.judge.profiling.kinds import Kind, kind_of
from segue.judge.profiling.page_column import write_column
from segue.judge.profiling.words import tell_duplicates, tell_keys, tell_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.profile import Profile

_MOST_NAMES = 12
_WORDS = {
    Kind.NUMBER: "numbers",
    Kind.TIME: "dates and times",
    Kind.TEXT: "texts",
    Kind.TRUTH: "true or false",
    Kind.OTHER: "others",
}


def write_page(profiles: Sequence[Profile]) -> str:
    """Return profiles as a page.

    Args:
        profiles: What is in each table.
    """
    title = ", ".join(profile.table for profile in profiles)
    tools = _write_tools(profiles)
    # of one table, its name comes first
    single = len(profiles) == 1
    body = "" if single else tools
    body += "".join(_write_table(each, tools if single else "") for each in profiles)
    parts = {"title": write_text(f"{title}: profile"), "body": body}
    page = _read_template()
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->", text, 1)
    return page


@cache
def _read_template() -> str:
    return files("segue.judge.profiling").joinpath("page.template").read_text(encoding="utf-8")


def _write_tools(profiles: Sequence[Profile]) -> str:
    kinds = Counter(kind_of(each.type) for profile in profiles for each in profile.columns)
    buttons = "".join(
        f'<button type="button" data-kind="{kind.value}" aria-pressed="false">'
        f"{_WORDS[kind]} <small>{kinds[kind]}</small></button>"
        for kind in Kind
        if kinds[kind]
    )
    nulls = sum(bool(each.nulls) for profile in profiles for each in profile.columns)
    if nulls:
        buttons += (
            '<button type="button" data-nulls="1" aria-pressed="false">'
            f"with nulls <small>{nulls}</small></button>"
        )
    return (
        '<form class="tools" role="search" hidden>'
        '<input type="search" id="filter" placeholder="Filter columns  ( / )" '
        'aria-label="Filter columns by name or type" autocomplete="off">'
        f'<span class="buttons">{buttons}</span>'
        '<label>sort <select id="sort"><option value="">as in the table</option>'
        '<option value="name">by name</option><option value="nulls">most nulls</option>'
        '<option value="distinct">most values</option></select></label>'
        '<button type="button" id="open">open all</button>'
        '<output id="shown" aria-live="polite"></output></form>'
    )


def _write_table(profile: Profile, tools: str) -> str:
    keys = frozenset(key[0] for key in profile.keys if len(key) == 1)
    columns = "".join(write_column(each, keys) for each in profile.columns)
    facts = "".join(
        f"<div><dt>{name}</dt>{''.join(f'<dd>{write_text(value)}</dd>' for value in values)}</div>"
        for name, *values in _tell(profile)
        if any(values)
    )
    notes = "".join(f"<li>{write_text(note)}</li>" for note in profile.notes)
    size = f"{profile.rows:,} rows, {len(profile.columns):,} columns"
    return (
        f'<section class="table"><h1>{write_text(profile.table)}</h1><p class="size">{size}</p>'
        f'<dl class="glance">{facts}</dl>'
        f"{f'<ul class=notes>{notes}</ul>' if notes else ''}"
        f'{tools}<div class="columns">{columns}</div>{_write_pairs(profile)}</section>'
    )


def _tell(profile: Profile) -> Iterator[tuple[str, ...]]:
    yield "Key", tell_keys(profile) or "none found"
    yield "Repeated rows", tell_duplicates(profile)
    yield "Constant", _list(profile.constant)
    yield "Empty", _list(profile.empty)
    yield "Refers to", *map(tell_reference, profile.references)


def _list(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _write_pairs(profile: Profile) -> str:
    if not profile.correlations:
        return ""
    sampled = " (of some of the rows)" if profile.correlations[0].sampled else ""
    rows = "".join(
        f"<tr><th>{write_text(each.column)}</th><th>{write_text(each.other)}</th>"
        f'<td class="barred {"minus" if each.value < 0 else ""}">'
        f'<i style="width:{100 * abs(each.value):.0f}%"></i></td><td>{each.value:.2f}</td></tr>'
        for each in profile.correlations
    )
    return (
        f"<h2>Numbers that go together</h2><p class=soft>Pearson's coefficient{sampled}.</p>"
        f'<table class="counts pairs"><tbody>{rows}</tbody></table>'
    )
