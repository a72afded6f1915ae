"""The hub's shelf of signed metadata and bundles: kept as they came, checked, never made here."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from segue.errors import BundleError, DeploymentError, UnknownNameError, UsageError
from segue.hub.progress import Progress
from segue.wire.archive import Limits, read_member, read_members
from segue.wire.bundle import LIMITS, read_manifest, read_target
from segue.wire.deployment import Deployment, read_live
from segue.wire.durable import sync_folder, write_durably
from segue.wire.trust_folder import FIRST_ROOT, METADATA, TARGETS, fetch_from_folders

KNOWN = "known"
PROGRESS = "rollouts.json"
LOCK = "lock"
MOST_FILES = 300
_METADATA = re.compile(r"([1-9]\d{0,8}\.(?:root|targets|snapshot)|timestamp)\.json", re.ASCII)
_ORDER = ("root", "targets", "snapshot", "timestamp")


class Shelf:
    """What was deployed by way of this hub, which may be looked at while the hub runs.

    Attributes:
        folder: Where it lies: ``trust/``, ``targets/``, what this hub itself has checked
            (``known/``), and how far rollouts have come.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folders if need be, and remove what a dead process has left."""
        self.folder = folder
        for name in (METADATA, TARGETS):
            (folder / name).mkdir(parents=True, exist_ok=True)
        try:
            with self._hold(fcntl.LOCK_EX | fcntl.LOCK_NB):
                for path in folder.glob(".upload-*"):
                    shutil.rmtree(path, ignore_errors=True)
                self._catch_up()
        except BlockingIOError:
            pass  # nothing was left: somebody is taking an upload in

    @contextmanager
    def _hold(self, how: int) -> Iterator[None]:
        """Be the only one who changes what lies here, for a ``with`` block."""
        with (self.folder / LOCK).open("w") as file:
            fcntl.flock(file, how)
            yield

    def _catch_up(self) -> None:
        """Check what a hub that died in between had on the shelf and not yet checked."""
        newest = self.folder / METADATA / "timestamp.json"
        checked = self.folder / KNOWN / "timestamp.json"
        if newest.exists() and (
            not checked.exists() or checked.read_bytes() != newest.read_bytes()
        ):
            from segue.wire.trust import Trust

            Trust(self.folder / KNOWN, fetch_from_folders(self.folder)).refresh()

    def root(self) -> bytes:
        """Return the first root; empty if nobody has deployed yet."""
        return read_root(self.folder)

    def root_digest(self) -> str:
        """Return the SHA-256 of the first root, hex; empty if nobody has deployed yet."""
        return digest_root(self.root())

    def find_metadata(self, name: str) -> Path:
        """Return a file of signed metadata.

        Raises:
            UnknownNameError: There is none of this name.
        """
        path = self.folder / METADATA / name
        if _METADATA.fullmatch(name) is None or not path.is_file():
            raise UnknownNameError(f"there is no signed metadata {name!r}")
        return path

    def find_bundle(self, name: str) -> Path:
        """Return a bundle.

        Raises:
            UnknownNameError: There is none of this name.
        """
        try:
            read_target(name)
        except BundleError:
            raise UnknownNameError(f"there is no bundle {name!r}") from None
        path = self.folder / TARGETS / name
        if not path.is_file():
            raise UnknownNameError(f"there is no bundle {name!r}")
        return path

    def deployments(self) -> list[Deployment]:
        """Return all live deployments.

        Raises:
            DeploymentError: What lies here is not in order.
        """
        return read_live(self.folder / KNOWN / "targets.json")

    def stamp(self) -> tuple[int, int] | None:
        """Return what differs after each upload, by way of any hub; None while one is taken in."""
        try:
            found = (self.folder / KNOWN / "targets.json").stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino

    def read_progress(self) -> dict[int, Progress]:
        """Return how far rollouts have come; nothing is known of them if the file is damaged."""
        try:
            listed = json.loads((self.folder / PROGRESS).read_bytes())
            read = [Progress.read(each) for each in listed]
        except (FileNotFoundError, ValueError, TypeError):
            return {}
        return {each.generation: each for each in read}

    def write_progress(self, progress: Mapping[int, Progress]) -> None:
        """Keep how far rollouts have come."""
        listed = [each.plain() for _, each in sorted(progress.items())]
        write_durably(self.folder / PROGRESS, json.dumps(listed).encode())

    def accept(self, upload: BinaryIO, limits: Limits = LIMITS) -> list[Deployment]:
        """Take signed metadata and bundles in, if nodes will take them too.

        Args:
            upload: Archive with ``trust/<name>.json`` and ``targets/<bundle>``.
            limits: What it may be at most.

        Returns:
            Deployments that are new.

        Raises:
            BundleError: The archive, or a bundle in it, has something odd.
            DeploymentError: It is not signed by who may, or older than what is here.
            DeploymentError: Likewise if somebody else has deployed meanwhile.
        """
        with self._hold(fcntl.LOCK_EX):
            before = {each.generation for each in self.deployments()}
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".upload-") as name:
                staged = Path(name)
                _extract(upload, staged, limits)
                self._check_offered_root(staged)
                if self._find(staged, "timestamp.json") is not None:
                    self._check(staged)
                self._take(staged)
            self._remove_unused()
            return [each for each in self.deployments() if each.generation not in before]

    def _find(self, staged: Path, name: str) -> Path | None:
        found = (staged / METADATA / name, self.folder / METADATA / name)
        return next((path for path in found if path.is_file()), None)

    def _check_offered_root(self, staged: Path) -> None:
        offered = staged / METADATA / FIRST_ROOT
        if offered.is_file():
            _check_root(self.root(), offered.read_bytes())
        elif not self.root():
            raise UsageError("nobody may deploy here yet", hint="segue deploy init")

    def _check(self, staged: Path) -> None:
        """Go the way that a node goes, on a copy of what this hub has checked so far."""
        from segue.wire.trust import Trust

        known = staged / KNOWN
        if (self.folder / KNOWN).exists():
            shutil.copytree(self.folder / KNOWN, known, symlinks=True)
        trust = Trust(known, fetch_from_folders(staged, self.folder))
        deployments = trust.refresh()
        if self._clashes(staged, known):
            raise DeploymentError(
                "somebody else has deployed meanwhile", hint="run the same command again"
            )
        for target in sorted({each.target for each in deployments}):
            if not (self.folder / TARGETS / target).exists():
                checked = staged / "bundle"
                trust.fetch_bundle(target, checked)
                read_manifest(checked)
                checked.replace(staged / TARGETS / target)

    def _clashes(self, staged: Path, known: Path) -> bool:
        """Return whether somebody else has used the numbers that were offered."""
        for path in (staged / METADATA).glob("*.json"):
            timestamp = path.name == "timestamp.json"
            other = (known if timestamp else self.folder / METADATA) / path.name
            if other.exists() and other.read_bytes() != path.read_bytes():
                return True
        return False

    def _take(self, staged: Path) -> None:
        """Put what was checked on the shelf; the timestamp, which leads to the rest, is last."""
        for path in (staged / TARGETS).glob("*"):
            path.replace(self.folder / TARGETS / path.name)
        sync_folder(self.folder / TARGETS)
        for role in _ORDER:
            for path in sorted((staged / METADATA).glob(f"*{role}.json")):
                write_durably(self.folder / METADATA / path.name, path.read_bytes())
        if (staged / KNOWN).exists():
            shutil.rmtree(self.folder / KNOWN, ignore_errors=True)
            (staged / KNOWN).replace(self.folder / KNOWN)
            sync_folder(self.folder)

    def _remove_unused(self) -> None:
        used = {each.target for each in self.deployments()}
        for path in (self.folder / TARGETS).glob("*"):
            if path.name not in used:
                path.unlink()


def read_root(folder: Path) -> bytes:
    """Return the first root on a shelf; empty if nobody may deploy yet."""
    try:
        return (folder / METADATA / FIRST_ROOT).read_bytes()
    except FileNotFoundError:
        return b""


def digest_root(text: bytes) -> str:
    """Return the SHA-256 of a root, hex; empty for none."""
    return hashlib.sha256(text).hexdigest() if text else ""


def take_root(folder: Path, text: bytes) -> None:
    """Put the first root of a project on the shelf of its hub, which may be running.

    Raises:
        DeploymentError: It is none, or this hub has another one.
    """
    here = read_root(folder)
    if here != text:
        _check_root(here, text)
        write_durably(folder / METADATA / FIRST_ROOT, text)


def _check_root(here: bytes, text: bytes) -> None:
    from segue.wire.trust import check_root

    check_root(text)
    if here and here != text:
        raise DeploymentError(
            "this hub knows another root of those who may deploy",
            hint="take the folder trust/ of the project that was deployed here first",
        )


def _extract(upload: BinaryIO, staged: Path, limits: Limits) -> None:
    """Write the files of an upload into a folder, if all of them are of the two kinds."""
    for name in (METADATA, TARGETS):
        (staged / name).mkdir()
    members = read_members(upload, limits)
    if len(members) > MOST_FILES:
        raise BundleError(f"the upload has more than {MOST_FILES} files")
    for member in members:
        folder, _, name = member.name.partition("/")
        if folder == TARGETS:
            read_target(name)
        elif folder != METADATA or _METADATA.fullmatch(name) is None:
            raise BundleError(f"the upload has a file that is no deployment: {member.name!r}")
        with (staged / member.name).open("xb") as out:
            for chunk in read_member(upload, member):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
