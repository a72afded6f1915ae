"""Named data against a file of contracts: what ``segue check DATA`` does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segue.anywhere.contract_files import find_contracts
from segue.anywhere.open_targets import open_targets
from segue.anywhere.targets import read_targets, refuse_missing
from segue.errors import UsageError
from segue.execute.failure import hiding_lines
from segue.judge.selection import refuse_unmatched, select_checks
from segue.protocols import Context
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.anywhere.contract_files import ContractFile
    from segue.anywhere.targets import Target
    from segue.spec.contract import Contract, Report


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked.

    Attributes:
        texts: What names the data, as `read_targets` reads it.
        connections: Addresses of databases by name.
        sql: A SELECT to check.
        contract: File of contracts; None to look for it.
        table: Which of its contracts is meant, if the data's name does not tell.
        select: Names of the checks to measure, or patterns; none for all.
    """

    texts: Sequence[str] = ()
    connections: Mapping[str, str] | None = None
    sql: str = ""
    contract: Path | None = None
    table: str = ""
    select: Sequence[str] = ()


def check_targets(asked: Asked) -> tuple[tuple[Report, Contract], ...]:
    """Measure data against the contracts of a file.

    Returns:
        What was measured of each table, and its contract.

    Raises:
        UsageError: The data, the contract or the choice of checks is wrong.
    """
    from segue.judge.measure import measure_table

    if not (asked.texts or asked.sql):
        hint = "segue check orders.csv, or segue check sqlite:///shop.db orders"
        raise UsageError("name the data to check, or go to a project's folder", hint=hint)
    named = read_targets(asked.texts, asked.connections)
    refuse_missing(named)
    paths = [each.path for each in named if each.path]
    file = find_contracts(asked.contract, paths)
    wanted = (asked.table,) if asked.table else file.tables
    targets = read_targets(asked.texts, asked.connections, sql=asked.sql, tables=wanted)
    pairs, others = _match(targets, file, asked.table)
    known = [each.name for each, _ in pairs] + [each.name for each in others]
    contracts = [file.read(name, known) for _, name in pairs]
    if not any(each.checks for each in contracts):
        listed = ", ".join(repr(each.table) for each in contracts)
        hint = f"segue suggest {asked.texts[0] if asked.texts else 'DATA'} shows some"
        raise UsageError(f"{file.path}: there are no checks of {listed}", hint=hint)
    refuse_unmatched(contracts, asked.select)
    hidden = {each.table: each.sensitive.names for each in contracts}
    with (
        hiding_lines({each.table: each.sensitive for each in contracts}),
        open_targets([*others, *(each for each, _ in pairs)]) as session,
    ):
        # only the local engine reads files, whose statistics may answer checks
        read_footers = getattr(session, "read_footers", lambda _name: None)
        measured = []
        for (target, _), contract in zip(pairs, contracts, strict=True):
            declared = select_checks(replace(contract, table=target.name), asked.select)
            schema = session.describe(f"select * from {quote_identifier(target.name)}")
            context = Context(
                folder=str(file.path.parent), files=read_footers(target.name), sensitive=hidden
            )
            report = measure_table(session, target.name, declared, schema, context=context)
            measured.append((report, contract))
    return tuple(measured)


def _match(
    targets: Sequence[Target], file: ContractFile, table: str
) -> tuple[list[tuple[Target, str]], list[Target]]:
    """Return the data that has a contract with the contract's name, and data without.

    Raises:
        UsageError: There is no data, or it is not told which contract is meant.
    """
    if table and file.tables and table not in file.tables:
        raise _tell_tables(f"{file.path} has no contract called {table!r}", file)
    first, *rest = targets
    alone = file.tables[0] if len(file.tables) == 1 and (first.query or not rest) else ""
    if table or alone or not file.tables:
        return [_name(first, table or alone or first.name, rest)], rest
    pairs = [(each, each.name) for each in targets if each.name in file.tables]
    if not pairs:
        raise _tell_tables(f"{file.path} has no contract for {first.name!r}", file)
    return pairs, [each for each in targets if each.name not in file.tables]


def _name(target: Target, name: str, others: Sequence[Target]) -> tuple[Target, str]:
    """Return data under the name by which its contract speaks of it.

    Raises:
        UsageError: Other data has that name.
    """
    taken = next((each for each in others if each.name == name), None)
    if taken is not None:
        hint = f"give that data another name: raw={taken.path or taken.table}"
        raise UsageError(f"{taken.shown} is called {name!r}, as the contract is", hint=hint)
    return replace(target, name=name), name


def _tell_tables(message: str, file: ContractFile) -> UsageError:
    listed = ", ".join(file.tables[:12])
    hint = f"it has: {listed}; say which is meant: --table {file.tables[0]}"
    return UsageError(message, hint=hint)
