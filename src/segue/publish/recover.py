"""What dead runs left behind: finished if their intent was declared, discarded if not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.errors import ForeignCommitError
from segue.failpoints import pass_point
from segue.publish.lease import is_alive
from segue.publish.rebuild import require_ledger
from segue.publish.stage import remove_files, run_of
from segue.publish.swap import complete_intent
from segue.spec.output import TableVersion, sum_digests
from segue.spec.run import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.protocols import Lake, Ledger
    from segue.spec.output import DataFile
    from segue.spec.run import Intent, Owner, RunSummary
    from segue.spec.scan import Scan


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of a dead run.

    Attributes:
        run_id: The run.
        status: ``done`` if it was brought to its end, ``lost`` if it had not declared what
            it would publish, ``failed`` if another writer's commit made its end impossible.
        snapshot: Number of the snapshot that it published.
        numbers: Number of the version that it published of each table.
        reason: What was found, in one sentence.
    """

    run_id: str
    status: RunStatus
    snapshot: int | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


def recover(
    ledger: Ledger,
    lake: Lake,
    observer: Owner,
    alive: Callable[[Owner], bool] = is_alive,
    complete: Callable[[Recovery], None] = lambda _: None,
) -> tuple[Recovery, ...]:
    """Finish or discard what dead runs left; a few small reads where there is nothing to do.

    It may be repeated, ended at any moment, and done by several processes at once.

    Args:
        ledger: The ledger.
        lake: The lake.
        observer: This process.
        alive: Tells whether an owner on this machine still runs.
        complete: Completes what a dead run told of itself, such as its record; called until
            it has returned once.

    Raises:
        LedgerDamagedError: The ledger is empty and the lake is not.
    """
    require_ledger(ledger, lake)
    ledger.lose_dead_runs(observer, alive)
    finished = {
        intent.run_id: _finish(ledger, lake, intent) for intent in ledger.pending(dead_only=True)
    }
    dead = ledger.unsettled()
    if lost := [run.run_id for run in dead if run.status is RunStatus.LOST]:
        _remove_leftovers(ledger, lake, lost)
    recoveries = tuple(
        finished.get(run.run_id) or _describe_end(run, ledger.published(run.run_id)) for run in dead
    )
    for recovery in recoveries:
        complete(recovery)
    if dead:
        ledger.settle([run.run_id for run in dead])
    return recoveries


def _describe_end(run: RunSummary, numbers: Mapping[str, int]) -> Recovery:
    """Tell what became of a run that died, or that others finished, before now."""
    reasons = {
        RunStatus.DONE: "its process ended; all that it published is there",
        RunStatus.LOST: "its process ended before it could publish",
    }
    reason = reasons.get(run.status, run.error)
    return Recovery(run.run_id, run.status, run.snapshot, numbers, reason)


def _finish(ledger: Ledger, lake: Lake, intent: Intent) -> Recovery:
    pass_point("recover.before")
    try:
        snapshot = complete_intent(ledger, lake, intent, "recover")
    except ForeignCommitError as error:
        return Recovery(intent.run_id, RunStatus.FAILED, reason=error.message)
    numbers = {each.table: each.number for each in intent.publications}
    reason = "its process ended while it published; what was missing was done"
    return Recovery(intent.run_id, RunStatus.DONE, snapshot, numbers, reason)


def _remove_leftovers(ledger: Ledger, lake: Lake, lost: Sequence[str]) -> None:
    # What a dead run finished is noted and reused; the rest is of no use to anybody.
    kept = ledger.protected_files(1)
    for table in lake.folders():
        needed = kept.get(table, frozenset())
        remove_files(
            path
            for path in lake.loose_files(table)
            if run_of(path.name) in lost and path.name not in needed
        )


def adopt_table(
    ledger: Ledger,
    lake: Lake,
    table: str,
    digest: Callable[[Scan], tuple[DataFile, ...]],
    environment: str = "production",
) -> TableVersion:
    """Take what another writer committed to a table as its current version.

    Args:
        ledger: The ledger.
        lake: The lake.
        table: Name of the table.
        digest: Counts and hashes the rows of files, as an engine's session does.
        environment: Whose pointer is moved.

    Returns:
        The version that readers see now.

    Raises:
        ForeignCommitError: Hubs write the table, and go on writing it.
        StorageError: The other writer used what segue can't read by file list.
        ConflictError: A run is publishing the table.
    """
    lake.check_adoptable(table)
    head, schema, files = lake.current(table)
    strange = [file for file in files if not file.digest]
    if strange:
        told = {file.path: file for file in digest(lake.scan(schema, table, strange))}
        files = tuple(told.get(file.path, file) for file in files)
    found = TableVersion(
        table=table,
        number=0,
        delta_version=head,
        schema=schema,
        files=files,
        content_hash=sum_digests(files),
        run_id="adopted",
        fingerprint="",
        published_at="",
    )
    snapshot = ledger.adopt(found, environment)
    return ledger.snapshot(environment, snapshot).versions[table]
