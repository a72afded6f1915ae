"""What a hub remembers of its nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Node:
    """A machine that was enrolled.

    Attributes:
        name: Its name.
        project: Its project.
        key_id: Name of its public key.
        public_key: The key, 32 bytes.
        labels: Its labels.
        enrolled_at: When, in seconds since 1970; for people.
    """

    name: str
    project: str
    key_id: str
    public_key: bytes
    labels: Mapping[str, str]
    enrolled_at: float


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What a hub keeps of an enrolment token.

    Attributes:
        digest: SHA-256 of its secret, hex.
        node: Name of the one node that it is for.
        project: Name of the one project.
        labels: Labels that the node gets.
        expires_at: Until when it is good, in seconds since 1970.
        made_by: Who asked for it.
    """

    digest: str
    node: str
    project: str
    labels: Mapping[str, str]
    expires_at: float
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What a node said of itself last.

    Attributes:
        node: Name of the node.
        seen_at: When it was heard of last, in seconds since 1970; for people.
        told: Its last status, as plain values; empty before the first.
    """

    node: str
    seen_at: float
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HubEvent:
    """Something that somebody should know.

    Attributes:
        kind: ``fenced``, ``cloned``, ``gap``, ``silent``, ``back``, ``refused``, ``schema``,
            ``enrolled``, ``removed``, ``alert``, or what a deployment tells.
        node: Name of the node; empty for none.
        table: Name of the table; empty for none.
        detail: For people.
        at: When, in seconds since 1970; for people.
        number: Rises with each event.
    """

    kind: str
    node: str = ""
    table: str = ""
    detail: str = ""
    at: float = 0.0
    number: int = 0
