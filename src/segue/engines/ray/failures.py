"""Ray's errors as segue's: what was wrong, and the next move."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from segue.errors import EngineError, SegueError, StepCrashedError, StepError
from segue.spec.failure import unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "ray"


@contextmanager
def translate(stopped: Callable[[], bool]) -> Iterator[None]:
    """Turn what Ray raises into errors that a user is to see.

    Args:
        stopped: Whether the session was closed, so that what failed was ended on purpose.

    Raises:
        SegueError: What a worker raised, or what happened to it.
        EngineError: Ray itself failed.
    """
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, ConnectionError) as error:
        if stopped():
            raise StepError("the engine was closed") from None
        raise translate_error(error) from None


def translate_error(error: Exception) -> SegueError:
    """Return the error that a user is to see."""
    from ray import exceptions as kinds

    sealed = unseal(str(error))
    if sealed is not None:
        if isinstance(sealed, StepError):
            sealed.engine = NAME
        return sealed
    if isinstance(error, kinds.TaskCancelledError):
        return StepError("the work was stopped", engine=NAME)
    if isinstance(error, kinds.OutOfMemoryError):
        return StepCrashedError(
            "Ray ended a worker because its machine ran out of memory",
            engine=NAME,
            hint="ask for more and smaller parts, or for groups that hold less at a time",
        )
    if isinstance(error, kinds.WorkerCrashedError | kinds.NodeDiedError | kinds.ActorDiedError):
        return StepCrashedError(
            "a worker of Ray died while it worked",
            engine=NAME,
            hint="was it killed, for memory maybe, or does a library crash? "
            "The worker's log is in /tmp/ray/session_latest/logs on its machine",
        )
    if isinstance(error, kinds.ObjectLostError | kinds.OwnerDiedError):
        return EngineError(
            "rows that Ray held were lost with the machine or worker that held them",
            hint="run it again",
        )
    return EngineError(f"Ray failed: {_tell(error)}")


def _tell(error: Exception) -> str:
    """Return the line that says most: the last of a traceback, else the first."""
    from ray.exceptions import RayTaskError

    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return lines[-1 if isinstance(error, RayTaskError) else 0][:300]
