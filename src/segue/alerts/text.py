"""What a message says: what, where, since when, such as which rows, whose, and what to do next."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from segue.alerts.route import weigh
from segue.judge.reports.lines import SHOWN_ROWS, tell_row
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segue.alerts.episodes import Item, Message
    from segue.spec.contract import Contract

MOST = 20
"""Checks that one message tells of in full."""
_LINE = 500
_CALLS = re.compile(r"(@(?=(?:all|channel|everyone|here)\b)|<(?=[!@#]))", re.IGNORECASE)
"""What calls everybody of a chat, unless a space of no width stands in it."""
_WORDS = {Verdict.WARN: "warns", Verdict.FAIL: "fails", Verdict.ERROR: "can't be judged"}


def write_title(project: str, message: Message) -> str:
    """Return a message's title in one line.

    Two tables and more are counted; one is named.
    """
    tables = list(dict.fromkeys(item.episode.table for item in message.items))
    count = len(message.items)
    checks = f"{count:,} {'check' if count == 1 else 'checks'}"
    where = f"of {tables[0]}" if len(tables) == 1 else f"of {len(tables):,} tables"
    if message.well:
        return _clean(f"{project}: {checks} {where} {'is' if count == 1 else 'are'} well again")
    worst = max((weigh(item.found) for item in message.items), key=list(Verdict).index)
    verb = "need a look" if worst is Verdict.WARN else "failed"
    verb = "needs a look" if verb == "need a look" and count == 1 else verb
    return _clean(f"{project}: {checks} {where} {verb}")


def write_body(
    message: Message, contracts: Mapping[str, Contract], run_id: str, *, published: bool
) -> str:
    """Return a message's text.

    Args:
        message: What is to be told.
        contracts: Contracts by table: they name owners and lines.
        run_id: The run that measured; empty outside of one.
        published: Whether what was measured is what readers see.
    """
    items = message.items[:MOST]
    lines: list[str] = []
    for table, some in groupby(items, key=lambda item: item.episode.table):
        contract = contracts.get(table)
        owner = f" (owner: {contract.owner})" if contract and contract.owner else ""
        lines += [f"{table}{owner}", *_tell_items(list(some), message, contract), ""]
    if more := len(message.items) - len(items):
        lines += [f"and {more:,} more checks", ""]
    lines += _tell_next(run_id, well=message.well, published=published)
    return "\n".join(_clean(line) for line in lines)


def _tell_items(
    items: Sequence[Item], message: Message, contract: Contract | None
) -> Iterator[str]:
    places = {check.name: check.location for check in contract.checks} if contract else {}
    for item in items:
        found, episode = item.found, item.episode
        since = tell_time(episode.since)
        if message.well:
            state = "is well again" if found.verdict is Verdict.PASS else "only warns now"
            yield f"- {found.check} {state}; it was not well since {since}"
            continue
        aside = "; the rows are set aside" if found.rejected else ""
        yield f"- {found.check} {_WORDS[weigh(found)]} since {since}: {found.message}{aside}"
        yield from (f"  {line}" for line in found.shared)
        yield from (f"  such as {tell_row(found, row)}" for row in found.sample[:SHOWN_ROWS])
        if where := places.get(found.check):
            yield f"  declared in {where}"


def _tell_next(run_id: str, *, well: bool, published: bool) -> Iterator[str]:
    if run_id:
        yield f"Run {run_id}: segue show {run_id}"
    if well:
        return
    if run_id and not published:
        yield "Nothing was published: readers see the tables as they were."
    yield "Next: mend the data or the step, or change the contract; then segue run."


def tell_time(moment: str) -> str:
    """Return a time of the ledger as people read it.

    Example:
        >>> tell_time("2026-11-21T17:45:03.120000+00:00")
        '2026-11-21 17:45 UTC'
    """
    return f"{moment[:16].replace('T', ' ')} UTC"


def _clean(line: str) -> str:
    """Return a line that is shown as it is: it steers nothing and calls nobody in a chat."""
    text = _CALLS.sub("\\1\u200b", printable(line))
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"
