"""Compressed files and other encodings, made plain in the scratch folder where they must be."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import lzma
import os
import shutil
import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from segue.errors import Location, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_CHUNK = 1 << 20


def is_utf8(encoding: str) -> bool:
    """Return whether a codec's name means UTF-8 or a part of it."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def unpack_file(
    path: Path, shown: str, scratch: Path, *, native: tuple[str, ...] = (), encoding: str = "utf-8"
) -> Path:
    """Return a file that an engine can read: the file itself, or a plain copy of it.

    Args:
        path: The file.
        shown: Its name in messages.
        scratch: Where a copy may lie.
        native: Compressions that the engine reads by itself.
        encoding: What its text is written in; a copy is UTF-8.

    Raises:
        SourceError: It is damaged, or not in the stated encoding.
    """
    plain = is_utf8(encoding)
    packed = path.suffix.lower() in (".gz", ".zst", ".bz2", ".xz", ".zip")
    if plain and (not packed or path.suffix.lower() in native):
        return path
    seen = path.stat()
    key = f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}\0{encoding}"
    name = path.stem if packed else path.name
    target = scratch / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{name}"
    if target.exists():
        return target
    half = target.with_name(f"{target.name}.{os.getpid()}.half")
    scratch.mkdir(parents=True, exist_ok=True)
    with open_plain(path, shown) as source, half.open("wb") as sink:
        if plain:
            shutil.copyfileobj(source, sink, _CHUNK)
        else:
            _recode(source, sink, shown, encoding)
    half.replace(target)
    return target


@contextmanager
def open_plain(path: Path, shown: str) -> Iterator[IO[bytes]]:
    """Open a file for reading, uncompressed.

    Raises:
        SourceError: It is damaged, here or while it is read.
    """
    try:
        with _open(path, shown) as file:
            yield file
    except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile) as error:
        hint = "may you read it?" if isinstance(error, PermissionError) else "is it whole?"
        told = f"the file can't be read: {error}"
        raise SourceError(told, location=Location(shown), hint=hint) from None


@contextmanager
def _open(path: Path, shown: str) -> Iterator[IO[bytes]]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_find_member(archive, shown)) as file:
            yield file
    elif suffix == ".zst":
        import pyarrow as pa  # the standard library has no Zstandard yet

        with pa.input_stream(str(path), compression="zstd") as file:
            yield file
    else:
        openers: dict[str, Callable[[Path], Any]] = {
            ".gz": gzip.open,
            ".bz2": bz2.open,
            ".xz": lzma.open,
        }
        with openers[suffix](path) if suffix in openers else path.open("rb") as file:
            yield file


def _find_member(archive: zipfile.ZipFile, shown: str) -> str:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        raise SourceError(
            f"the archive holds {len(names)} files, where one is expected",
            location=Location(shown),
            hint="unpack it into a folder, and name that folder as `path`",
        )
    return names[0]


def _recode(source: IO[bytes], sink: IO[bytes], shown: str, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    while True:
        chunk = source.read(_CHUNK)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError as error:
            if isinstance(error, UnicodeDecodeError):
                before = error.object[: error.start].decode(encoding, errors="ignore")
                lines += before.count("\n")
            raise SourceError(
                f"its text is not {encoding}: {error}",
                location=Location(shown, lines),
                hint="state the encoding that it is written in",
            ) from None
        lines += text.count("\n")
        sink.write(text.encode())
        if not chunk:
            return
