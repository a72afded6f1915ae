"""Finding a source's files, and telling whether they have changed."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import SourceError
from segue.registry import nearest
from segue.settings import expand_secrets, find_secrets, redact
from segue.spec.scan import SourceFile, SourceState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.step import SourceSpec
    from segue.stores.sources.options import FileOptions

COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
_PATTERN = re.compile(r"[*?\[]")
_HIVE = re.compile(r"[^=]+=.*")


@dataclass(frozen=True, slots=True)
class Found:
    """The files that a path stands for.

    Attributes:
        files: The files, sorted by path.
        grows: Whether files can be added to it.
        hive: Whether ``name=value`` folders are columns.
        root: The project's folder.
        secrets: Names of the variables that stand in the path.
    """

    files: tuple[Path, ...]
    grows: bool
    hive: bool
    root: Path
    secrets: tuple[str, ...] = ()

    def show(self, path: Path) -> str:
        """Return a path as messages name it: relative to the project, if it lies there."""
        return _show(path, self.root, self.secrets)


def find_files(
    source: SourceSpec,
    options: FileOptions,
    root: Path,
    suffixes: Sequence[str],
    only: Sequence[str] = (),
) -> Found:
    """Return the files of a source.

    Args:
        source: The source.
        options: Its validated options.
        root: The project's folder.
        suffixes: Endings of the files that count in a folder.
        only: Absolute paths to which the files are limited.

    Raises:
        SourceError: There is none; the hint names the nearest.
    """
    place = resolve_path(source, options.path, root)
    if place.is_file():
        files, base, grows = [place], place.parent, False
    elif place.is_dir():
        files, base, grows = list(_walk_folder(place, suffixes)), place, True
    elif _PATTERN.search(str(place)):
        found = glob.glob(str(place), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = [Path(path) for path in found if Path(path).is_file()]
        # what stands before the first folder or name with a sign in it
        base, grows = Path(os.path.dirname(_PATTERN.split(str(place))[0])), True  # noqa: PTH120
    else:
        raise _missing(source, place, root, find_secrets(options.path))
    if not files:
        raise SourceError(
            f"table {source.name!r}: no file matches {options.path}",
            location=source.location,
            hint=_suggest(place, base),
        )
    files.sort()
    parts = [path.relative_to(base).parts[:-1] for path in files]
    hive = options.hive
    if hive is None:
        hive = all(any(_HIVE.fullmatch(part) for part in each) for each in parts)
    if only:
        wanted = set(only)
        files = [path for path in files if str(path) in wanted]
        if not files:
            raise SourceError(
                f"table {source.name!r}: its new files are gone again", location=source.location
            )
    return Found(tuple(files), grows, hive, root, find_secrets(options.path))


def fill_secrets(source: SourceSpec, text: str) -> str:
    """Return a text with the values of the variables that it names.

    Raises:
        SourceError: One is not set.
    """
    try:
        return expand_secrets(text, os.environ)
    except KeyError as error:
        name = error.args[0]
        raise SourceError(
            f"table {source.name!r}: the environment variable {name} is not set",
            location=source.location,
            hint=f"set it: export {name}=…",
        ) from None


def resolve_path(source: SourceSpec, text: str, root: Path) -> Path:
    """Return a path of the project's files as an absolute one, with secrets filled in.

    Raises:
        SourceError: A variable is not set, or the path is an address.
    """
    text = fill_secrets(source, text)
    if "://" in text:
        raise SourceError(
            f"table {source.name!r}: files behind addresses can't be read yet",
            location=source.location,
            hint="copy them into a local folder",
        )
    return Path(os.path.abspath(root / text))  # noqa: PTH100 - symbolic links stay as they are


def _walk_folder(folder: Path, suffixes: Sequence[str]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            plain = name.lower()
            for ending in COMPRESSED:
                plain = plain.removesuffix(ending)
            if plain.endswith(tuple(suffixes)) and not name.startswith((".", "_")):
                yield Path(parent, name)


def _show(path: Path, root: Path, secrets: Sequence[str]) -> str:
    text = os.path.relpath(path, root) if path.is_relative_to(root) else str(path)
    return redact(text, secrets, os.environ)


def _missing(source: SourceSpec, place: Path, root: Path, secrets: Sequence[str]) -> SourceError:
    return SourceError(
        f"table {source.name!r}: there is no file {_show(place, root, secrets)}",
        location=source.location,
        hint=redact(_suggest(place, place.parent), secrets, os.environ),
    )


def _suggest(place: Path, folder: Path) -> str:
    while not folder.is_dir() and folder != folder.parent:
        place, folder = folder, folder.parent
    names = [each.name for each in folder.iterdir() if not each.name.startswith(".")]
    if not names:
        return f"the folder {folder.name} is empty"
    return f"in {folder.name}: {nearest(place.name, names)}"


def observe_files(
    source: SourceSpec, options: FileOptions, root: Path, suffixes: Sequence[str]
) -> tuple[SourceState, Found]:
    """Return the state of a source, told by names, sizes and times of its files.

    Raises:
        SourceError: There is no file.
    """
    found = find_files(source, options, root, suffixes)
    digest = hashlib.sha256(json.dumps(dict(source.options), default=str, sort_keys=True).encode())
    files = []
    for path in found.files:
        seen = path.stat()
        stamp = f"{seen.st_size}-{seen.st_mtime_ns}"
        files.append(SourceFile(str(path), seen.st_size, stamp, found.show(path)))
        digest.update(f"\0{os.path.relpath(path, root)}\0{stamp}".encode())
    state = SourceState(source.name, digest.hexdigest(), tuple(files), grows=found.grows)
    return state, found
