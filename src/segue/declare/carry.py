"""Sensitive columns of every table of a project: what contracts mark, and what is made of it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.declare.cache import CacheFile, find_cache, name_maker
from segue.declare.problems import REJECTS
from segue.spec.sensitive import EVERY, Sensitive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from segue.spec.contract import Contract
    from segue.spec.step import SourceSpec, StepSpec

    Origins = Mapping[str, tuple[str, ...]]

_READERS = ("carry_sql.py", "carry_values.py", Path(__file__).name)
"""Files that decide what a SELECT carries: another one of them makes the cache anew."""


def carry_sensitive(
    steps: Iterable[StepSpec],
    sources: Mapping[str, SourceSpec],
    contracts: Mapping[str, Contract],
    root: Path,
) -> dict[str, Sensitive]:
    """Return the sensitive columns of each table that may have any.

    A mark of a contract goes before what its table inherits. SELECTs are followed column by
    column; of a function's result, columns are sensitive that have the name of one of its
    inputs'. A project without marks has nothing to follow.

    Args:
        steps: All steps, a table before its readers.
        sources: Source tables by name.
        contracts: Contracts by table, as declared.
        root: Folder of the project.
    """
    if not any(any(contract.marks.values()) for contract in contracts.values()):
        return {}
    fleets = {source.on for source in sources.values() if source.edge is not None}
    carrier = _Carrier(contracts, _SqlCarried(root, find_cache()), fleets)
    for name, source in sources.items():
        carrier.settle(name, {}, source.on)
    for step in steps:
        carrier.add_step(step)
    carrier.carried.keep()
    return {name: found for name, found in carrier.found.items() if found}


class _Carrier:
    """Goes along the graph."""

    def __init__(
        self, contracts: Mapping[str, Contract], carried: _SqlCarried, fleets: Collection[str]
    ) -> None:
        self.contracts = contracts
        self.carried = carried
        self.fleets = fleets
        self.found: dict[str, Sensitive] = {}

    def add_step(self, step: StepSpec) -> None:
        """Add the table of a step whose inputs are there."""
        inputs = {table: self.found[table] for table in step.reads if self.found.get(table)}
        told: Origins = {}
        if inputs and step.sql is not None:
            told = self.carried.find(step.sql, inputs)
        elif inputs:
            told = _unite(each.origins for each in inputs.values())
        self.settle(step.name, told, step.on)

    def settle(self, table: str, inherited: Origins, on: str) -> None:
        """Let a table's contract have the last word, and add its rejects."""
        contract, origins = self.contracts.get(table), dict(inherited)
        for column, marked in contract.marks.items() if contract else ():
            origins[column.lower()] = (f"{table}.{column}",) if marked else ()
        self.found[table] = self.found[table + REJECTS] = Sensitive(origins)
        if on in self.fleets:  # a stream of rejects has rows as text
            told = tuple(sorted({each for found in origins.values() for each in found}))
            self.found[table + REJECTS] = Sensitive({EVERY: told} if told else {})


def _unite(several: Iterable[Origins]) -> Origins:
    told: dict[str, set[str]] = {}
    for origins in several:
        for column, found in origins.items():
            told.setdefault(column, set()).update(found)
    return {column: tuple(sorted(found)) for column, found in told.items()}


class _SqlCarried:
    """What SELECTs were found to carry: the parser takes longer to load than a plan takes."""

    def __init__(self, root: Path, folder: Path | None) -> None:
        here = os.path.dirname(__file__)  # noqa: PTH120  # text is what is needed
        maker = name_maker("sqlglot", (f"{here}/{name}" for name in _READERS))
        self._file = CacheFile(folder, "sensitive", root, maker)
        known = self._file.load()
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}
        self._used: dict[str, Any] = {}

    def find(self, sql: str, inputs: Mapping[str, Sensitive]) -> Origins:
        """Return what the columns of a SELECT carry."""
        given = {table: found.origins for table, found in inputs.items()}
        told = json.dumps([sql, given], sort_keys=True)
        mark = hashlib.sha256(told.encode()).hexdigest()
        if mark not in self._known:
            from segue.declare.carry_sql import carry_through

            tables = {t: {c: frozenset(o) for c, o in each.items()} for t, each in given.items()}
            made = carry_through(sql, tables)
            self._known[mark] = {column: sorted(found) for column, found in made.items()}
        self._used[mark] = self._known[mark]
        return {column: tuple(found) for column, found in self._known[mark].items()}

    def keep(self) -> None:
        """Write down what was found, if that is not what was known."""
        if self._file.load() != self._used:
            self._file.keep(self._used)
