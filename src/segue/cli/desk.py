"""What the commands of people who deploy share: the project's fleet, its hub, their keys."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.deploy.desk import Desk
    from segue.deploy.keys import KeySigner, PublicKey
    from segue.deploy.repository import Known
    from segue.project import Project
    from segue.wire.client import HubClient

TOKEN = "SEGUE_HUB_TOKEN"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class Counter:
    """Where somebody deploys.

    Attributes:
        fleet: Name of the fleet; empty where a command is for all of them.
        desk: What they work with.
    """

    fleet: str
    desk: Desk

    def choose_signers(
        self, known: Known, keys: Sequence[Path], role: str = "targets"
    ) -> list[KeySigner]:
        """Return what signs: the keys that are named, or those at hand that may."""
        from segue.deploy.desk import choose_signers
        from segue.deploy.keys import find_key_folder

        return choose_signers(known, keys, find_key_folder(), ask_passphrase, role)


def open_counter(
    project: Project, fleet: str, address: str | None, ca: Path | None, *, hub_needed: bool = True
) -> Counter:
    """Return where somebody deploys: a fleet of the project, and its hub.

    Args:
        project: The project.
        fleet: Name of the fleet; the only one if empty.
        address: Address of the hub; the fleet's own if None.
        ca: PEM file of the hub's root.
        hub_needed: Whether there must be a token for the hub.

    Raises:
        UsageError: There is no such fleet, or no token.
    """
    from segue.deploy.desk import Desk

    places = project.spec.fleets.places
    if fleet and fleet not in places:
        from segue.registry import nearest

        hint = nearest(fleet, list(places), noun="fleet")
        raise UsageError(f"there is no fleet called {fleet!r}", hint=hint)
    if not places:
        raise UsageError(
            "the project has no fleet", hint='[places.shops] with engine = "fleet" declares one'
        )
    addresses = {each.address for each in places.values()}
    if not fleet and len(places) > 1 and (hub_needed or len(addresses) > 1) and not address:
        raise UsageError("the project has several fleets", hint=f"--fleet {min(places)}")
    name = fleet or min(places)
    if not (address or places[name].address):
        raise UsageError(
            f"nobody says where the hub of the fleet {name!r} is",
            hint=f'[places.{name}] with address = "https://hub.example.com:8443", or --hub URL',
        )
    client = _open_client(project, address or places[name].address, ca)
    if client is None and hub_needed:
        raise UsageError(
            f"who deploys needs a token in {TOKEN}",
            hint="on the hub's machine: segue hub operator NAME",
        )
    return Counter(name, Desk(project.spec.root, client))


def _open_client(project: Project, address: str, ca: Path | None) -> HubClient | None:
    from segue.wire.client import Access, HubClient
    from segue.wire.transport import Address

    token = os.environ.get(TOKEN, "")
    if not token:
        return None
    where = Address.parse(address)
    text = ca.read_text() if ca else _find_ca(project, str(where))
    return HubClient(Access(where, text, None, token))


def _find_ca(project: Project, address: str) -> str:
    """Return the root of a hub that runs on this machine, where it says so; else nothing."""
    import json

    from segue.wire.transport import Address, fetch_ca

    try:
        facts = json.loads((Path(project.spec.lake) / "_hub" / "hub.json").read_bytes())
    except (OSError, ValueError):
        return ""
    if not facts.get("ca") or facts.get("url") != address:
        return ""
    return fetch_ca(Address.parse(address), facts["ca"])


def ask_passphrase(path: Path) -> str:
    """Return the passphrase of a key: from the environment, or typed."""
    from segue.deploy.keys import PASSPHRASE_VARIABLE

    told = os.environ.get(PASSPHRASE_VARIABLE)
    return told if told is not None else click.prompt(f"Passphrase of {path}", hide_input=True)


def ask_new_passphrase() -> str:
    """Return the passphrase of a new key: from the environment, or typed twice."""
    from segue.deploy.keys import PASSPHRASE_VARIABLE

    told = os.environ.get(PASSPHRASE_VARIABLE)
    if told is not None:
        return told
    typed: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    return typed


def begin_trust(
    counter: Counter,
    allow: Iterable[Path],
    roots: Iterable[Path],
    thresholds: tuple[int, int],
    keys: Sequence[Path],
) -> dict[str, list[str]]:
    """Write the first root; make a key for who has none.

    Returns:
        Names of those who may deploy, and of those who may change that.

    Raises:
        UsageError: There is a root already.
    """
    from segue.deploy.keys import (
        find_key_folder,
        is_locked,
        list_keys,
        make_key,
        read_public,
        read_signer,
    )
    from segue.deploy.repository import make_root

    if counter.desk.has_root():
        raise UsageError(
            f"{counter.desk.folder} says who may deploy already",
            hint="change it: segue deploy keys add FILE, segue deploy keys remove NAME",
        )
    folder = find_key_folder()
    deployers = [read_public(path) for path in allow]
    if not deployers:
        deployers = list_keys(folder)[:1] or [make_key(folder, _name_user())[1]]
    changers = [read_public(path) for path in roots] or deployers
    own = [folder / f"{key.name}.key" for key in changers]
    paths = list(keys) or [path for path in own if path.is_file()]
    signers = [read_signer(each, ask_passphrase(each) if is_locked(each) else "") for each in paths]
    text = make_root(
        changers, deployers, signers, threshold=thresholds[1], deploy_threshold=thresholds[0]
    )
    counter.desk.write_root(text, 1)
    return {"deploy": [key.name for key in deployers], "root": [key.name for key in changers]}


def _name_user() -> str:
    import re

    return re.sub(r"[^A-Za-z0-9]", "", getpass.getuser()) or "me"


def find_trusted(start: Path) -> dict[str, list[PublicKey]]:
    """Return who may sign for the project; nobody if nothing says so yet."""
    from segue.declare.discover import find_root
    from segue.deploy.repository import list_trusted, walk_roots
    from segue.wire.trust_folder import PROJECT

    try:
        return list_trusted(walk_roots(find_root(start) / PROJECT))
    except UsageError:
        return {"root": [], "deploy": []}


def change_trust(
    counter: Counter,
    signing: Sequence[Path],
    *,
    threshold: tuple[str, int | None],
    add: Sequence[tuple[str, PublicKey]] = (),
    remove: Sequence[tuple[str, str]] = (),
) -> int:
    """Write the next root, and sign what is live again with the keys that count then.

    Returns:
        Number of the new root.
    """
    from dataclasses import replace

    from segue.deploy.repository import change_root, sign_deployments, walk_roots

    known = counter.desk.refresh()
    role, number = threshold
    limits: dict[str, Any] = {"threshold" if role == "root" else "deploy_threshold": number}
    text = change_root(
        known.root,
        counter.choose_signers(known, signing, "root"),
        add=add,
        remove=remove,
        **limits,
    )
    version = known.root.version + 1
    path = counter.desk.write_root(text, version)
    try:
        known = replace(known, root=walk_roots(counter.desk.folder))
        files = {}
        if known.targets is not None:
            signers = counter.choose_signers(known, ())
            files = sign_deployments(known, known.deployments(), {}, signers)
        counter.desk.upload(files, {})
    except BaseException:
        # Without the rest it would only stop others from deploying. If the hub has taken it all
        # the same, the next refresh brings it back.
        path.unlink()
        raise
    return version
