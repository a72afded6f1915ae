"""The files that a pattern finds, through renaming, truncation, copies and compression.

A file is known by device, inode and what was read of it, never by its name alone. What was
lost sight of is an *orphan*: a file that holds what was read of it is its renamed, copied or
compressed self, and is read on from there.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.agent.sources.paths import find_paths, find_root, folder_of, name_of
from segue.agent.sources.tail_file import Identity, Place, TailFile, is_packed, look_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from segue.protocols.edge import Cursor

_ORPHANS = 64
"""Places that are kept of files which are out of sight."""
_MOST_TRIED = 10_000


class TailSet:
    """Files that are followed.

    Args:
        patterns: Of paths.
        exclude: Patterns of paths that are left out.
        cursor: What the spool has kept.
        compressed: Whether compressed files are read that continue none that was read before.
        starts: Offsets at which files begin that are not known yet.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        exclude: Sequence[str],
        cursor: Cursor | None,
        *,
        compressed: bool,
        starts: Mapping[Identity, int],
    ) -> None:
        self._patterns = patterns
        self._exclude = exclude
        self._compressed = compressed
        self._starts = dict(starts) if cursor is None else {}
        kept = cursor or {}
        self.files: dict[Identity, TailFile] = {}
        for written in kept.get("files", ()):
            place = Place.read(written)
            self.files[place.identity] = TailFile(place, 0)
        self._orphans = deque((Place.read(each) for each in kept.get("orphans", ())), _ORPHANS)
        self._unlike: set[tuple[Identity, int, str]] = set()
        self._copies: dict[Identity, tuple[Identity, TailFile]] = {}
        self.faults: list[OSError] = []
        """Files that could not be read at the last look."""

    def write(self) -> Cursor:
        """Return where reading goes on."""
        files = [file.place.write() for file in self.files.values()]
        orphans = [place.write() for place in self._orphans]
        return {"files": files, "orphans": orphans} if orphans else {"files": files}

    def folders(self) -> set[str]:
        """Return the folders in which something can happen."""
        found = {folder_of(file.place.path) for file in self.files.values()}
        return found | {find_root(pattern) for pattern in self._patterns}

    def look(self) -> None:
        """Find out which files there are now."""
        self.faults = []
        seen = dict(_look_at_all(find_paths(self._patterns, self._exclude), self.faults))
        self._find_missing(seen)
        for identity, (path, size) in seen.items():
            file = self.files.get(identity)
            if file is None:
                continue
            if is_packed(path) and not file.packed:
                self._lose(file)  # the inode was used again
                continue
            file.place = replace(file.place, path=path)
            file.missing = False
            self._see(file, size)
        for identity, (path, size) in seen.items():
            if identity not in self.files and size:
                self._meet(TailFile(Place(path, identity), size))
        self._find_orphans()

    def lose(self, file: TailFile) -> None:
        """Begin a file again whose content is another, and look for what it was."""
        was = file.place
        self._remember(was)
        file.size = file.grown()
        file.restart()
        self._open(file)
        self._find_orphans()
        for identity, (original, copy) in list(self._copies.items()):
            if original == was.identity and identity not in self.files:
                self._take_for_read(copy)
                del self._copies[identity]

    def _take_for_read(self, copy: TailFile) -> None:
        """Know a copy whose original was read further than it goes."""
        try:
            copy.skip_to(copy.size)
        except OSError as error:
            self.faults.append(error)
        self.files[copy.place.identity] = copy

    def drop(self, file: TailFile) -> None:
        """Forget a file that is gone and was read to its end."""
        file.close()
        self._remember(file.place)
        self.files.pop(file.place.identity, None)

    def _find_missing(self, seen: dict[Identity, tuple[str, int]]) -> None:
        """Follow files that were renamed to what the pattern does not find."""
        missing = [file for identity, file in self.files.items() if identity not in seen]
        if not missing:
            return
        folders = {folder_of(file.place.path) for file in missing}
        beside = dict(_look_at_all(_list_folders(folders), []))
        for file in missing:
            found = beside.get(file.place.identity)
            if found is not None and _is_still(file, *found):
                seen[file.place.identity] = found
            elif file.opened:
                file.missing = True
                file.size = file.grown()
            else:
                self._lose(file)

    def _see(self, file: TailFile, size: int) -> None:
        """Take notice of a known file's size."""
        file.size = size
        if not file.packed and size < file.place.offset:
            self.lose(file)
        elif not file.opened and (file.ready or not file.known):
            self._open(file)

    def _open(self, file: TailFile) -> None:
        try:
            same = file.open()
        except FileNotFoundError:  # it went since; the next look finds out where
            return
        except OSError as error:
            self.faults.append(error)
            return
        if not same and file.place.offset:
            self.lose(file)

    def _meet(self, file: TailFile) -> None:
        """Begin a file that is new, unless it is a copy of one that is still there."""
        if self._adopt(file) or self._is_copy(file):
            return
        if file.packed and not self._compressed:
            return
        begin = self._starts.pop(file.place.identity, 0)
        try:
            if 0 < begin <= file.size:
                file.skip_to(begin)
            else:
                file.open()
        except FileNotFoundError:
            return
        except OSError as error:
            self.faults.append(error)
            return
        self.files[file.place.identity] = file

    def _is_copy(self, file: TailFile) -> bool:
        """Return whether a file is a copy of one that is followed, made before a truncation."""
        identity = file.place.identity
        original, known = self._copies.pop(identity, (None, None))
        for other in list(self.files.values()):
            if other.packed or file.packed or not is_kin(file.place.path, other.place.path):
                continue
            begin = known.size if known and original == other.place.identity else 0
            if begin <= file.size <= other.grown() and _begins_like(file, other, begin):
                self._copies[identity] = (other.place.identity, file)
                return True
            # it may have been truncated since it was looked at
            if not _is_intact(other):
                self.lose(other)
                if identity in self.files:
                    return True
        return False

    def _find_orphans(self) -> None:
        if not self._orphans:
            return
        folders = {folder_of(place.path) for place in self._orphans}
        for identity, (path, size) in _look_at_all(_list_folders(folders), []):
            if identity not in self.files and size:
                self._adopt(TailFile(Place(path, identity), size))

    def _adopt(self, file: TailFile) -> bool:
        """Read on in a file that holds what was read of an orphan."""
        for orphan in list(self._orphans):
            if not orphan.offset or not is_kin(file.place.path, orphan.path):
                continue
            tried = (file.place.identity, file.size, orphan.print)
            if tried in self._unlike:
                continue
            file.place = replace(orphan, path=file.place.path, identity=file.place.identity)
            if (file.packed or file.size >= orphan.offset) and _opens(file):
                self._orphans.remove(orphan)
                self._copies.pop(file.place.identity, None)
                self.files[file.place.identity] = file
                return True
            if len(self._unlike) > _MOST_TRIED:
                self._unlike.clear()
            self._unlike.add(tried)
            file.place = Place(file.place.path, file.place.identity)
        return False

    def _lose(self, file: TailFile) -> None:
        file.close()
        self._remember(file.place)
        del self.files[file.place.identity]

    def _remember(self, place: Place) -> None:
        if place.offset:
            self._orphans.append(place)


