"""What a run would do, step by step, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.output import StepMemory, TableVersion
    from segue.spec.scan import SourceState
    from segue.spec.step import PlaceSpec, ProjectSpec, Scalar, StepSpec


class Action(StrEnum):
    """What a run does with a step."""

    RUN = "run"
    REUSE = "reuse"
    """Publish what an earlier run staged and could not publish."""
    JUDGE = "judge"
    """Measure what is published again: a table that its contract refers to has changed."""
    SKIP = "up to date"
    INLINE = "view"
    """Nothing to compute: its SQL is part of its readers'."""
    BLOCKED = "blocked"
    UNSELECTED = "not selected"


AT_WORK = frozenset({Action.RUN, Action.REUSE, Action.JUDGE})
"""Actions that a run has something to do for."""


class Cause(StrEnum):
    """Why a step runs or does not."""

    NEVER_RAN = "never ran"
    CODE_CHANGED = "code changed"
    CONTRACT_CHANGED = "contract changed"
    INPUT_CHANGED = "input changed"
    INPUT_RUNS = "input runs"
    PARAMETER_CHANGED = "parameter changed"
    ASKED = "asked"
    TOO_OLD = "too old"
    UNCHANGED = "unchanged"
    STAGED_EARLIER = "staged earlier"
    MISSING = "missing"
    REWRITTEN = "rewritten"
    INPUT_BLOCKED = "input blocked"
    REFERENCE_CHANGED = "referenced table changed"
    REFERENCE_RUNS = "referenced table runs"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for an action.

    Attributes:
        cause: Kind of the reason.
        detail: The rest of the sentence: which input, which helper, from what to what.
    """

    cause: Cause
    detail: str = ""

    def __str__(self) -> str:
        """Return the reason in plain words."""
        return f"{self.cause}: {self.detail}" if self.detail else str(self.cause)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a step is expected to make.

    Attributes:
        rows: Rows, None if nothing tells.
        bytes: Bytes, None if nothing tells.
        seconds: Time, from the last run.
        input_rows: Rows that it reads, None if nothing tells.
        input_bytes: Bytes that it reads, likewise.
    """

    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    input_rows: int | None = None
    input_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step and what a run does with it.

    Attributes:
        step: The step.
        action: What a run does.
        reasons: Why, most telling first.
        inputs: Identity of each table it reads, where it is known before the run; the empty
            string for a table that the same run makes.
        new_files: For an append step: the files of growing inputs that it has not yet read.
            An input that is not named is read whole; one that is named without files has
            nothing new, so that the step sees none of its rows.
        estimate: What it is expected to make.
        place: Where it runs.
        rebuild: Whether an append or merge step starts from an empty table.
        place_reason: Why there, where the plan chose the place; empty where the step names it.
        references: Identity of each table that contracts look into for the step's verdict: its
            own, and those of the sources that it reads. Empty strings as for `inputs`.
        rejudge: Whether such a table's change alone is answered by judging what is published,
            for no row can come or go with it.
    """

    step: StepSpec
    action: Action
    reasons: tuple[Reason, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    new_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    estimate: Estimate = field(default_factory=Estimate)
    place: str = "local"
    rebuild: bool = False
    place_reason: str = ""
    references: Mapping[str, str] = field(default_factory=dict)
    rejudge: bool = False

    @property
    def name(self) -> str:
        """Name of the step."""
        return self.step.name


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user asked to run.

    Attributes:
        terms: Such as ``daily``, ``+daily``, ``daily+``, ``tag:x``; all steps if empty.
        force: Whether to run selected steps that are up to date.
        since: UTC ISO text: selected steps that last ran before run again.
    """

    terms: tuple[str, ...] = ()
    force: bool = False
    since: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger and the sources say, read before a plan is made.

    Attributes:
        versions: The environment's tables by name.
        memories: Each step's last success that was published (or ran, for an effect).
        staged: Each step's last success that was staged and not published, by a run that is
            over, with its files still there.
        sources: State of each source table.
        missing: Sources that could not be seen, and why.
    """

    versions: Mapping[str, TableVersion] = field(default_factory=dict)
    memories: Mapping[str, StepMemory] = field(default_factory=dict)
    staged: Mapping[str, StepMemory] = field(default_factory=dict)
    sources: Mapping[str, SourceState] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        project: The project.
        steps: Every step, a table before its readers.
        selection: What was asked.
        history: What the decisions rest on.
        places: Places by name, ``local`` among them.
        parameters: Values of settings that this run sets, ``step.name`` to value.
    """

    project: ProjectSpec
    steps: tuple[PlannedStep, ...]
    selection: Selection
    history: History
    places: Mapping[str, PlaceSpec]
    parameters: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def work(self) -> tuple[PlannedStep, ...]:
        """The steps that a run computes, publishes or judges."""
        return tuple(step for step in self.steps if step.action in AT_WORK)

    def __getitem__(self, name: str) -> PlannedStep:
        """Return the planned step called `name`."""
        return next(step for step in self.steps if step.name == name)
