"""What a run is about to make visible, and the moment from which it will be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.errors import ConflictError, OutputError
from segue.failpoints import pass_point
from segue.spec.run import Intent, Publication, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from segue.protocols import Lake, Ledger
    from segue.spec.output import StagedTable, StepMemory, TableVersion
    from segue.spec.run import Lease, Snapshot, StepOutcome

_TRUE = (StepStatus.DONE, StepStatus.REUSED, StepStatus.JUDGED)


@dataclass(frozen=True, slots=True)
class Base:
    """What a run builds on; if it has moved when the run publishes, another run was first.

    Attributes:
        snapshot: What the environment's readers see.
        heads: Delta version of each table.
        numbers: Last version number of each table.
    """

    snapshot: Snapshot
    heads: Mapping[str, int]
    numbers: Mapping[str, int]


def make_intent(
    lease: Lease,
    outcomes: Sequence[StepOutcome],
    base: Base,
    memories: Mapping[str, StepMemory] | None = None,
) -> Intent:
    """Return what a run publishes: each table that changed, rejects included.

    A table whose rows and columns are those of its current version gets no new version:
    its readers have nothing to do, and its step is remembered as up to date all the same
    (see `find_unchanged`). Rejects that nobody sets aside any more are taken away.

    Args:
        lease: The run's lease.
        outcomes: What became of its steps.
        base: What the run builds on.
        memories: What was remembered of each step when it was planned.

    Raises:
        OutputError: A table would keep files of other columns.
    """
    current = base.snapshot.versions
    told = tuple(outcome for outcome in outcomes if outcome.status in _TRUE)
    changed = [
        (outcome, staged)
        for outcome in told
        for staged in _results(outcome)
        if not is_unchanged(staged, current.get(staged.table))
    ]
    for outcome, staged in changed:
        _refuse_mixed_columns(outcome, staged, current.get(staged.table))
    publications = tuple(
        _publish(outcome, staged, base, lease.run_id, len(changed), memories or {})
        for outcome, staged in changed
    )
    return Intent(
        lease.run_id,
        lease.token,
        base.snapshot.environment,
        publications,
        told,
        _find_removals(told, current),
    )


def _publish(
    outcome: StepOutcome,
    staged: StagedTable,
    base: Base,
    run_id: str,
    run_tables: int,
    memories: Mapping[str, StepMemory],
) -> Publication:
    memory = None
    if staged is outcome.staged:
        memory = _remember(outcome, run_id, memories.get(outcome.step))
    return Publication(
        table=staged.table,
        number=base.numbers.get(staged.table, 0) + 1,
        staged=staged,
        fingerprint=outcome.fingerprint,
        run_id=run_id,
        base_delta=base.heads.get(staged.table),
        environment=base.snapshot.environment,
        run_tables=run_tables,
        memory=memory,
    )


def _find_removals(
    told: Iterable[StepOutcome], current: Mapping[str, TableVersion]
) -> dict[str, int]:
    """Return the rejects of tables that set none aside any more, and the version of each."""
    names = (f"{outcome.step}{REJECTS}" for outcome in told if outcome.rejects is None)
    return {name: current[name].number for name in names if name in current}


def _results(outcome: StepOutcome) -> Iterator[StagedTable]:
    if outcome.status is not StepStatus.JUDGED:
        yield from filter(None, (outcome.staged, outcome.rejects))


def _remember(outcome: StepOutcome, run_id: str, before: StepMemory | None) -> StepMemory:
    seen = before.seen_files if before else {}
    fresh = {
        table: tuple(path for path in paths if path not in known)
        for table, paths in outcome.seen_files.items()
        for known in [frozenset(seen.get(table, ()))]
    }
    return replace(outcome.remember(run_id, outcome.started_at), seen_files=fresh)


def is_unchanged(staged: StagedTable, current: TableVersion | None) -> bool:
    """Return whether a result has the rows and columns of the current version.

    A file without a digest, such as one of another writer, is taken for changed.
    """
    if current is None or staged.schema != current.schema or staged.rows != current.rows:
        return False
    if any(file.rows and not file.digest for file in (*staged.files, *current.files)):
        return False
    return staged.content_hash == current.content_hash


def find_unchanged(intent: Intent) -> tuple[StagedTable, ...]:
    """Return results of an intent that are equal to what is published already.

    Their new files are of no use to anybody.
    """
    published = {publication.table for publication in intent.publications}
    return tuple(
        staged
        for outcome in intent.outcomes
        for staged in _results(outcome)
        if staged.table not in published
    )


def _refuse_mixed_columns(
    outcome: StepOutcome, staged: StagedTable, current: TableVersion | None
) -> None:
    if staged.keeps and current is not None and staged.schema != current.schema:
        raise OutputError(
            f"the columns of {staged.table!r} changed, and a step that adds to its table "
            f"({staged.mode}) can't change those of the rows that are there: "
            f"they are ({current.schema}), the step gave ({staged.schema})",
            step=outcome.step,
            hint=f"segue run {outcome.step} --force makes the table anew",
        )


def declare_intent(ledger: Ledger, lake: Lake, lease: Lease, intent: Intent) -> None:
    """Record what a run will publish: before this it can be dropped, after it never.

    Raises:
        ForeignCommitError: Another writer committed to one of the tables.
        ConflictError: Another run published one of them, or removed what was staged.
        LeaseLostError: The run was taken for lost.
    """
    for publication in intent.publications:
        found = lake.head(publication.table)
        if found != publication.base_delta:
            # The ledger tells whether it was another run; only then was it not a stranger.
            _refuse_conflict(ledger, publication)
            raise lake.refuse(publication, found)
        folder = lake.folder(publication.table)
        for file in publication.staged.adds:
            if not (folder / file.path).exists():
                raise ConflictError(
                    f"a staged file of the table {publication.table!r} was removed meanwhile",
                    hint="run again",
                )
    pass_point("publish.intent.before")
    ledger.declare(lease, intent)
    pass_point("publish.intent.after")


def _refuse_conflict(ledger: Ledger, publication: Publication) -> None:
    table = publication.table
    pending = {each.table for intent in ledger.pending() for each in intent.publications}
    # A number alone would not tell: one that was given before this run began may have been
    # pending until now.
    if table in pending or ledger.heads().get(table) != publication.base_delta:
        raise ConflictError(
            f"another run published the table {table!r} in the meantime",
            hint="run again: it starts from what is published now",
        )
