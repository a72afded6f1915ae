"""How an engine says that it can't carry something over."""

from __future__ import annotations

from segue.errors import UnsupportedError


def refuse_for(engine: str, what: str, hint: str = "") -> UnsupportedError:
    """Return the error that tells what can't be carried over.

    Args:
        engine: Name of the engine, as people write it.
        what: What it is, as a user knows it.
        hint: The next move.
    """
    return UnsupportedError(
        f"{what} can't be carried over to {engine} so that it means the same",
        hint=hint or "ask for it in another way, or leave this query to the local engine",
    )