def is_kin(path: str, other: str) -> bool:
    """Return whether a file can be another one, rotated, by their names.

    Example:
        >>> is_kin("/log/app.log.1.gz", "/log/app.log"), is_kin("/log/apple.log", "/log/app.log")
        (True, False)
    """
    if folder_of(path) != folder_of(other):
        return False
    name, stem = name_of(path), name_of(other).split(".")[0]
    return name.startswith(stem) and not name[len(stem) :][:1].isalnum()


def _is_still(file: TailFile, path: str, size: int) -> bool:
    """Return whether a file that no pattern finds is the one that was read, renamed.

    Its number proves it while it is open; later, another program's file may have the number.
    """
    if is_packed(path) != file.packed:
        return False
    if file.opened or (file.known and (path, size) == (file.place.path, file.size)):
        return True
    if not file.place.offset or (size < file.place.offset and not file.packed):
        return False
    file.place = replace(file.place, path=path)
    return _opens(file)


def _opens(file: TailFile) -> bool:
    try:
        return file.open()
    except OSError:
        return False


def _is_intact(file: TailFile) -> bool:
    try:
        return file.is_intact()
    except OSError:  # it went, and is not a copy's original any more
        return True


def _begins_like(file: TailFile, other: TailFile, begin: int) -> bool:
    try:
        return file.begins_like(other, begin)
    except OSError:
        return False


def _look_at_all(
    paths: Iterable[str], faults: list[OSError]
) -> Iterator[tuple[Identity, tuple[str, int]]]:
    for path in paths:
        try:
            found: Any = look_at(path)
        except OSError as error:
            faults.append(error)
            continue
        if found:
            yield found[0], (path, found[1])


def _list_folders(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        try:
            yield from sorted(entry.path for entry in os.scandir(folder))
        except OSError:  # the folder went with its files
            continue
