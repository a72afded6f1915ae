"""Every error that segue raises on purpose, in one tree.

::

    SegueError
    ├── ProjectError            the project's files are wrong: all problems at once
    ├── UsageError              the call or command is wrong
    │   ├── UnknownNameError        a table, step, run or place that does not exist
    │   ├── SelectionError          a selection that can't be read
    │   ├── MissingExtraError       an optional library is not installed
    │   └── UnsupportedError        the engine can't do what was asked of it
    ├── RunError                the run could not be completed
    │   ├── SourceError             a source is missing or can't be read
    │   ├── StepError               a step failed
    │   │   ├── SqlError                its SQL can't be bound or failed
    │   │   ├── OutputError             its result has the wrong type or shape
    │   │   ├── StepTimeoutError        it ran longer than its `timeout`
    │   │   ├── StepMemoryError         it used more than its `memory`
    │   │   └── StepCrashedError        its process died
    │   ├── EngineError             an engine can't be started, reached, or failed by itself
    │   │   └── VersionClashError       its workers run other versions than this process
    │   ├── ContractError           a check failed, so nothing was published
    │   ├── ConflictError           another run published one of the tables first
    │   ├── ForeignCommitError      another writer committed to one of the tables
    │   └── LeaseLostError          this run was taken for lost and fenced off
    ├── StorageError            the lake, the ledger or a spool can't do its work
    │   ├── StorageFullError        no room left
    │   ├── LedgerBusyError         the ledger stayed locked
    │   ├── LedgerDamagedError      the ledger's file is damaged
    │   └── SpoolFullError          a node's spool has reached its cap
    └── FleetError              a hub, a node or a deployment
        ├── EnrolmentError          a token is used up, too old, or for another node
        ├── HubError                the hub can't be reached, or refuses
        │   ├── HubBusyError            a hub has as much as it can hold
        │   ├── SignatureError          a request is not signed as it must be
        │   └── SessionError            the hub does not know the session, so a new one is opened
        ├── ChannelError            a channel did not take a stream alert
        ├── DestinationError        a destination besides the lake can't be written
        │   └── ParcelRefusedError      it refuses these rows, and would again
        ├── BundleError             a bundle has something odd, so it is refused whole
        └── DeploymentError         a deployment is not signed, too old, or does not fit the node

Each class has a stable ``code``, and says whether trying again can help. Each
instance has a message (what was wrong), a ``location`` (where in the user's
files) and a ``hint`` (the next move). An exception that is not a `SegueError`
is a fault of segue itself.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in the user's files.

    Attributes:
        path: Path of the file, relative to the project's folder where it lies inside it.
        line: Line number, from 1; None where the whole file is meant.
    """

    path: str
    line: int | None = None

    def __str__(self) -> str:
        """Return ``path:line``, as editors and terminals understand it.

        A query that was typed has no path.
        """
        if not self.path:
            return f"line {self.line} of the query"
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a project.

    Attributes:
        code: Stable name of the kind of problem, such as ``unknown-table``.
        message: What is wrong, in one sentence.
        location: Where it stands.
        hint: The next move; empty where the message says it all.
    """

    code: str
    message: str
    location: Location | None = None
    hint: str = ""

    def __str__(self) -> str:
        """Return the problem as one line, with its hint on a second."""
        where = f"{self.location}: " if self.location else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}{self.message}{hint}"


class SegueError(Exception):
    """Base of all errors that segue raises on purpose.

    Attributes:
        code: Stable name of the kind of error, for programs and documentation.
        retryable: Whether the same call can succeed later without a change by the user.
        message: What was wrong.
        location: Where in the user's files, if the error has such a place.
        hint: The next move.
    """

    code: ClassVar[str] = "segue"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", location: Location | None = None) -> None:
        """Keep the three parts of the error apart, for terminals and JSON alike."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.location = location

    def __str__(self) -> str:
        """Return place, message and hint as they are shown to a user."""
        where = f"{self.location}: " if self.location else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}{self.message}{hint}"

    def _render_traceback_(self) -> list[str]:
        """Return what notebooks show in place of a traceback, most of which is segue's inside."""
        from pathlib import Path
        from traceback import extract_tb

        inside = (str(Path(__file__).parent), "/IPython/")
        own = [
            frame
            for frame in extract_tb(self.__traceback__)
            if not any(part in frame.filename for part in inside)
        ]
        where = [f"in line {own[-1].lineno}: {own[-1].line}"] if own and own[-1].line else []
        return [*where, f"{type(self).__name__}: {self}"]


class ProjectError(SegueError):
    """The project's files are wrong; carries every problem that was found.

    Attributes:
        problems: All problems, in the order of files and lines.
    """

    code = "project-invalid"

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Sum the problems up in one message."""
        count = len(problems)
        noun = "problem" if count == 1 else "problems"
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(f"{count} {noun} in the project's files\n{lines}")
        self.problems = tuple(problems)


class UsageError(SegueError):
    """The call or command is wrong."""

    code = "usage"


class UnknownNameError(UsageError):
    """A table, step, run, parameter or place that does not exist."""

    code = "unknown-name"


class SelectionError(UsageError):
    """A selection such as ``+daily`` that can't be read or selects nothing."""

    code = "selection"


class MissingExtraError(UsageError):
    """An optional library is needed and not installed; the hint is the command."""

    code = "missing-extra"


class UnsupportedError(UsageError):
    """The engine can't do what was asked of it, and does not guess."""

    code = "unsupported"


class RunError(SegueError):
    """The run could not be completed; published tables are as they were."""

    code = "run-failed"


class SourceError(RunError):
    """A source table is missing or can't be read."""

    code = "source-unreadable"


