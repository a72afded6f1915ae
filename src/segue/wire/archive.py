"""Zip files of the one form that bundles have: written the same everywhere, read strictly.

A general reader of zip files is generous: it takes data before, between and after members,
prefers one of two names, believes headers. Two readers can then see two things in one file
whose signature is good. So this one takes only what `write_archive` could have written, give
or take compression; everything else is refused whole.
"""

from __future__ import annotations

import stat
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from segue.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_DATE = 0x0021
"""1 January 1980, the first day that the format knows."""
_UTF8 = 0x800
_STORED, _DEFLATED = 0, 8
_CHUNK = 1 << 20
_LONGEST_PART = 200
_LONGEST_NAME = 1000
_CONTROL = ("C", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may be at most.

    Attributes:
        members: Files in it.
        member_bytes: Bytes of one file, unpacked.
        bytes: Bytes of all files, unpacked, and of the archive.
    """

    members: int = 10_000
    member_bytes: int = 2**30
    bytes: int = 2**31


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: Its path, parts apart by ``/``.
        size: Its bytes, as the archive says; `read_member` holds it to that.
    """

    name: str
    size: int
    crc: int
    packed: int
    method: int
    begin: int


def find_odd_name(name: str) -> str:
    """Return what is odd about the path of a member; empty if nothing is.

    Example:
        >>> find_odd_name("steps/orders.py"), find_odd_name("../evil")
        ('', 'a part that is ..')
    """
    oddities = (
        (len(name) > _LONGEST_NAME, "a path that is too long"),
        ("\\" in name or ":" in name, "a backslash or colon"),
        (any(map(_is_hidden, name)), "a sign that can't be seen"),
        (unicodedata.normalize("NFC", name) != name, "letters that are not in composed form"),
    )
    whole = next((what for odd, what in oddities if odd), "")
    return whole or next(filter(None, map(_find_odd_part, name.split("/"))), "")


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign).startswith(_CONTROL)


def _find_odd_part(part: str) -> str:
    if part in ("", ".", ".."):
        return f"a part that is {part or 'empty'}"
    if part != part.strip(" ") or part.endswith("."):
        return "a part that ends with a dot or a space"
    return "a part that is too long" if len(part.encode()) > _LONGEST_PART else ""


def _fold(name: str) -> str:
    """Return what is equal for names that some file systems take for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def check_names(names: list[str]) -> None:
    """Refuse paths that are odd, or that can't stand side by side in a folder.

    Raises:
        BundleError: One of them is odd, or there twice.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        if odd := find_odd_name(name):
            raise _refuse(f"the name {name!r} has {odd}")
        folded = _fold(name)
        if folded in seen:
            raise _refuse(f"the name {name!r} is there twice, or differs only in its case")
        seen.add(folded)
        parts = folded.split("/")
        folders.update("/".join(parts[:end]) for end in range(1, len(parts)))
    if both := sorted(seen & folders):
        raise _refuse(f"{both[0]!r} is a file and a folder")


def _refuse(what: str) -> BundleError:
    return BundleError(f"the archive is refused: {what}", hint="make it again with segue deploy")


def write_archive(path: Path, files: Mapping[str, bytes | Path]) -> None:
    """Write files into an archive; the same files give the same bytes on every machine.

    They are not compressed: what is large among them is already, and the bytes that
    a compressor writes differ between its versions.

    Args:
        path: The new file.
        files: Content, or the file that has it, by name.

    Raises:
        BundleError: A name is odd.
    """
    check_names(list(files))
    central: list[bytes] = []
    with path.open("wb") as out:
        for name in sorted(files):
            crc, size = _measure(files[name])
            encoded = name.encode()
            flags = 0 if encoded.isascii() else _UTF8
            common = (flags, _STORED, 0, _DATE, crc, size, size, len(encoded), 0)
            begin = out.tell()
            out.write(_LOCAL.pack(b"PK\x03\x04", 20, *common) + encoded)
            for chunk in _chunks(files[name]):
                out.write(chunk)
            mode = (stat.S_IFREG | 0o644) << 16
            central.append(
                _CENTRAL.pack(b"PK\x01\x02", 20 | 3 << 8, 20, *common, 0, 0, 0, mode, begin)
                + encoded
            )
        start, listed = out.tell(), b"".join(central)
        out.write(listed)
        out.write(_END.pack(b"PK\x05\x06", 0, 0, len(central), len(central), len(listed), start, 0))


def _chunks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _measure(content: bytes | Path) -> tuple[int, int]:
    crc = size = 0
    for chunk in _chunks(content):
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
    return crc, size


