"""Whole files that appear in a folder: read once, then kept, moved or deleted."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.complaints import Complaints
from segue.agent.sources.lines import TOO_LONG
from segue.agent.sources.paths import find_paths, find_root
from segue.agent.sources.tail_file import Identity, Place, TailFile, TruncatedError, look_at
from segue.agent.sources.watch import FolderWatch
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_MOVE = "move:"
_AGAIN = 5.0
"""Seconds until a file is tried again that could not be read."""


class FolderSource(CheckedKind):
    """Reads files whole, in the order of their names, once each.

    A file counts as whole when it was renamed into place, or has not changed for `settle`.
    What comes after reading is done once its rows are in the spool.
    """

    replayable = True
    typed = False
    required = ("path",)
    optional: Mapping[str, Any] = {"exclude": [], "after": "keep", "settle": 1.0}
    shapes: Mapping[str, tuple[str, ...]] = {"settle": ("seconds",)}

    def __init__(self) -> None:
        self._complaints = Complaints()

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> FolderReader:
        """Open it where the cursor says; see `segue.protocols.edge`."""
        del scratch
        options = self.fill_source(source)
        return FolderReader(options, cursor, self._complaints)


class FolderReader:
    """Files that are there, one of which is being read."""

    def __init__(self, options: Options, cursor: Cursor | None, complaints: Complaints) -> None:
        self._patterns, self._exclude = options.texts("path"), options.texts("exclude")
        self._after = options.text("after")
        if self._after not in ("keep", "delete") and not self._after.startswith(_MOVE):
            raise options.wrong("after", "keep, delete or move:FOLDER")
        if self._after.startswith(_MOVE):
            self._exclude += (f"{self._after.removeprefix(_MOVE).rstrip('/')}/*",)
        self._settle = options.seconds("settle")
        self._complaints = complaints
        self._watch = FolderWatch()
        kept = cursor or {}
        self._done: dict[str, list[int]] = dict(kept.get("done", {}))
        self._current: TailFile | None = None
        places = [Place.read(each) for each in kept.get("begun", ())]
        self._begun = {place.identity: place for place in places}
        """Where files stand of which a part was read; more than one only after errors."""
        self._later: dict[str, float] = {}
        """Files that could not be read, and when they are tried again."""
        self._queue: deque[str] = deque()
        self._seen: dict[str, tuple[list[int], float]] = {}
        self._settled = math.inf
        """When the next file will have settled."""
        self.faults: list[OSError] = []
        for path, stamp in list(self._done.items()):
            self._finish(path, stamp)

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            idle = self._current is None and not self._queue
            if idle and (time.monotonic() >= self._settled or self._watch.is_due()):
                self._look()
            chunk = self._take(most)
            if chunk is not None:
                return chunk
            if self._queue:
                continue
            self._complaints.tell(self.faults)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._watch.wait(min(left, max(0.0, self._settled - time.monotonic())))

    def accept(self, receipts: Sequence[Any]) -> None:
        """Do with files that were read what is to be done; their rows are in the spool."""
        for receipt in receipts:
            for path, stamp in receipt or ():
                self._finish(path, stamp)

    def exhausted(self) -> bool:
        """Return whether all files that are there now were read; they count as whole."""
        self._look(whole=True)
        return self._current is None and not self._queue

    def close(self) -> None:
        """Close what is open."""
        if self._current is not None:
            self._current.close()
        self._watch.close()

    def _look(self, *, whole: bool = False) -> None:
        """Find files that were not read yet and are whole."""
        self.faults = []
        self._watch.follow({find_root(pattern) for pattern in self._patterns})
        now = time.monotonic()
        found: dict[str, list[int]] = {}
        for path in find_paths(self._patterns, self._exclude):
            try:
                stamp = _stamp(path)
            except OSError as error:
                self.faults.append(error)
                continue
            if stamp is not None:
                found[path] = stamp
        self._done = {path: stamp for path, stamp in self._done.items() if path in found}
        self._queue.clear()
        self._settled = math.inf
        for path, stamp in found.items():
            before, since = self._seen.get(path, (None, now))
            if before != stamp:
                since = now
            self._seen[path] = (stamp, since)
            reading = self._current is not None and self._current.place.path == path
            if self._done.get(path) == stamp or reading or self._later.get(path, 0.0) > now:
                continue
            if whole or now - since >= self._settle:
                self._queue.append(path)
            else:
                self._settled = min(self._settled, since + self._settle)
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        self._later = {path: when for path, when in self._later.items() if path in found}
        there = {(stamp[0], stamp[1]) for stamp in found.values()}
        self._begun = {each: place for each, place in self._begun.items() if each in there}

    def _take(self, most: int) -> Chunk | None:
        """Return records of the file that is being read, and of the next ones."""
        parts: list[bytes] = []
        got = lost = 0
        finished: list[tuple[str, list[int]]] = []
        while got < most and (self._current is not None or self._open_next()):
            file = self._current
            if file is None:
                break
            data, cut = self._read(file, most - got, most)
            got, lost = got + len(data), lost + cut
            parts.append(data)
            if file is not self._current:
                break
            if not data and not cut:
                if got and file.ready:
                    break
                parts.append(self._end(file, finished))
        if not any(parts) and not lost and not finished:
            return None
        told = ((lost, TOO_LONG),) if lost else ()
        return Chunk(self._write(), b"".join(parts), lost=told, receipt=tuple(finished))

    def _read(self, file: TailFile, room: int, most: int) -> tuple[bytes, int]:
        try:
            return file.read(room, most)
        except TruncatedError:
            fault = OSError(5, "it changed while it was read; the rest is left out")
        except OSError as error:
            fault = OSError(error.errno, error.strerror)
        fault.filename = file.place.path
        self.faults.append(fault)
        file.close()
        self._seen.pop(file.place.path, None)
        self._later[file.place.path] = time.monotonic() + _AGAIN
        self._begun[file.place.identity] = file.place
        self._current = None
        return b"", 0

    def _end(self, file: TailFile, finished: list[tuple[str, list[int]]]) -> bytes:
        last = file.read_last()
        file.close()
        self._current = None
        path, now = file.place.path, self._stamp_of(file.place.path)
        if now is not None and now[:2] == list(file.place.identity):
            read = file.packed or now[2] == file.place.offset
            stamp = now if read else self._seen[path][0]
            self._done[path] = stamp
            finished.append((path, stamp))
        return last

    def _stamp_of(self, path: str) -> list[int] | None:
        try:
            return _stamp(path)
        except OSError:
            return None

    def _open_next(self) -> bool:
        """Open the file that was being read before, or else the next one."""
        for identity, place in self._begun.items():
            for path in (place.path, *self._queue):
                if _identify(path) == identity and self._begin(path, identity):
                    return True
        while self._queue:
            path = self._queue.popleft()
            identity_ = _identify(path)
            if identity_ is not None and self._begin(path, identity_):
                return True
        return False

    def _begin(self, path: str, identity: Identity) -> bool:
        if self._later.get(path, 0.0) > time.monotonic():
            return False
        place = self._begun.get(identity)
        if self._open(replace(place, path=path) if place else Place(path, identity)):
            self._begun.pop(identity, None)
            self._queue = deque(each for each in self._queue if each != path)
            return True
        self._later[path] = time.monotonic() + _AGAIN
        return False

    def _open(self, place: Place) -> bool:
        try:
            found = look_at(place.path)
            file = TailFile(place, found[1] if found else 0)
            if found is None:
                return False
            if not file.open():
                self._begun.pop(place.identity, None)
                file = TailFile(Place(place.path, place.identity), found[1])
                if not file.open():
                    return False
        except OSError as error:
            error.filename = place.path
            self.faults.append(error)
            return False
        if place.path not in self._seen:
            stamp = _stamp(place.path)
            if stamp is not None:
                self._seen[place.path] = (stamp, time.monotonic())
        self._current = file
        return True

    def _write(self) -> Cursor:
        begun = [place.write() for place in self._begun.values()]
        if self._current is not None:
            begun.append(self._current.place.write())
        return {"done": self._done, "begun": begun} if begun else {"done": self._done}

    def _finish(self, path: str, stamp: list[int]) -> None:
        """Delete or move a file that was read, unless another one has its name by now."""
        if self._after == "keep":
            return
        try:
            if _stamp(path) != stamp:
                return
            if self._after == "delete":
                Path(path).unlink(missing_ok=True)
            else:
                _move(Path(path), Path(self._after.removeprefix(_MOVE)))
        except OSError as error:
            error.filename = path
            self.faults.append(error)


def _identify(path: str) -> Identity | None:
    try:
        found = look_at(path)
    except OSError:
        return None
    return found[0] if found else None


def _stamp(path: str) -> list[int] | None:
    """Return what tells a file from another one of its name; None if there is none."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return None
    if not S_ISREG(found.st_mode):
        return None
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns]


def _move(path: Path, folder: Path) -> None:
    """Move a file, beside one that has its name there already."""
    folder.mkdir(parents=True, exist_ok=True)
    target, count = folder / path.name, 0
    while target.exists():
        count += 1
        target = folder / f"{path.name}.{count}"
    path.rename(target)
