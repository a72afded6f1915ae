"""Names of epochs."""

from __future__ import annotations

import os


def make_epoch() -> str:
    """Return the name of a new epoch: 16 hex digits.

    Example:
        >>> len(make_epoch())
        16
    """
    return os.urandom(8).hex()
