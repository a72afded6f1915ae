"""Work on its way to another process."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from segue.errors import StepError

if TYPE_CHECKING:
    from segue.protocols import Work


def pack_work(work: Work, engine: str) -> bytes:
    """Return work as bytes that any process can unpack, whatever pickles an engine itself uses.

    Args:
        work: What to do.
        engine: Name of the engine, for errors.

    Raises:
        StepError: The function refers to something that can't leave this process.
    """
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps(work)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
        raise StepError(
            f"the function can't be sent to workers: {error}",
            engine=engine,
            hint="open what it uses (a connection, a lock, a file) inside of it",
        ) from None
    return packed
