"""A run's right to publish: who holds it, and the heartbeat that keeps it."""

from __future__ import annotations

import getpass
import os
import platform
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import LeaseLostError, StorageError
from segue.spec.run import Owner

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from segue.protocols import Ledger
    from segue.spec.run import Lease

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STAT = Path("/proc/stat")
_OWN_STAT = Path("/proc/self/stat")

BEATS_PER_LEASE = 3


def this_owner() -> Owner:
    """Return who this process is, so that others can tell whether it lives."""
    try:
        boot_id = _BOOT.read_text().strip()
        born = _read_birth()
    except (OSError, ValueError, IndexError, StopIteration):  # no Linux
        import psutil

        boot_id, born = f"{psutil.boot_time():.0f}", psutil.Process().create_time()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return Owner(platform.node(), boot_id, os.getpid(), born, user)


def _read_birth() -> float:
    """Return when this process started, as psutil tells it, which takes longer to load."""
    boot = next(each for each in _STAT.read_text().splitlines() if each.startswith("btime "))
    # the name of the program stands in brackets, and may hold some
    fields = _OWN_STAT.read_text().rpartition(")")[2].split()
    return float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def is_alive(owner: Owner) -> bool:
    """Return whether an owner on this machine still runs; its id may be another's by now."""
    import psutil

    try:
        process = psutil.Process(owner.pid)
        # The start is told in hundredths of a second, and rounded.
        same = abs(process.create_time() - owner.born) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


class Heartbeat:
    """Keeps a lease alive from a thread of its own while a ``with`` block runs.

    Example:
        >>> with Heartbeat(ledger, lease) as heartbeat:  # doctest: +SKIP
        ...     heartbeat.check()
    """

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self._ledger = ledger
        self._lease = lease
        self._over = threading.Event()
        self._lost: LeaseLostError | None = None
        self._thread = threading.Thread(target=self._beat, name="segue-heartbeat", daemon=True)

    def _beat(self) -> None:
        while not self._over.wait(self._lease.seconds / BEATS_PER_LEASE):
            try:
                self._ledger.beat(self._lease)
            except LeaseLostError as error:
                self._lost = error
                return
            except StorageError:
                # A locked or full ledger may recover before the lease is over; if it does
                # not, the run finds out at its intent.
                continue

    @property
    def lost(self) -> bool:
        """Whether the run was taken for lost."""
        return self._lost is not None

    def check(self) -> None:
        """Raise if the run was taken for lost.

        Raises:
            LeaseLostError: It was.
        """
        if self._lost is not None:
            raise self._lost

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with suppress(RuntimeError):
            self._thread.join()
