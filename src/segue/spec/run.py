"""Runs: what was started, what each step came to, what is meant to be published."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from segue.spec.output import StepMemory
from segue.spec.sensitive import NONE
from segue.spec.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.alerts import Delivery
    from segue.spec.contract import Report
    from segue.spec.output import StagedTable, TableVersion
    from segue.spec.sensitive import Sensitive
    from segue.spec.types import TableSchema


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    PUBLISHING = "publishing"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    """Its process is gone or was fenced off before it could publish."""


class StepStatus(StrEnum):
    """What became of a step in a run."""

    DONE = "done"
    REUSED = "reused"
    JUDGED = "judged again"
    """Not computed: what is published was measured, and passed."""
    SKIPPED = "up to date"
    FAILED = "failed"
    REJECTED = "contract failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is written when a run begins.

    Attributes:
        run_id: ``YYYYMMDD-HHMMSS-xxxx`` in UTC; for people, order comes from the ledger.
        project: Name of the project.
        environment: Name of the environment.
        command: What was asked, as a person would type it.
        started_at: UTC time as ISO text.
        tables: Tables that it means to publish.
    """

    run_id: str
    project: str
    environment: str
    command: str
    started_at: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lease, so that others can tell whether it lives.

    Attributes:
        host: Name of the machine.
        boot_id: Changes at each start of the machine; monotonic clocks compare only within it.
        pid: Process id.
        born: When the process started, as the system counts it, so that a reused pid is seen.
        user: Who ran it.
    """

    host: str
    boot_id: str
    pid: int
    born: float
    user: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A run's right to publish.

    Attributes:
        run_id: The run.
        token: Fencing token; grows with every run, and is void once the run is taken for lost.
        seconds: How long a heartbeat is good for.
        owner: Who holds it.
    """

    run_id: str
    token: int
    seconds: float
    owner: Owner


