"""Waits until something happens in folders: by inotify where there is one, else by the time."""

from __future__ import annotations

import ctypes
import os
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MODIFY, _FROM, _TO, _CREATE, _DELETE = 0x2, 0x40, 0x80, 0x100, 0x200
_EVENTS = _MODIFY | _FROM | _TO | _CREATE | _DELETE
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_SHORTEST, _LONGEST = 0.02, 1.0
_SHARE = 10
_APART = 0.03
"""Seconds between two looks at least: writers of many small lines are not followed one by one."""


class FolderWatch:
    """Tells when it is time to look at folders again.

    Without inotify, and for file systems whose changes come from elsewhere, it looks with
    a pause that grows to a second.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        init = getattr(self._libc, "inotify_init1", None)
        self._fd = init(_FLAGS) if init else -1
        self._watched: dict[str, int] = {}
        self._pause = _SHORTEST
        self._looked = float("-inf")
        self._apart = _APART
        self._changed = True

    def follow(self, folders: Iterable[str]) -> None:
        """Watch these folders, and no others."""
        if self._fd < 0:
            return
        wanted = set(folders)
        for folder in self._watched.keys() - wanted:
            self._libc.inotify_rm_watch(self._fd, self._watched.pop(folder))
        for folder in wanted - self._watched.keys():
            number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _EVENTS)
            if number >= 0:
                self._watched[folder] = number

    def is_due(self) -> bool:
        """Return whether it is time to look; who asks will look."""
        self._drain()
        since = time.monotonic() - self._looked
        patience = max(_LONGEST, self._apart) if self._watched else self._pause
        if since < (self._apart if self._changed else patience):
            return False
        self._pause = min(self._pause * 2, _LONGEST)
        self._changed = False
        self._looked = time.monotonic()
        return True

    def took(self, seconds: float) -> None:
        """Learn how long a look took: where there are many files, looks are further apart."""
        self._apart = max(_APART, _SHARE * seconds)

    def stir(self) -> None:
        """Look again soon: something was there."""
        self._pause = _SHORTEST

    def wait(self, seconds: float) -> None:
        """Wait until it may be time to look, but no longer than so many seconds."""
        since = time.monotonic() - self._looked
        patience = _LONGEST if self._watched else self._pause
        if self._changed or not self._watched:
            patience = self._apart if self._changed else patience
            time.sleep(max(0.0, min(seconds, patience - since)))
            return
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.poll(max(0.0, min(seconds, patience - since)) * 1000)

    def close(self) -> None:
        """Give back the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _drain(self) -> None:
        if self._fd < 0:
            return
        try:
            while os.read(self._fd, 65536):
                self._changed = True
        except BlockingIOError:
            return
