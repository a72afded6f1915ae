"""Bundles: what a node needs to run the edge part of a project, in one file.

``manifest.json`` names every other member with its digest; ``edge.json`` is the edge part;
``project/`` has the modules of steps, ``wheels/`` packages, ``tables/`` reference tables.
A bundle is called by the SHA-256 of its bytes, so that equal content is one bundle.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import BundleError
from segue.wire.archive import Limits, Member, read_member, read_members, write_archive
from segue.wire.durable import sync_folder, sync_folders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

MANIFEST = "manifest.json"
EDGE = "edge.json"
LOCK = "requirements.lock"
WHEELS = "wheels"
PROJECT = "project"
FORMAT = 1

LIMITS = Limits()
_LONGEST_MANIFEST = 8 * 2**20
_TARGET = re.compile(r"bundle-([0-9a-f]{64})\.zip")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        project: Name of the project.
        fleet: Name of the fleet.
        files: SHA-256 of each other member, by name.
    """

    project: str
    fleet: str
    files: Mapping[str, str]


def name_target(digest: str) -> str:
    """Return the name of a bundle by its digest.

    Example:
        >>> name_target("ab" * 32)[:12]
        'bundle-ababa'
    """
    return f"bundle-{digest}.zip"


def read_target(target: str) -> str:
    """Return the digest in the name of a bundle.

    Raises:
        BundleError: It is no such name.
    """
    match = _TARGET.fullmatch(target)
    if match is None:
        raise BundleError(f"{target!r} is not the name of a bundle")
    return match[1]


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bundle(
    folder: Path, files: Mapping[str, bytes | Path], *, project: str, fleet: str
) -> Path:
    """Write a bundle into a folder, under its name.

    Args:
        folder: Where it goes.
        files: Content, or the file that has it, by name; `EDGE` is one of them.
        project: Name of the project.
        fleet: Name of the fleet.

    Returns:
        The file: ``bundle-<sha256>.zip``.

    Raises:
        BundleError: A name is odd, or a bundle must not have a member of this name.
    """
    if MANIFEST in files:
        raise BundleError(f"a bundle makes its own {MANIFEST}")
    digests = {name: _digest(content) for name, content in sorted(files.items())}
    document = {"format": FORMAT, "project": project, "fleet": fleet, "files": digests}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False).encode()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".bundle-")
    os.close(descriptor)
    fresh = Path(name)
    try:
        write_archive(fresh, {MANIFEST: text, **files})
        return fresh.replace(folder / name_target(digest_file(fresh)))
    finally:
        fresh.unlink(missing_ok=True)


def _digest(content: bytes | Path) -> str:
    return (
        digest_file(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()
    )


def read_manifest(path: Path, limits: Limits = LIMITS) -> Manifest:
    """Return what a bundle says of itself, after its structure was checked.

    Raises:
        BundleError: Something is odd.
    """
    with path.open("rb") as file:
        return _read_manifest(file, read_members(file, limits))


def _read_manifest(file: BinaryIO, members: list[Member]) -> Manifest:
    found = [member for member in members if member.name == MANIFEST]
    if not found or found[0].size > _LONGEST_MANIFEST:
        raise BundleError(f"the bundle is refused: it has no {MANIFEST}, or too long a one")
    try:
        document = json.loads(b"".join(read_member(file, found[0])))
        manifest = _read_document(document)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"the bundle is refused: its {MANIFEST} is damaged: {error}") from None
    names = {member.name for member in members} - {MANIFEST}
    if odd := sorted(names ^ set(manifest.files)):
        raise BundleError(
            f"the bundle is refused: {odd[0]!r} is not in both the bundle and its {MANIFEST}"
        )
    return manifest


def _read_document(document: Any) -> Manifest:
    """Return the manifest that a JSON document tells; anything else is a `ValueError`."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}")
    project, fleet, files = (document.get(key) for key in ("project", "fleet", "files"))
    if not isinstance(project, str) or not isinstance(fleet, str) or not isinstance(files, dict):
        raise ValueError("project, fleet or files is missing")  # noqa: TRY004  # as json does
    if not all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in files.values()):
        raise ValueError("a digest is none")
    return Manifest(project, fleet, files)


def read_file(path: Path, name: str, limits: Limits = LIMITS) -> bytes:
    """Return one member of a bundle.

    Raises:
        BundleError: It is not there, or something is odd.
    """
    with path.open("rb") as file:
        members = read_members(file, limits)
        manifest = _read_manifest(file, members)
        for member in members:
            if member.name == name:
                content = b"".join(read_member(file, member))
                if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
                    raise _differs(name)
                return content
    raise BundleError(f"the bundle has no {name!r}")


def unpack_bundle(path: Path, target: Path, limits: Limits = LIMITS) -> Manifest:
    """Unpack a bundle into a new folder, wholly or not at all.

    The folder appears at once, by a rename, when every file is on disk and checked.

    Args:
        path: The bundle.
        target: The new folder; what is there is replaced.
        limits: What the bundle may be at most.

    Raises:
        BundleError: Something is odd; `target` is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        with path.open("rb") as file:
            members = read_members(file, limits)
            manifest = _read_manifest(file, members)
            for member in members:
                _unpack(file, member, fresh, manifest)
        if target.exists():
            shutil.rmtree(target)
        sync_folders(fresh)
        fresh.chmod(0o755)
        fresh.rename(target)
        sync_folder(target.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return manifest


def _unpack(file: BinaryIO, member: Member, folder: Path, manifest: Manifest) -> None:
    place = folder / member.name
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(place, flags, 0o644), "wb") as out:
        for chunk in read_member(file, member):
            digest.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if member.name != MANIFEST and digest.hexdigest() != manifest.files[member.name]:
        raise _differs(member.name)


def _differs(name: str) -> BundleError:
    return BundleError(f"the bundle is refused: {name!r} differs from what {MANIFEST} says")