@dataclass(frozen=True, slots=True)
class StepFailure:
    """Why a step failed, as it is shown and recorded; secrets are out of it.

    Attributes:
        code: The error's stable name.
        message: What was wrong.
        hint: The next move.
        where: File and line of the user's, as ``path:line``.
        group: The group's key values.
        trace: The user's own frames.
        sample: Rows it was given.
        engine: The engine whose worker it failed on; empty on this machine.
    """

    code: str
    message: str
    hint: str = ""
    where: str = ""
    group: str = ""
    trace: str = ""
    sample: str = ""
    engine: str = ""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step.

    Attributes:
        step: Name of the step.
        status: What it came to.
        reasons: Why it ran or did not, in plain words.
        fingerprint: Digest of its code.
        parts: Parts of the fingerprint.
        inputs: Identity of each table it read.
        input_rows: Rows of each input, where they are known.
        parameters: Values of its settings as JSON text.
        staged: What it made; None for an effect or a failure.
        rejects: Rows set aside.
        report: What was measured.
        failure: Why it failed.
        attempts: How many attempts were made.
        seconds: Time of the last attempt and its checks.
        started_at: UTC time as ISO text.
        seen_files: Files of growing inputs that an append step has now used up.
        place: Where it ran.
        peak_memory: Bytes of resident memory, for a step with a process of its own.
        columns: Columns of a source as it was read, where its format does not state them.
        references: Identity of each table that contracts looked into.
        renews: What was remembered of a step that is only judged again.
    """

    step: str
    status: StepStatus
    reasons: tuple[str, ...] = ()
    fingerprint: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    input_rows: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    staged: StagedTable | None = None
    rejects: StagedTable | None = None
    report: Report | None = None
    failure: StepFailure | None = None
    attempts: int = 0
    seconds: float = 0.0
    started_at: str = ""
    seen_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: str = "local"
    peak_memory: int | None = None
    columns: TableSchema | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    renews: StepMemory | None = None

    @property
    def succeeded(self) -> bool:
        """Whether readers of the step may go on."""
        return self.status in (
            StepStatus.DONE,
            StepStatus.REUSED,
            StepStatus.JUDGED,
            StepStatus.SKIPPED,
        )

    def hide_bounds(self, sensitive: Mapping[str, Sensitive]) -> StepOutcome:
        """Return it with new files that tell no bounds of sensitive columns: they are recorded."""
        if not sensitive:
            return self
        staged, rejects = (
            made and made.hide_bounds(sensitive.get(made.table, NONE).among(made.schema.names))
            for made in (self.staged, self.rejects)
        )
        return replace(self, staged=staged, rejects=rejects)

    def remember(self, run_id: str, finished_at: str, *, staged: bool = False) -> StepMemory:
        """Return what is remembered of a success.

        Args:
            run_id: The run.
            finished_at: UTC time as ISO text.
            staged: Whether to keep the result and its report, for a later run to publish.
        """
        if self.renews is not None:
            return replace(self.renews, references=self.references)
        made = self.staged
        measured = self.report.measurements if staged and self.report else ()
        return StepMemory(
            step=self.step,
            fingerprint=self.fingerprint,
            parts=self.parts,
            inputs=self.inputs,
            parameters=self.parameters,
            schema=made.schema if made else self.columns,
            run_id=run_id,
            finished_at=finished_at,
            seen_files=self.seen_files,
            rows=sum(file.rows for file in made.adds) if made else 0,
            seconds=self.seconds,
            staged=made if staged else None,
            rejects=self.rejects if staged else None,
            report=tuple(asdict(measurement) for measurement in measured),
            references=self.references,
        )


@dataclass(frozen=True, slots=True)
class Publication:
    """One table's part of an intent.

    Attributes:
        table: Name of the table.
        number: Number that the version gets: the last one and 1.
        staged: What is published.
        fingerprint: Digest of the code that made it.
        run_id: The run.
        base_delta: Delta version that the log must stand at; None if the table is new.
        environment: Whose pointer is moved.
        run_tables: How many tables the run publishes together, so that half a run is known
            for what it is when only the logs are left.
        memory: What is remembered of the step; its `seen_files` are only the new ones.
    """

    table: str
    number: int
    staged: StagedTable
    fingerprint: str
    run_id: str
    base_delta: int | None
    environment: str = "production"
    run_tables: int = 1
    memory: StepMemory | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """All that a run is about to make visible; once it is in the ledger, it will be.

    Attributes:
        run_id: The run.
        token: Its fencing token.
        environment: Whose pointer is moved.
        publications: One per table.
        outcomes: Steps whose memory becomes true with it.
        removals: Tables that readers see no more, and the version that they saw.
    """

    run_id: str
    token: int
    environment: str
    publications: tuple[Publication, ...]
    outcomes: tuple[StepOutcome, ...] = ()
    removals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The set of table versions that an environment's readers see.

    Attributes:
        number: Ledger's number of the snapshot; 0 before anything was published.
        environment: Name of the environment.
        versions: Versions by table name.
        run_id: Run that moved the pointer there.
        created_at: UTC time as ISO text.
    """

    number: int
    environment: str
    versions: Mapping[str, TableVersion]
    run_id: str = ""
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in the list of runs.

    Attributes:
        run_id: The run.
        number: Ledger's count, which gives the order.
        status: How it stands.
        environment: Name of the environment.
        command: What was asked.
        started_at: UTC time as ISO text.
        seconds: How long it took; None while it runs or if it was lost.
        steps: Number of steps by status.
        snapshot: Number of the snapshot it published; None if it published nothing.
        error: Why it failed.
        user: Who ran it.
        host: Where.
    """

    run_id: str
    number: int
    status: RunStatus
    environment: str
    command: str
    started_at: str
    seconds: float | None = None
    steps: Mapping[str, int] = field(default_factory=dict)
    snapshot: int | None = None
    error: str = ""
    user: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class RunResult(Shown):
    """What a run came to.

    Attributes:
        run_id: The run; empty where there was nothing to do.
        status: How it ended.
        outcomes: One per step, in the order of the plan.
        snapshot: Number of the snapshot it published.
        seconds: How long it took.
        record: Path of its record.
        error: Why nothing was published.
        recovered: Runs that were recovered before this one began.
        removed: Tables that readers see no more.
        alerts: Who was told of checks, and whether it arrived.
    """

    run_id: str
    status: RunStatus
    outcomes: tuple[StepOutcome, ...]
    snapshot: int | None = None
    seconds: float = 0.0
    record: str = ""
    error: Exception | None = None
    recovered: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    alerts: tuple[Delivery, ...] = ()

    def __getitem__(self, step: str) -> StepOutcome:
        """Return the outcome of a step."""
        return next(outcome for outcome in self.outcomes if outcome.step == step)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a listener hears while a run goes on.

    Attributes:
        step: Name of the step; empty for the run itself.
        stage: ``planned``, ``started``, ``rows``, ``judging``, ``settled``, ``publishing``, ...
        rows: Rows so far.
        total: Rows expected, None if nothing tells.
        details: Further plain values: ``share`` of the step's work that is done, ``steps`` that
            are planned, ...
    """

    step: str
    stage: str
    rows: int = 0
    total: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