class StepError(RunError):
    """A step failed.

    Attributes:
        step: Name of the step.
        engine: Name of the engine whose worker it failed on; empty on this machine.
        group: Values of the group's key columns, where the step has groups.
        trace: The user's own frames of the traceback, as text.
        sample: A few rows that the function was working on, as text.
    """

    code = "step-failed"

    def __init__(
        self,
        message: str,
        *,
        step: str = "",
        hint: str = "",
        location: Location | None = None,
        engine: str = "",
        group: str = "",
        trace: str = "",
        sample: str = "",
    ) -> None:
        """Add what a user needs to find the fault in their own function."""
        super().__init__(message, hint=hint, location=location)
        self.step = step
        self.engine = engine
        self.group = group
        self.trace = trace
        self.sample = sample

    def __str__(self) -> str:
        """Return the error with group, trace and sample below it."""
        parts = [super().__str__()]
        if self.engine:
            parts.append(f"  engine: {self.engine}")
        if self.group:
            parts.append(f"  group: {self.group}")
        if self.trace:
            parts.append(self.trace.rstrip())
        if self.sample:
            parts.append(f"  rows it was given:\n{self.sample.rstrip()}")
        return "\n".join(parts)


class SqlError(StepError):
    """A SQL step can't be bound to its tables, or failed while it ran."""

    code = "sql-failed"


class OutputError(StepError):
    """A step's result has a column, type or shape that its schema does not allow."""

    code = "output-invalid"


class StepTimeoutError(StepError):
    """A step ran longer than its `timeout` and was ended with all its children."""

    code = "step-timeout"


class StepMemoryError(StepError):
    """A step used more than its `memory` and was ended with all its children."""

    code = "step-memory"


class StepCrashedError(StepError):
    """A step's process died without an answer."""

    code = "step-crashed"


class EngineError(RunError):
    """An engine can't be started or reached, or failed for reasons of its own."""

    code = "engine-failed"
    retryable = True


class VersionClashError(EngineError):
    """Workers run another Python, segue or Arrow than this process, so functions can't travel."""

    code = "version-clash"
    retryable = False


class ContractError(RunError):
    """At least one check failed, so the run published nothing."""

    code = "contract-failed"


class ConflictError(RunError):
    """Another run published one of the tables first."""

    code = "run-conflict"
    retryable = True


class ForeignCommitError(RunError):
    """A writer other than segue committed to one of the run's tables."""

    code = "foreign-commit"


class LeaseLostError(RunError):
    """This run stopped answering, was taken for lost, and may not publish any more."""

    code = "lease-lost"
    retryable = True


class StorageError(SegueError):
    """The lake or the ledger can't do its work."""

    code = "storage"


class StorageFullError(StorageError):
    """No room is left where the lake, the ledger or temporary files lie."""

    code = "storage-full"
    retryable = True


class LedgerBusyError(StorageError):
    """Another program kept the ledger locked for longer than the wait, or wrote what was read."""

    code = "ledger-busy"
    retryable = True


class LedgerDamagedError(StorageError):
    """The ledger's file is missing pages or is not a ledger; `segue recover` rebuilds it."""

    code = "ledger-damaged"


class SpoolFullError(StorageError):
    """A node's spool has reached its cap, and must not drop anything."""

    code = "spool-full"
    retryable = True


class FleetError(SegueError):
    """A hub, a node or a deployment."""

    code = "fleet-failed"


class EnrolmentError(FleetError):
    """A token is used up, too old, or for another node or project."""

    code = "enrolment-refused"


class HubError(FleetError):
    """The hub can't be reached, or refuses what it was asked.

    Attributes:
        status: Status of the hub's answer; 0 if none came.
        told: Code of the error that the hub tells; empty if it tells none.
        wait: Seconds for which the hub wants to be left alone; 0 if it does not say.
    """

    code = "hub-failed"
    retryable = True
    status: int = 0
    told: str = ""
    wait: float = 0.0


class HubBusyError(HubError):
    """A hub has as much in its hands as it can hold; send again after a while."""

    code = "hub-busy"


class SignatureError(HubError):
    """A request is not signed as it must be: another body, seen before, or signed too narrowly."""

    code = "signature-refused"
    retryable = False


class SessionError(HubError):
    """The hub does not know the session of a request: it was started anew, or has forgotten it."""

    code = "session"


class DestinationError(FleetError):
    """A destination besides the lake can't be written; its batches stay in the spool.

    Attributes:
        wait: Seconds for which it asked to be left alone.
    """

    code = "destination-failed"
    retryable = True
    wait: float = 0.0


class ParcelRefusedError(DestinationError):
    """A destination refuses some rows, and would again: they become a gap at this destination."""

    code = "parcel-refused"
    retryable = False


class ChannelError(FleetError):
    """A channel did not take a stream alert; it is tried again until it does."""

    code = "channel-failed"
    retryable = True


class BundleError(FleetError):
    """A bundle has something odd in it, so it is refused whole."""

    code = "bundle-refused"


class DeploymentError(FleetError):
    """A deployment is not signed by who may, is older than what is known, or does not fit."""

    code = "deployment-refused"


class OlderDeploymentError(DeploymentError):
    """What a hub shows is older than what is known: it was set back, or holds something back."""


def name_disk_fault(error: OSError, where: object) -> StorageError:
    """Return what a failing disk means to a user.

    Args:
        error: What the system said.
        where: Folder or file that was to be written.

    Example:
        >>> name_disk_fault(OSError(errno.ENOSPC, "No space left on device"), "lake").code
        'storage-full'
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFullError(f"no room is left in {where}", hint="make room and run again")
    forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    hint = "give the user who runs segue the right to read and write there" if forbidden else ""
    return StorageError(f"{where} can't be used: {error.strerror or error}", hint=hint)
