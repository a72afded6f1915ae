"""What is in a table, one line for each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import ODD, QUIET, cell, facts, line, make_table
from segue.cli.wording import count, duration, listing
from segue.judge.profiling.words import (
    tell_duplicates,
    tell_frequent,
    tell_keys,
    tell_reference,
    tell_values,
    write_distinct,
    write_number,
    write_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from segue.spec.profile import ColumnProfile, Profile, TextProfile

_MOST_PAIRS = 3
_BAR = 40
"""Signs of the longest bar."""
_LONGEST_TYPE = 24


def render_profile(
    profile: Profile, columns: Sequence[ColumnProfile] | None = None
) -> Iterator[RenderableType]:
    """Go through the parts of a profile.

    Args:
        profile: What is in the table.
        columns: Columns to tell all of; None for one line of each.
    """
    size = f"  {count(profile.rows, 'row')}, {count(len(profile.columns), 'column')}"
    took = f" in {duration(profile.seconds)}"
    yield line((profile.table, "bold"), (size, ""), (took, QUIET))
    if columns is not None:
        for column in columns:
            yield Text("")
            yield from render_column(column)
        return
    yield facts(_tell_table(profile))
    yield Text("")
    yield _render_columns(profile)
    for note in profile.notes:
        yield line((f"Note: {note}", QUIET))


def _tell_table(profile: Profile) -> Iterator[tuple[str, str]]:
    yield "key", tell_keys(profile) or "none found"
    yield "repeated rows", tell_duplicates(profile)
    yield "constant", listing(profile.constant)
    yield "empty", listing(profile.empty)
    yield "refers to", "; ".join(map(tell_reference, profile.references))
    pairs = (
        f"{each.column} ~ {each.other} {each.value:.2f}"
        for each in profile.correlations[:_MOST_PAIRS]
    )
    yield "go together", ", ".join(pairs)


def _render_columns(profile: Profile) -> RenderableType:
    rows = [
        [
            cell(column.name),
            cell(_shorten(str(column.type)), QUIET),
            cell(write_share(column.nulls, column.rows) if column.nulls else "", ODD),
            cell(write_distinct(column)),
            cell(tell_values(column)),
        ]
        for column in profile.columns
    ]
    names = ["column", "type", "nulls", "distinct", "values"]
    return make_table(names, rows, numbers=["nulls", "distinct"], cut=["column", "type", "values"])


def _shorten(type_: str) -> str:
    return type_ if len(type_) <= _LONGEST_TYPE else f"{type_[: _LONGEST_TYPE - 1]}…"


def render_column(column: ColumnProfile) -> Iterator[RenderableType]:
    """Go through all that is known of a column."""
    yield line((column.name, "bold"), (f"  {column.type}", QUIET))
    yield facts(_tell_column(column))
    if column.histogram:
        yield _render_bars(
            [(f"{write_number(each.low)} …", each.rows) for each in column.histogram]
        )
    elif column.frequent and not column.constant:
        yield _render_bars([(each.value, each.rows) for each in column.frequent[:10]])


def _tell_column(column: ColumnProfile) -> Iterator[tuple[str, str]]:
    nulls = f"{column.nulls:,} ({write_share(column.nulls, column.rows)})"
    yield "nulls", nulls if column.nulls else "none"
    unique = ", no value comes twice" if column.unique else ""
    yield "distinct", write_distinct(column) + unique
    if column.sensitive:
        yield "values", tell_values(column)
    if column.constant:
        yield "values", tell_values(column)
    elif column.low is not None:
        yield "range", f"{write_number(column.low)} to {write_number(column.high)}"
    if column.mean is not None:
        spread = "" if column.stddev is None else f" ± {write_number(column.stddev)}"
        yield "mean", f"{write_number(column.mean)}{spread}"
    about = "" if column.exact_quantiles else " (about)"
    shown = (f"{100 * share:g} % {write_number(value)}" for share, value in column.quantiles)
    yield "quantiles", "   ".join(shown) + (about if column.quantiles else "")
    odd = {
        "zero": column.zeros,
        "negative": column.negatives,
        "NaN": column.nans,
        "infinite": column.infinite,
    }
    yield "among them", ", ".join(f"{number:,} {word}" for word, number in odd.items() if number)
    if column.text is not None:
        yield from _tell_text(column.text)
    if column.histogram or column.text is not None:
        yield "frequent", tell_frequent(column, 6)


def _tell_text(text: TextProfile) -> Iterator[tuple[str, str]]:
    yield "length", f"{text.shortest:,} to {text.longest:,}, {text.mean:.3g} on average"
    yield "empty", f"{text.empty:,}" if text.empty else ""
    yield "format", f"{text.format} ({text.formatted:.4g})" if text.format else ""
    looked = " (of some of the values)" if text.sampled else ""
    patterns = ", ".join(f"{each.value} ({each.rows:,})" for each in text.patterns[:6])
    yield "patterns", patterns + looked if patterns else ""


def _render_bars(bars: Sequence[tuple[str, int]]) -> RenderableType:
    most = max(rows for _, rows in bars)
    table = [
        [
            cell(name),
            Text("█" * max(round(_BAR * rows / most), 1 if rows else 0)),
            cell(f"{rows:,}"),
        ]
        for name, rows in bars
    ]
    return make_table(["from", "", "rows"], table, numbers=["from", "rows"], cut=["from"])
