"""How a node's spool looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.cli.look import BAD, GOOD, ODD, cell, facts, line, make_table
from segue.cli.wording import count, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.text import Text

    from segue.agent.spool import Standing, Usage
    from segue.agent.spool.check import Report


def render_spool(
    usage: Usage, standings: Mapping[str, Sequence[Standing]]
) -> Iterator[RenderableType]:
    """Write what a spool takes, and how far each reader is."""
    used = f"{size(usage.bytes)} of {size(usage.cap)}"
    yield facts(
        [
            ("on disk", cell(f"{used}, full" if usage.full else used, ODD if usage.full else "")),
            ("unsent", f"{count(usage.unsent_rows, 'row')}, {size(usage.unsent_bytes)}"),
            ("kept to refill a hub", size(usage.kept_bytes)),
            ("declared lost", count(usage.lost_rows, "row") if usage.lost_rows else None),
            ("set aside", ", ".join(usage.damaged) or None),
            *(("alert", cell(alert, BAD)) for alert in usage.alerts),
        ]
    )
    rows = [_row(reader, each) for reader in standings for each in standings[reader]]
    if not rows:
        yield line("Nothing was made here yet.")
        return
    columns = ["stream", "epoch", "reader", "acknowledged", "last", "unsent", "size", "waits"]
    numbers = ["acknowledged", "last", "unsent", "size"]
    yield line("")
    yield make_table(columns, rows, numbers=numbers, spare=["epoch", "size"])


def _row(reader: str, each: Standing) -> list[Text]:
    waits = f"{'at least ' if each.at_least else ''}{duration(each.age)}" if each.age else ""
    return [
        cell(each.stream),
        cell(each.epoch),
        cell(reader),
        cell(f"{each.acknowledged:,}"),
        cell(f"{each.last:,}"),
        cell(f"{each.rows:,}", ODD if each.rows else ""),
        cell(size(each.bytes) if each.bytes else ""),
        cell(waits),
    ]


def render_report(report: Report) -> Iterator[RenderableType]:
    """Write what is wrong with a spool."""
    records = f"{count(report.records, 'record')} with {count(report.rows, 'row')} can be read"
    gaps = f"; {count(report.gaps, 'gap')} declared before" if report.gaps else ""
    yield line(records + gaps)
    if report.sound:
        yield line(("Nothing is damaged.", GOOD))
        return
    if report.missing:
        yield line((f"Its last {count(report.missing, 'commit')} are lost.", BAD))
    if report.harm:
        rows = [
            [
                cell(each.stream),
                cell(each.epoch),
                cell(f"{each.first:,}"),
                cell(f"{each.last:,}"),
                cell("unknown" if each.rows is None else f"{each.rows:,}"),
                cell(each.what, BAD),
            ]
            for each in report.harm
        ]
        columns = ["stream", "epoch", "first", "last", "rows", "what"]
        yield make_table(columns, rows, numbers=["first", "last", "rows"], spare=["epoch"])
    for name in report.copies:
        yield line(f"{_name(name)}: one of two copies is damaged, the other one counts")
    for name in report.lost:
        yield line((f"{_name(name)}: both copies are damaged", BAD))
    yield line("The agent goes on with what can be read, and declares the rest as gaps.")


def _name(fact: str) -> str:
    kind, _, name = fact.partition("/")
    words = {"cursor": "place of source", "state": "memory of step", "reader": "place of reader"}
    return f"{words.get(kind, kind)} {name}".strip()
