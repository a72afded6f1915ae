"""A node's home while an agent runs in it: one agent at a time, ended by signals."""

from __future__ import annotations

import fcntl
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from segue.agent.identity import NEW_EPOCH, SPOOL
from segue.agent.spool import Spool
from segue.agent.spool.settings import read_settings
from segue.errors import FleetError, name_disk_fault

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "agent.lock"


@contextmanager
def hold_home(home: Path) -> Iterator[None]:
    """Be the one agent of a home, for a ``with`` block; the system gives it back at death.

    Raises:
        FleetError: Another agent runs in it.
        StorageError: It can't be written.
    """
    try:
        file = (home / LOCK).open("w")
    except OSError as error:
        raise name_disk_fault(error, home) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FleetError(
                f"an agent runs in {home} already",
                hint=f"look at it: segue agent status --home {home}",
            ) from None
        yield


def is_held(home: Path) -> bool:
    """Return whether an agent runs in a home."""
    try:
        with (home / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def catch_signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for the end, for a ``with`` block."""

    def ask(*_: Any) -> None:
        stop.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def begin_epoch(home: Path) -> None:
    """Begin a new epoch of the spool where the node was enrolled anew.

    Raises:
        StorageError: The spool can't be used.
    """
    marker, spool = home / NEW_EPOCH, home / SPOOL
    if not marker.exists():
        return
    if spool.exists():
        with Spool(spool, read_settings(spool)) as opened:
            opened.begin_epoch()
    marker.unlink()
