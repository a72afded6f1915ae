"""One column on the page of a profile: a line that opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.frames.html import Markup, write_text
from segue.judge.profiling.kinds import kind_of
from segue.judge.profiling.svg import draw_large, draw_small
from segue.judge.profiling.words import (
    KEPT_OUT,
    shorten_end,
    tell_values,
    write_distinct,
    write_number,
    write_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.profile import ColumnProfile, TextProfile, ValueCount

_MOST_VALUES = 12


def write_column(column: ColumnProfile, keys: frozenset[str]) -> str:
    """Return a column as HTML.

    Args:
        column: What is in it.
        keys: Columns that tell all rows apart by themselves.
    """
    share = 100 * column.nulls / column.rows if column.rows else 0
    nulls = write_share(column.nulls, column.rows) if column.nulls else "no nulls"
    meter = f'<i class="meter"><b style="width:{share:.1f}%"></b></i>' if column.nulls else ""
    unique = " distinct" if column.distinct != 1 else " value"
    marks = "".join(f'<span class="mark">{write_text(word)}</span>' for word in _mark(column, keys))
    # what the search box and the buttons above look at
    facts = {
        "name": column.name.casefold(),
        "kind": kind_of(column.type).value,
        "type": column.type,
        "nulls": f"{share:.4f}",
        "distinct": column.distinct,
    }
    told = " ".join(f'data-{name}="{write_text(value)}"' for name, value in facts.items())
    return (
        f'<details class="column" {told}><summary>'
        f'<span class="name">{write_text(column.name)}{marks}</span>'
        f'<span class="type">{write_text(column.type)}</span>'
        f'<span class="nulls{"" if column.nulls else " none"}">{nulls}{meter}</span>'
        f'<span class="distinct">{write_distinct(column)}{unique}</span>'
        f'<span class="look">{_write_look(column)}</span>'
        f'</summary><div class="inside">{"".join(_write_inside(column))}</div></details>'
    )


def _mark(column: ColumnProfile, keys: frozenset[str]) -> Iterator[str]:
    if column.name in keys:
        yield "key"
    if column.constant:
        yield "constant"
    if column.rows and not column.values:
        yield "empty"
    if column.sensitive:
        yield "sensitive"


def _write_look(column: ColumnProfile) -> Markup:
    if column.histogram:
        low, high = (shorten_end(write_number(end)) for end in (column.low, column.high))
        ends = (f'<span class="end">{write_text(end)}</span>' for end in (low, high))
        first, last = ends
        return Markup(f"{first}{draw_small(column.histogram)}{last}")
    return write_text(tell_values(column))


def _write_inside(column: ColumnProfile) -> Iterator[str]:
    yield f"<dl>{''.join(_write_facts(column))}</dl>"
    if column.sensitive:
        yield f'<p class="soft">Values are {KEPT_OUT}.</p>'
        return
    charts = []
    if column.histogram:
        charts.append(f"<figure>{draw_large(column)}</figure>")
    if column.frequent and not column.constant:
        told = "Most frequent" if column.distinct > _MOST_VALUES else "Values"
        charts.append(_write_counts(told, column.frequent[:_MOST_VALUES], column.values))
    if column.text is not None and column.text.patterns:
        told = "Patterns of some of the values" if column.text.sampled else "Patterns"
        whole = sum(each.rows for each in column.text.patterns)
        charts.append(
            _write_counts(
                told, column.text.patterns, whole if column.text.sampled else column.values, "code"
            )
        )
    yield f'<div class="charts">{"".join(charts)}</div>'


def _write_counts(title: str, counts: Sequence[ValueCount], whole: int, kind: str = "") -> str:
    most = max(each.rows for each in counts)
    rows = "".join(
        f'<tr><th class="{kind}">{_write_value(each.value)}</th>'
        f'<td class="barred"><i style="width:{100 * each.rows / most:.1f}%"></i></td>'
        f"<td>{each.rows:,}</td><td>{write_share(each.rows, whole)}</td></tr>"
        for each in counts
    )
    return f'<table class="counts"><caption>{title}</caption><tbody>{rows}</tbody></table>'


def _write_value(value: str) -> Markup:
    if not value:
        return Markup('<span class="soft">empty text</span>')
    # blanks at an end, and other things that are not seen, are shown
    shown = value.replace("\n", "⏎").replace("\t", "⇥")
    shown = f"{shown[: len(shown.rstrip(' '))]}{'␣' * (len(shown) - len(shown.rstrip(' ')))}"
    return write_text(shown)


def _write_facts(column: ColumnProfile) -> Iterator[str]:
    yield _fact("rows", f"{column.rows:,}")
    yield _fact("nulls", f"{column.nulls:,} ({write_share(column.nulls, column.rows)})")
    about = "" if column.exact else " (estimate)"
    unique = ", all different" if column.unique and column.distinct > 1 else ""
    yield _fact("distinct", f"{write_distinct(column)}{about}{unique}")
    if column.low is not None:
        yield _fact("smallest", write_number(column.low))
        yield _fact("largest", write_number(column.high))
    if column.mean is not None:
        yield _fact("mean", write_number(column.mean))
    if column.stddev is not None:
        yield _fact("std. deviation", write_number(column.stddev))
    for share, value in column.quantiles:
        told = "median" if share == 0.5 else f"{100 * share:g} % below"  # noqa: PLR2004  # its share
        sign = "" if column.exact_quantiles else "~"
        yield _fact(told, f"{sign}{write_number(value)}")
    for word, number in (
        ("zeros", column.zeros),
        ("negative", column.negatives),
        ("NaN", column.nans),
        ("infinite", column.infinite),
    ):
        if number:
            yield _fact(word, f"{number:,}")
    if column.text is not None:
        yield from _write_text(column.text)


def _write_text(text: TextProfile) -> Iterator[str]:
    if text.shortest == text.longest:
        yield _fact("length", f"always {text.shortest:,}")
    else:
        yield _fact("length", f"{text.shortest:,} to {text.longest:,}")
        yield _fact("mean length", f"{text.mean:.3g}")
    if text.empty:
        yield _fact("empty texts", f"{text.empty:,}")
    if text.format:
        share = "" if text.formatted == 1 else f" ({text.formatted:.1%})"
        yield _fact("format", f"{text.format}{share}")


def _fact(name: str, value: str) -> str:
    return f"<div><dt>{write_text(name)}</dt><dd>{write_text(value)}</dd></div>"
