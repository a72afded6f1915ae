"""A ledger made anew from the tables' logs, and how its loss is noticed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.errors import LedgerDamagedError
from segue.spec.output import TableHistory, TableVersion
from segue.spec.run import RunStart
from segue.spec.types import parse_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from segue.protocols import Lake, Ledger
    from segue.spec.output import StepMemory

    Commits = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found.

    Attributes:
        tables: Tables that can be read again.
        runs: Runs whose publications were found.
        aside: Where the damaged ledger lies now; empty if there was none.
        remarks: What could not be rebuilt, one sentence each.
    """

    tables: tuple[str, ...]
    runs: tuple[str, ...]
    aside: str
    remarks: tuple[str, ...]


def require_ledger(ledger: Ledger, lake: Lake) -> None:
    """Raise if a ledger is empty and its lake is not: it was lost, or is another's.

    Raises:
        LedgerDamagedError: It is so.
    """
    if not ledger.is_empty():
        return
    known = next((table for table in lake.tables() if lake.history(table)), None)
    if known is not None:
        raise LedgerDamagedError(
            f"the ledger is empty, and the lake holds published tables such as {known!r}: "
            "the ledger was removed, or [lake] ledger names another one",
            hint="segue recover --rebuild makes it anew from the tables' logs",
        )


def rebuild_ledger(url: str, lake: Lake) -> Rebuilt:
    """Set a ledger aside and make a new one from what the tables' logs tell.

    Only runs that are found whole become visible. No other run may be going on.

    Args:
        url: URL of the ledger.
        lake: The lake.

    Raises:
        StorageError: The ledger is in a database that segue does not rename.
    """
    kind = registry.load(registry.LEDGERS, "sql")
    commits = {table: lake.history(table) for table in lake.tables()}
    found, remarks = _find_runs(commits)
    histories = [
        _read_history(lake, table, told, found, remarks) for table, told in commits.items() if told
    ]
    for table, told in commits.items():
        if not told:
            remarks.append(f"{table}: its log holds no commit of segue's, so it was left alone")
    remarks.append("memories of steps without a table: they run again")
    aside: str = kind.set_aside(url)  # after all that may fail
    ledger: Ledger = kind(url)
    try:
        ledger.restore(histories, tuple(found.values()))
    finally:
        ledger.close()
    readable = tuple(history.table for history in histories if history.versions)
    return Rebuilt(readable, tuple(found), aside, tuple(remarks))


def _find_runs(commits: Commits) -> tuple[dict[str, RunStart], list[str]]:
    """Return the runs all of whose tables are there, oldest first, and what is said of others."""
    parts: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for table, told in commits.items():
        for commit in told:
            parts.setdefault(commit["run_id"], []).append((table, commit))
    found, remarks = [], []
    for run_id, held in parts.items():
        expected = held[0][1]["run_tables"]
        tables = tuple(table for table, _ in held)
        if len(held) < expected:
            remarks.append(
                f"run {run_id}: only {len(held)} of its {expected} tables were found "
                f"({', '.join(tables)}), so none is visible"
            )
            continue
        started_at = min(commit["committed_at"] for _, commit in held)
        environment = held[0][1]["environment"]
        found.append(RunStart(run_id, "", environment, "", started_at, tables))
    # Numbers of versions give the order within a table, and are never equal there; the time
    # only sorts runs that share no table, where the order means nothing.
    found.sort(key=lambda start: start.started_at)
    return {start.run_id: start for start in found}, remarks


def _read_history(
    lake: Lake,
    table: str,
    told: Sequence[Mapping[str, Any]],
    found: Collection[str],
    remarks: list[str],
) -> TableHistory:
    whole = [commit for commit in told if commit["run_id"] in found]
    last = told[-1]
    if whole and not _has_files(lake, table, whole[-1]["files"]):
        remarks.append(f"{table}: files of its newest version are gone, so it has to be made anew")
        whole = []
    head = lake.head(table)
    if head != last["delta_version"]:
        remarks.append(
            f"{table}: another writer committed after segue; segue recover --adopt {table} "
            "takes what it wrote"
        )
    return TableHistory(
        table=table,
        environment=last["environment"],
        versions=tuple(_read_version(table, commit) for commit in whole),
        last_number=max(commit["number"] for commit in told),
        head=last["delta_version"],
        memory=_join_memories(commit["memory"] for commit in whole),
    )


def _has_files(lake: Lake, table: str, files: Iterable[Any]) -> bool:
    folder = lake.folder(table)
    return all((folder / file.path).exists() for file in files)


def _read_version(table: str, commit: Mapping[str, Any]) -> TableVersion:
    return TableVersion(
        table=table,
        number=commit["number"],
        delta_version=commit["delta_version"],
        schema=parse_schema(commit["schema"]),
        files=commit["files"],
        content_hash=commit["content_hash"],
        run_id=commit["run_id"],
        fingerprint=commit["fingerprint"],
        published_at=commit["committed_at"],
    )


def _join_memories(memories: Iterable[StepMemory | None]) -> StepMemory | None:
    """Return the newest memory, with the files that it and those before it have used up."""
    joined: StepMemory | None = None
    for memory in memories:
        if memory is None:
            continue
        seen = dict(joined.seen_files) if joined else {}
        for name, paths in memory.seen_files.items():
            seen[name] = (*seen.get(name, ()), *paths)
        joined = replace(memory, seen_files=seen)
    return joined
