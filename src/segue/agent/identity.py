"""Who a node is: written once by enrolment, in its home folder."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import FleetError
from segue.wire.client import SECONDS, Access
from segue.wire.keys import NodeKey
from segue.wire.messages import WIRE, Message
from segue.wire.transport import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY = "identity.json"
KEY = "key.pem"
CA = "ca.pem"
TRUST = "trust"
TRUST_ROOT = "root.json"
SPOOL = "spool.db"
NEW_EPOCH = "new-epoch"
"""File that enrolment leaves for the agent's next start: the spool begins a new epoch then."""
HOME_VARIABLE = "SEGUE_AGENT_HOME"
NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
"""What a node can be called: it becomes part of paths and of addresses."""


@dataclass(frozen=True, slots=True)
class Identity(Message):
    """Who a node is.

    Attributes:
        node: Its name.
        project: Name of its project.
        hub: Address of the hub.
        key_id: Name of its key.
        enrolment: Random: another one after each enrolment, so that the spool begins anew.
        labels: Its labels.
        ca_pins: SHA-256 of the DER of the roots that are trusted, hex; none without TLS.
        trust: SHA-256 of the TUF root that the token pinned, hex; empty if it pinned none.
        wire: Version of the messages.
    """

    node: str
    project: str
    hub: str
    key_id: str
    enrolment: str
    labels: dict[str, str] = field(default_factory=dict)
    ca_pins: list[str] = field(default_factory=list)
    trust: str = ""
    wire: int = WIRE


def default_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the home of an agent where none is named.

    Example:
        >>> default_home({"SEGUE_AGENT_HOME": "/srv/segue"})
        PosixPath('/srv/segue')
    """
    if named := environ.get(HOME_VARIABLE):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/segue")
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "segue-agent"


def read_identity(home: Path) -> Identity:
    """Read who the node is.

    Raises:
        FleetError: It was not enrolled, or the file is damaged.
    """
    path = home / IDENTITY
    try:
        return Identity.read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise FleetError(
            f"this node is not enrolled: there is no {path}",
            hint="get a token with `segue hub token --node NAME`, then: segue agent enrol TOKEN",
        ) from None
    except (OSError, ValueError) as error:
        raise FleetError(
            f"{path} can't be read: {error}", hint="enrol again: segue agent enrol TOKEN --force"
        ) from None


def open_access(
    home: Path, identity: Identity, *, check_time: bool = True, patience: float = SECONDS
) -> Access:
    """Return how this node reaches its hub.

    Args:
        home: The node's home.
        identity: Who the node is.
        check_time: Whether the hub's certificate can have expired.
        patience: Longest silence of the hub, in seconds.

    Raises:
        FleetError: Its key or the hub's root can't be read.
    """
    address = Address.parse(identity.hub)
    ca = ""
    if address.secure:
        try:
            ca = (home / CA).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise FleetError(
                f"the hub's root {home / CA} can't be read: {error}",
                hint="enrol again: segue agent enrol TOKEN --force",
            ) from None
    key = NodeKey.read(home / KEY)
    return Access(address, ca, key, check_time=check_time, patience=patience)
