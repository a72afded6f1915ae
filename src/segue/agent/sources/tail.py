"""Files that grow: logs, through rotation and truncation; each record exactly once."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.complaints import Complaints
from segue.agent.sources.lines import TOO_LONG
from segue.agent.sources.paths import find_paths
from segue.agent.sources.tail_file import TailFile, TruncatedError, is_packed, look_at
from segue.agent.sources.tail_set import TailSet
from segue.agent.sources.watch import FolderWatch
from segue.protocols.edge import Chunk
from segue.wire.durable import write_durably

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource

_IDLE = 30.0
"""Seconds without growth after which a file is closed, so that what was deleted is freed."""


class TailSource(CheckedKind):
    """Follows files by patterns of paths.

    Reading is exactly once, also where the agent is killed: the cursor says how far each file
    was read, and a file is known again by device, inode and content.
    """

    replayable = True
    typed = False
    required = ("path",)
    optional: Mapping[str, Any] = {"exclude": [], "start": "beginning", "compressed": False}
    shapes: Mapping[str, tuple[str, ...]] = {"start": ("choice", "beginning", "end")}

    def __init__(self) -> None:
        self._complaints = Complaints()

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> TailReader:
        """Open it where the cursor says; see `segue.protocols.edge`."""
        options = self.fill_source(source)
        return TailReader(options, cursor, scratch, self._complaints)


class TailReader:
    """Files that are open."""

    def __init__(
        self, options: Options, cursor: Cursor | None, scratch: Path, complaints: Complaints
    ) -> None:
        patterns, exclude = options.texts("path"), options.texts("exclude")
        starts: dict[tuple[int, int], int] = {}
        if options.choice("start", "beginning", "end") == "end":
            starts = _find_starts(patterns, scratch)
        self._set = TailSet(
            patterns,
            exclude,
            cursor,
            compressed=options.flag("compressed"),
            starts=starts,
        )
        self._watch = FolderWatch()
        self._turn = 0
        self._complaints = complaints

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there; see `segue.protocols.edge`."""
        deadline = time.monotonic() + wait
        while True:
            if self._watch.is_due():
                self._look()
            chunk = self._take(most)
            if chunk is not None:
                self._watch.stir()
                return chunk
            self._complaints.tell(self._set.faults)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._watch.wait(left)

    def accept(self, receipts: Sequence[Any]) -> None:
        """Nobody waits for an answer."""

    def exhausted(self) -> bool:
        """Return whether all whole lines that are there now were read."""
        self._look()
        return not any(file.ready for file in self._set.files.values())

    def close(self) -> None:
        """Close the files."""
        for file in self._set.files.values():
            file.close()
        self._watch.close()

    def _look(self) -> None:
        now = time.monotonic()
        self._set.look()
        for file in list(self._set.files.values()):
            if file.ready:
                file.touched = now
            elif file.opened and now - file.touched > _IDLE and not file.unlinked():
                file.close()
        self._watch.follow(self._set.folders())
        self._watch.took(time.monotonic() - now)

    def _take(self, most: int) -> Chunk | None:
        """Return records of all files that have some, each in its turn first."""
        files = list(self._set.files.values())
        self._turn += 1
        parts: list[bytes] = []
        got = lost = 0
        for step in range(len(files)):
            file = files[(self._turn + step) % len(files)]
            while file.opened and file.ready and got < most:
                data, cut = self._read(file, most - got, most)
                lost += cut
                if not data and not cut:
                    break
                got += len(data)
                parts.append(data)
            if file.opened and not file.ready and file.unlinked():
                parts.append(file.read_last())
                self._set.drop(file)
            if got >= most:
                break
        if not any(parts) and not lost:
            return None
        told = ((lost, TOO_LONG),) if lost else ()
        return Chunk(self._set.write(), b"".join(parts), lost=told)

    def _read(self, file: TailFile, room: int, most: int) -> tuple[bytes, int]:
        try:
            data, lost = file.read(room, most)
        except TruncatedError:
            self._set.lose(file)
            return b"", 0
        except OSError as error:
            error.filename = error.filename or file.place.path
            self._set.faults.append(error)
            file.close()
            return b"", 0
        return data, lost


def _find_starts(patterns: Sequence[str], scratch: Path) -> dict[tuple[int, int], int]:
    """Return the ends of the files that are there at the first time; remembered from then on."""
    kept = scratch / "starts.json"
    if kept.exists():
        written = json.loads(kept.read_text())
    else:
        written = []
        for path in find_paths(patterns, ()):
            if (found := look_at(path)) and not is_packed(path):
                written.append([*found[0], _last_line(path)])
        write_durably(kept, json.dumps(written).encode())
    return {(device, inode): offset for device, inode, offset in written}


def _last_line(path: str) -> int:
    """Return where the last line begins that is not ended yet."""
    with open(path, "rb") as file:  # noqa: PTH123 - paths are texts here
        end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - 65536)
            file.seek(begin)
            at = file.read(end - begin).rfind(b"\n")
            if at >= 0:
                return begin + at + 1
            end = begin
    return 0
