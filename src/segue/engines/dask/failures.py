"""What Dask raises, as segue's errors."""

from __future__ import annotations

from segue.errors import EngineError, SegueError, StepCrashedError, StepError
from segue.spec.failure import WorkerFailure, unseal

_CRASH_HINT = (
    "it may have run out of memory (then raise `memory` of the place, or split the rows into "
    "more groups or parts), or the function ends its own process"
)


def translate_failure(error: BaseException, *, lost: bool = False) -> SegueError:
    """Return the error that a user is to see.

    Args:
        error: What came back from distributed.
        lost: Whether the scheduler can't be reached any more.
    """
    if isinstance(error, SegueError):
        return error
    text = error.text if isinstance(error, WorkerFailure) else str(error)
    found = unseal(text)
    if found is not None:
        if isinstance(found, StepError) and not found.engine:
            found.engine = "dask"
        return found
    if lost:
        return EngineError(
            "the connection to Dask's scheduler was lost", hint="is the scheduler still running?"
        )
    kind = type(error).__name__
    if kind == "KilledWorker":
        return StepCrashedError("a worker's process died", hint=_CRASH_HINT, engine="dask")
    if kind.endswith("CancelledError") or kind in ("CommClosedError", "ClosedClientError"):
        # data that was only in the memory of a worker is gone with it
        return StepCrashedError(
            "a worker's process died, and data with it", hint=_CRASH_HINT, engine="dask"
        )
    return EngineError(f"Dask failed: {kind}: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:500]
