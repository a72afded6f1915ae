"""The Update Framework: which deployments people have signed, however honest the hub is.

This file and `segue.deploy` are the only ones that import python-tuf, which is heavy: an agent
does it in a process of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Targets  # type: ignore[attr-defined]  # re-exports
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from segue.errors import DeploymentError, HubError, OlderDeploymentError, SegueError
from segue.wire.bundle import LIMITS
from segue.wire.deployment import Deployment, read_custom
from segue.wire.trust_folder import FIRST_ROOT, METADATA, TARGETS, Fetch, pin_root, read_pinned

_LONGEST_METADATA = 8 * 2**20
_CHUNK = 1 << 20
_MISSING = 404


class _Fetcher(FetcherInterface):
    """What python-tuf fetches by: any `Fetch`."""

    def __init__(self, fetch: Fetch) -> None:
        self._get = fetch
        self.failure: SegueError | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        longest = _LONGEST_METADATA if url.startswith(f"{METADATA}/") else LIMITS.bytes
        with tempfile.TemporaryDirectory(prefix="segue-trust-") as folder:
            into = Path(folder) / "file"
            try:
                self._get(url, into, longest)
            except FileNotFoundError:
                raise exceptions.DownloadHTTPError(f"there is no {url}", _MISSING) from None
            except SegueError as error:
                self.failure = error
                raise exceptions.DownloadError(str(error)) from error
            # The last link to it goes with the folder; the caller reads on from the open file.
            file = into.open("rb")
        return _read_chunks(file)


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


class Trust:
    """What is known here of who may deploy, and what they have signed.

    Attributes:
        folder: The folder ``trust/``; `pin_root` has put the first root there. Without one the
            hub is believed once: its first root is kept, and only that and its successors
            count from then on.
    """

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        """Keep where things are; nothing is fetched yet."""
        self.folder = folder
        self._fetcher = _Fetcher(fetch)
        self._updater: Updater | None = None

    def refresh(self) -> list[Deployment]:
        """Fetch what has changed, check it, and return all live deployments.

        Raises:
            DeploymentError: Something is not signed by who may, is older than what is known
                here, has expired, or does not belong together; what was known stays.
            HubError: The hub can't be reached.
        """
        with self._told():
            self._updater = Updater(
                str(self.folder),
                METADATA,
                target_base_url=TARGETS,
                fetcher=self._fetcher,
                config=UpdaterConfig(prefix_targets_with_hash=False),
                bootstrap=self._find_root(),
            )
            self._updater.refresh()
            # Only what was checked is written there.
            targets = Metadata[Targets].from_file(str(self.folder / "targets.json")).signed
        return [
            deployment
            for name, target in sorted(targets.targets.items())
            for deployment in read_custom(name, target.custom)
        ]

    def _find_root(self) -> bytes:
        pinned = read_pinned(self.folder)
        if pinned is None and (given := self.folder / "root.json").is_file():
            # What enrolment has put there, as the token named it.
            pinned = given.read_bytes()
            pin_root(self.folder, pinned)
        if pinned is not None:
            return pinned
        pinned = self._fetcher.download_bytes(f"{METADATA}/{FIRST_ROOT}", _LONGEST_METADATA)
        check_root(pinned)
        pin_root(self.folder, pinned)
        return pinned

    def fetch_bundle(self, target: str, into: Path) -> None:
        """Fetch a bundle, and hold it to what is signed about it.

        Args:
            target: Its name.
            into: The new file.

        Raises:
            DeploymentError: Nothing is signed about it, or its bytes are others.
            HubError: The hub can't be reached.
        """
        if self._updater is None:
            self.refresh()
        updater = self._updater
        if updater is None:
            raise AssertionError("refresh() keeps its updater")
        with self._told():
            signed = updater.get_targetinfo(target)
            if signed is None:
                raise DeploymentError(f"nobody has signed {target}")
            if signed.length > LIMITS.bytes:
                raise DeploymentError(f"{target} has more than {LIMITS.bytes:,} bytes")
            updater.download_target(signed, str(into))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn python-tuf's errors into ours."""
        try:
            yield
        except exceptions.DownloadHTTPError as error:
            raise HubError(f"the hub withholds a file of the deployment: {error}") from None
        except (exceptions.DownloadLengthMismatchError, exceptions.RepositoryError) as error:
            raise explain_refusal(error) from None
        except exceptions.DownloadError as error:
            raise self._fetcher.failure or HubError(f"the hub can't be read: {error}") from None


def explain_refusal(error: Exception) -> DeploymentError:
    """Return what an error of python-tuf means."""
    if isinstance(error, exceptions.ExpiredMetadataError):
        return DeploymentError(
            f"the signatures have expired ({error}): the hub may hold back newer ones",
            hint="sign again: segue deploy renew; a wrong clock of this machine looks the same",
        )
    if isinstance(error, exceptions.BadVersionNumberError):
        return OlderDeploymentError(f"the hub shows something older than what is known: {error}")
    if isinstance(error, exceptions.UnsignedMetadataError):
        return DeploymentError(f"not signed by enough of those who may deploy: {error}")
    if isinstance(error, exceptions.LengthOrHashMismatchError | exceptions.DownloadError):
        return DeploymentError(f"a file differs from what was signed: {error}")
    return DeploymentError(f"what the hub shows is not in order: {error}")


def check_root(text: bytes) -> Root:
    """Return a first root, after a look at its own signatures.

    Raises:
        DeploymentError: It is no root, or not signed by its own keys.
    """
    try:
        read = Metadata[Root].from_bytes(text)
        if not isinstance(read.signed, Root):
            raise DeploymentError(f"this is a {read.signed.type}, and no trust root")
        read.signed.verify_delegate(Root.type, read.signed_bytes, read.signatures)
    except exceptions.RepositoryError as error:
        raise explain_refusal(error) from None
    return read.signed
