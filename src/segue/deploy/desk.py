"""The desk of a person who deploys: the project's folder ``trust/``, keys, and the hub."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.deploy.joint import write_joint
from segue.deploy.keys import PublicKey, is_locked, list_keys, read_signer
from segue.deploy.repository import (
    VALID,
    Known,
    keep_live,
    number_next,
    sign_deployments,
    walk_roots,
)
from segue.errors import DeploymentError, HubError, OlderDeploymentError, UsageError
from segue.wire.archive import write_archive
from segue.wire.deployment import Deployment
from segue.wire.durable import write_durably
from segue.wire.fetch import fetch_from_hub
from segue.wire.trust import Trust
from segue.wire.trust_folder import FIRST_ROOT, METADATA, PROJECT, TARGETS, Fetch, pin_root

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # re-exports
    from tuf.api.metadata import Root  # type: ignore[attr-defined]  # re-exports

    from segue.wire.client import HubClient

KNOWN = "known"
"""Folder in it with what this person has seen signed: their own, and not to be shared."""

ZIP = "application/zip"
SHORTEST_ID = 6
"""Letters of a key's id that are enough to name it."""


class Desk:
    """What a person who deploys works with.

    Attributes:
        folder: The project's folder ``trust/``.
    """

    def __init__(self, root: Path, client: HubClient | None) -> None:
        """Keep where things are.

        Args:
            root: The project's folder.
            client: The hub, asked as an operator; None for work without it.
        """
        self.folder = root / PROJECT
        self._client = client

    @property
    def client(self) -> HubClient:
        """The hub.

        Raises:
            UsageError: There is none.
        """
        if self._client is None:
            raise UsageError(
                "this needs the hub", hint="set SEGUE_HUB_TOKEN: segue hub operator NAME prints it"
            )
        return self._client

    def write_root(self, text: bytes, version: int) -> Path:
        """Keep a root in the project."""
        path = self.folder / f"{version}.root.json"
        write_durably(path, text)
        return path

    def has_root(self) -> bool:
        """Return whether the project says who may deploy."""
        return (self.folder / FIRST_ROOT).is_file()

    def refresh(self) -> Known:
        """Return what is signed now, after the same checks that a node makes.

        Raises:
            UsageError: Nobody may deploy yet.
            DeploymentError: The hub shows something that is not in order, or lost it all.
        """
        root = walk_roots(self.folder)
        known = self.folder / KNOWN
        if not known.exists():
            known.mkdir(parents=True)
            (known / ".gitignore").write_text("*\n")
        pin_root(known, (self.folder / FIRST_ROOT).read_bytes())
        if not self._has_metadata():
            if (known / "timestamp.json").exists():
                raise DeploymentError(
                    "the hub has lost what was deployed to it, or holds it back",
                    hint=f"if it was set up anew: remove {known}, and deploy again",
                )
            return Known(self._follow(root))
        try:
            Trust(known, self._fetch).refresh()
            read = Known.read(known)
        except OlderDeploymentError:
            # Nodes have seen it too, and refuse what a restored hub has: signing goes on here.
            read = replace(Known.read(known), behind=True)
        for path in (known / "root_history").glob("*.root.json"):
            if not (self.folder / path.name).exists():
                write_durably(self.folder / path.name, path.read_bytes())
        return read

    def _follow(self, root: Root) -> Root:
        """Return the newest root of the hub, which may have one whose upload seemed to fail."""
        while True:
            path = self.folder / f"{root.version + 1}.root.json"
            with tempfile.TemporaryDirectory() as folder:
                into = Path(folder) / "root"
                try:
                    self._fetch(f"{METADATA}/{path.name}", into, 2**20)
                except FileNotFoundError:
                    return root
                write_durably(path, into.read_bytes())
            try:
                root = walk_roots(self.folder)
            except DeploymentError:
                path.unlink()
                raise

    def _has_metadata(self) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            try:
                self._fetch(f"{METADATA}/timestamp.json", Path(folder) / "timestamp", 2**20)
            except FileNotFoundError:
                return False
        return True

    @property
    def _fetch(self) -> Fetch:
        """What brings files of the hub here; roots that the project has are taken from it."""
        remote = fetch_from_hub(self.client)

        def fetch(path: str, into: Path, most: int) -> None:
            own = self.folder / Path(path).name
            if own.name.endswith(".root.json") and own.is_file():
                into.write_bytes(own.read_bytes())
            else:
                remote(path, into, most)

        return fetch

    def fetch_bundle(self, target: str, into: Path) -> None:
        """Fetch a bundle that is deployed, and hold it to what is signed about it."""
        Trust(self.folder / KNOWN, self._fetch).fetch_bundle(target, into)

    def deploy(
        self,
        deployment: Deployment,
        bundle: Path | None,
        signers: Sequence[CryptoSigner],
        known: Known,
        valid: timedelta = VALID,
        share: Path | None = None,
    ) -> Deployment:
        """Sign a deployment under the next number, and bring it to the hub.

        Args:
            deployment: What is signed; its number is taken from what is known.
            bundle: Its bundle; None for one that is deployed already.
            signers: Keys.
            known: What is signed now.
            valid: How long the signatures count.
            share: A file in which it goes to others who sign after, in place of the hub.

        Returns:
            The deployment with its number.
        """
        new = number_next(known, deployment)
        bundles = {bundle.name: bundle} if bundle is not None else {}
        live = keep_live(self._list_live(known), new)
        whole = share is None
        files = sign_deployments(known, live, bundles, signers, valid=valid, whole=whole)
        if share is None:
            self.upload(files, bundles)
        else:
            write_joint(share, files, bundles)
        return new

    def renew(
        self,
        signers: Sequence[CryptoSigner],
        known: Known,
        valid: timedelta = VALID,
        share: Path | None = None,
    ) -> None:
        """Sign what is live again, so that it does not expire; arguments as of `deploy`."""
        live, whole = self._list_live(known), share is None
        files = sign_deployments(known, live, {}, signers, valid=valid, whole=whole)
        if share is None:
            self.upload(files, {})
        else:
            write_joint(share, files, {})

    def _list_live(self, known: Known) -> list[Deployment]:
        """Return what is signed; of it, what a restored hub still has the bundles of."""
        if not known.behind:
            return known.deployments()
        there = {each["target"] for each in self.describe()["deployments"]}
        return [each for each in known.deployments() if each.target in there]

    def upload(self, files: dict[str, bytes], bundles: dict[str, Path]) -> None:
        """Bring signed metadata, bundles and the project's roots to the hub."""
        named: dict[str, bytes | Path] = {
            f"{METADATA}/{path.name}": path for path in self.folder.glob("*.root.json")
        }
        named |= {f"{METADATA}/{name}": text for name, text in files.items()}
        named |= {f"{TARGETS}/{name}": path for name, path in bundles.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload.zip"
            write_archive(path, named)
            self.client.post("/v1/deployments", path.read_bytes(), ZIP)
        if files:
            self.refresh()

    def describe(self) -> dict[str, Any]:
        """Return deployments and nodes, as the hub tells them."""
        return self._read(self.client.get("/v1/deployments").body)

    def stop(self, generation: int) -> dict[str, Any]:
        """Let no further node have a deployment."""
        return self._read(self.client.post(f"/v1/deployments/{generation}/stop", b"").body)

    def open(self, generation: int) -> dict[str, Any]:
        """Let all nodes that a deployment is for have it now."""
        return self._read(self.client.post(f"/v1/deployments/{generation}/open", b"").body)

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            document = json.loads(body)
        except ValueError as error:
            raise HubError(f"the hub's answer can't be read: {error}") from None
        return document if isinstance(document, dict) else {}


def choose_signers(
    known: Known,
    paths: Iterable[Path],
    folder: Path,
    ask: Callable[[Path], str],
    role: str = "targets",
) -> list[CryptoSigner]:
    """Return what signs for a role: the keys that are named, or those at hand that may.

    Args:
        known: What is signed now, and who may.
        paths: Private keys that are named.
        folder: Where this person's keys are.
        ask: Returns the passphrase of a key that is locked.
        role: What is to be signed.

    Raises:
        UsageError: None at hand may sign.
    """
    named = list(paths)
    if not named:
        allowed = known.root.roles[role].keyids
        mine = [folder / f"{key.name}.key" for key in list_keys(folder) if key.id in allowed]
        named = [path for path in mine if path.is_file()][: known.root.roles[role].threshold]
    if not named:
        raise UsageError(
            f"no key in {folder} may sign for this project",
            hint="name one: --key FILE; segue deploy keys list shows who may",
        )
    return [read_signer(path, ask(path) if is_locked(path) else "") for path in named]


def find_key(name: str, known: Iterable[PublicKey]) -> PublicKey:
    """Return a key by the name of its owner, or by the beginning of its id.

    Raises:
        UsageError: There is none, or several.
    """
    keys = list(known)
    found = [key for key in keys if key.name == name] or [
        key for key in keys if len(name) >= SHORTEST_ID and key.id.startswith(name)
    ]
    if len(found) != 1:
        raise UsageError(
            f"{'several keys are' if found else 'no key is'} called {name!r}",
            hint="segue deploy keys list shows them, with their ids",
        )
    return found[0]
