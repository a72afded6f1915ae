"""Enrolment tokens and operators' tokens: made here, kept as digests only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.errors import UsageError
from segue.spec.arriving import is_node_name
from segue.spec.hub import TokenRecord
from segue.wire.messages import Message
from segue.wire.token import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.hub import HubStore

SECONDS = 15 * 60.0


@dataclass(frozen=True, slots=True)
class TokenRequest(Message):
    """What an operator asks for a token.

    Attributes:
        node: Name of the node.
        labels: Labels that it gets.
    """

    node: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issuer:
    """What tokens of a hub tell.

    Attributes:
        project: Name of the project.
        url: Where the hub is reached.
        ca: SHA-256 of the DER of the hub's root, hex; empty without TLS.
        trust: SHA-256 of the first TUF root, hex; empty if nobody has deployed yet.
    """

    project: str
    url: str
    ca: str = ""
    trust: str = ""


def make_token(
    store: HubStore,
    issuer: Issuer,
    node: str,
    labels: Mapping[str, str],
    now: float,
    made_by: str = "",
) -> Token:
    """Make a token that enrols one node, once, within 15 minutes.

    Args:
        store: The hub's database.
        issuer: The hub.
        node: Name of the node.
        labels: Labels that it gets.
        now: Seconds since 1970.
        made_by: Who asked for it.

    Raises:
        UsageError: The name can't be a node's.
    """
    if not is_node_name(node):
        raise UsageError(
            f"{node!r} can't be a node's name",
            hint="use letters, digits, '.', '_' and '-', a letter or digit first",
        )
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    expires = now + SECONDS
    store.add_token(TokenRecord(digest, node, issuer.project, dict(labels), expires, made_by))
    return Token(issuer.url, secret, node, issuer.project, issuer.ca, issuer.trust)


def make_operator(store: HubStore, name: str, now: float) -> str:
    """Make an operator, or give one of that name a new token; return the token.

    Raises:
        UsageError: The name can't be an operator's.
    """
    if not is_node_name(name):
        raise UsageError(f"{name!r} can't be an operator's name", hint="use letters and digits")
    token = f"segue-{secrets.token_urlsafe(32)}"
    store.add_operator(name, hashlib.sha256(token.encode()).hexdigest(), now)
    return token