def read_members(file: BinaryIO, limits: Limits) -> list[Member]:
    """Return the files of an archive whose structure is as `write_archive` writes it.

    Args:
        file: The archive.
        limits: What it may be at most.

    Raises:
        BundleError: Something is odd.
    """
    length = file.seek(0, 2)
    if length > limits.bytes:
        raise _refuse(f"it has {length:,} bytes, more than {limits.bytes:,}")
    count, size, start = _read_end(file, length)
    if count > limits.members:
        raise _refuse(f"it has {count:,} members, more than {limits.members:,}")
    listed = _read_at(file, start, size)
    members: list[Member] = []
    at = begin = unpacked = 0
    for _ in range(count):
        fixed = listed[at : at + _CENTRAL.size]
        if len(fixed) < _CENTRAL.size:
            raise _refuse("its list of members is cut off")
        member, width = _read_central(fixed, listed[at + _CENTRAL.size :], begin, limits)
        at += _CENTRAL.size + width
        begin = _check_local(file, fixed, member, width)
        unpacked += member.size
        members.append(member)
        if unpacked > limits.bytes:
            raise _refuse(f"it unpacks to more than {limits.bytes:,} bytes")
    if at != size or begin != start:
        raise _refuse("there is data between or after its members")
    check_names([member.name for member in members])
    return members


def _read_at(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    data = file.read(size)
    if len(data) != size:
        raise _refuse("it is cut off")
    return data


def _read_end(file: BinaryIO, length: int) -> tuple[int, int, int]:
    """Return how many members there are, and where their list stands."""
    if length < _END.size:
        raise _refuse("it is no zip file")
    data = _read_at(file, length - _END.size, _END.size)
    sign, disk, first, here, count, size, start, comment = _END.unpack(data)
    if sign != b"PK\x05\x06" or comment:
        raise _refuse("it is no zip file, or has data after its end")
    if disk or first or here != count:
        raise _refuse("it is in several parts")
    if start + size != length - _END.size:
        raise _refuse("there is data before its first or after its last member")
    return count, size, start


def _read_central(fixed: bytes, rest: bytes, begin: int, limits: Limits) -> tuple[Member, int]:
    """Return a member as the list at the end says it is, and how long its name is."""
    sign, made, need, flags, method, _, _, crc, packed, size, width, extra, comment, disk, *more = (
        _CENTRAL.unpack(fixed)
    )
    _, external, offset = more
    encoded = rest[:width]
    if sign != b"PK\x01\x02" or len(encoded) != width:
        raise _refuse("its list of members is damaged")
    if flags & ~_UTF8:
        raise _refuse("a member is encrypted, or says its size only after itself")
    if method not in (_STORED, _DEFLATED) or need > 20:  # noqa: PLR2004  # version 2.0 of the format
        raise _refuse("a member is packed in a way that bundles don't use")
    if extra or comment or disk or offset != begin:
        raise _refuse("a member has extra fields, or there is data between members")
    name = _decode(encoded, flags)
    mode = external >> 16
    odd_kind = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    if odd_kind or external & 0xFFFF or made >> 8 not in (0, 3):
        raise _refuse(f"{name!r} is a folder, a link or a device")
    if size > limits.member_bytes:
        raise _refuse(f"{name!r} has more than {limits.member_bytes:,} bytes")
    if method == _STORED and packed != size:
        raise _refuse(f"{name!r} has two sizes")
    return Member(name, size, crc, packed, method, begin + _LOCAL.size + width), width


def _decode(encoded: bytes, flags: int) -> str:
    if not flags & _UTF8 and not encoded.isascii():
        raise _refuse("a name is not in UTF-8")
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError:
        raise _refuse("a name is not in UTF-8") from None


def _check_local(file: BinaryIO, central: bytes, member: Member, width: int) -> int:
    """Hold what stands before a member's data to what the list says; return where it ends."""
    local = _read_at(file, member.begin - _LOCAL.size - width, _LOCAL.size + width)
    listed = _CENTRAL.unpack(central)
    # Signature, version needed, flags, method, time, date, CRC, sizes, lengths of name and extra.
    expected = _LOCAL.pack(b"PK\x03\x04", *listed[2:12])
    if local[: _LOCAL.size] != expected or _decode(local[_LOCAL.size :], _UTF8) != member.name:
        raise _refuse(f"{member.name!r} is told in two ways")
    return member.begin + member.packed


def read_member(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the content of a member, never more than it says it has.

    Raises:
        BundleError: Its size or its sum is another.
    """
    crc = size = 0
    for chunk in _inflate(file, member):
        size += len(chunk)
        if size > member.size:
            raise _refuse(f"{member.name!r} unpacks to more than it says")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != member.size or crc != member.crc:
        raise _refuse(f"{member.name!r} is damaged")


def _inflate(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the content of a member in chunks that are bounded whatever is in it."""
    unpack = zlib.decompressobj(-15)
    at, end = member.begin, member.begin + member.packed
    while at < end:
        packed = _read_at(file, at, min(_CHUNK, end - at))
        at += len(packed)
        if member.method == _STORED:
            yield packed
            continue
        full = True
        while packed or full:
            try:
                chunk = unpack.decompress(packed, _CHUNK)
            except zlib.error:
                raise _refuse(f"{member.name!r} is damaged") from None
            # A full chunk may not be all that the input so far stands for.
            packed, full = unpack.unconsumed_tail, len(chunk) == _CHUNK
            yield chunk
    if member.method == _DEFLATED and (not unpack.eof or unpack.unused_data):
        raise _refuse(f"{member.name!r} is cut off, or has data after its end")
