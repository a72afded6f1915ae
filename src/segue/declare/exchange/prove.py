"""Reads contracts that were put together, so that what can't be read is told before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.contracts import parse_contracts
from segue.declare.problems import Problems
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.declare.exchange.draft import Draft


def prove_contracts(text: str, source: str, draft: Draft) -> None:
    """Read the text of contracts as a project would.

    Args:
        text: YAML, table by table.
        source: What they were made from.
        draft: The same, before it was a text; tables that only its checks name count as known.

    Raises:
        UsageError: A check says something that contracts refuse, such as a pattern with
            look-ahead.
    """
    problems = Problems()
    parse_contracts(text, source, _name_tables(draft), (), problems)
    found = problems.sorted()
    if found:
        lines = "".join(f"\n  {each.message}" for each in found)
        raise UsageError(
            f"{source}: contracts refuse what it says:{lines}",
            hint="mend it there, or take these statements out",
        )


def _name_tables(draft: Draft) -> set[str]:
    names = set(draft.tables)
    for table in draft.tables.values():
        said = [table.keys, *table.columns.values(), *table.checks]
        for each in said:
            target = each.get("references")
            if isinstance(target, dict):
                names.add(str(target.get("table")))
            elif isinstance(target, str):
                names.add(target.partition(".")[0])
    return names
