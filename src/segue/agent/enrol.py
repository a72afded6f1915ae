"""Enrolment: a token becomes an identity, and a key that never leaves the node."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
from typing import TYPE_CHECKING

from segue.agent.clock import OK, ClockWatch
from segue.agent.identity import (
    CA,
    IDENTITY,
    KEY,
    NEW_EPOCH,
    NODE_NAME,
    SPOOL,
    TRUST,
    TRUST_ROOT,
    Identity,
    read_identity,
)
from segue.errors import EnrolmentError, FleetError, name_disk_fault
from segue.wire.client import Access, HubClient, read_message
from segue.wire.durable import write_durably
from segue.wire.keys import NodeKey
from segue.wire.messages import EnrolAnswer, EnrolRequest
from segue.wire.token import Token
from segue.wire.transport import Address, fetch_ca

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PENDING_KEY = "key.pending.pem"
"""The key of an enrolment that has not come to its end: asked again, the same is offered."""


def enrol(
    token: Token,
    home: Path,
    labels: Mapping[str, str] | None = None,
    *,
    force: bool = False,
) -> Identity:
    """Make this machine a node.

    `identity.json` is written last: a node whose enrolment was cut short is not enrolled, and
    can use the same token again while it is good, since it offers the same key.

    Args:
        token: The token.
        home: The node's home folder; made if need be.
        labels: Labels of the node; those of the token go before them.
        force: Whether a home that is enrolled is enrolled anew, with a new key; its spool
            begins a new epoch then.

    Raises:
        EnrolmentError: The hub refuses the token or is not the one that made it, or the home
            is enrolled.
        HubError: The hub can't be reached.
        StorageError: The home can't be written.
    """
    _refuse_twice(token, home, force=force)
    if not NODE_NAME.fullmatch(token.node):
        raise EnrolmentError(f"{token.node!r} is no name of a node")
    address = Address.parse(token.hub)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        ca = fetch_ca(address, token.ca) if address.secure else ""
        key = _offer_key(home / PENDING_KEY)
        # A clock that was never set says nothing of the certificate; the token names its root.
        access = Access(address, ca, check_time=ClockWatch().quality() == OK)
        answer = _ask(HubClient(access), token, key, labels or {})
        identity = _describe(token, key, answer)
        if ca:
            write_durably(home / CA, ca.encode())
        _pin_trust(home / TRUST, token, answer)
        if (home / SPOOL).exists():
            write_durably(home / NEW_EPOCH, b"")
        (home / PENDING_KEY).replace(home / KEY)
        write_durably(home / IDENTITY, identity.dump())
    except OSError as error:
        raise name_disk_fault(error, home) from None
    return identity


def _refuse_twice(token: Token, home: Path, *, force: bool) -> None:
    try:
        before = read_identity(home)
    except FleetError:
        return
    if not force:
        raise EnrolmentError(
            f"{home} is enrolled already, as node {before.node}",
            hint="to give it a new key: segue agent enrol TOKEN --force",
        )
    if (before.node, before.project) != (token.node, token.project) and (home / SPOOL).exists():
        raise EnrolmentError(
            f"{home} holds the spool of node {before.node} of project {before.project}",
            hint=f"give node {token.node} another home: segue agent enrol TOKEN --home DIR",
        )


def _offer_key(path: Path) -> NodeKey:
    try:
        return NodeKey.read(path)
    except FleetError:
        key = NodeKey.make()
        key.write(path)
        return key


def _ask(client: HubClient, token: Token, key: NodeKey, labels: Mapping[str, str]) -> EnrolAnswer:
    request = EnrolRequest(token.secret, token.node, token.project, key.public.hex(), dict(labels))
    try:
        answer = read_message(client.post("/v1/enrol", request.dump()), EnrolAnswer)
    finally:
        client.close()
    if (answer.node, answer.project) != (token.node, token.project):
        raise EnrolmentError("the hub enrolled another node than the token's")
    return answer


def _describe(token: Token, key: NodeKey, answer: EnrolAnswer) -> Identity:
    return Identity(
        node=token.node,
        project=token.project,
        hub=token.hub,
        key_id=key.id,
        enrolment=secrets.token_hex(8),
        labels=answer.labels,
        ca_pins=[token.ca] if token.ca else [],
        trust=token.trust,
    )


def _pin_trust(folder: Path, token: Token, answer: EnrolAnswer) -> None:
    """Store the root of those who may deploy; without a pin the first deployment shows it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    if not token.trust:
        return
    root = answer.trust.encode()
    if not hmac.compare_digest(hashlib.sha256(root).hexdigest(), token.trust.lower()):
        raise EnrolmentError(
            "the hub tells another root of those who may deploy than the token",
            hint="ask who gave you the token: the hub may have been tampered with",
        )
    write_durably(folder / TRUST_ROOT, root)
