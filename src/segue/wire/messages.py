"""Messages between an agent and a hub, as JSON.

The version stands in the path (``/v1/``) and in ``wire``. Who reads ignores what it does not
know and takes the default for what is missing, so that either side can be two releases older.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self, cast

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIRE = 1
"""Version of the messages that this release writes."""


class Message:
    """What the dataclasses of this file share."""

    def dump(self) -> bytes:
        """Return the message as JSON."""
        text = json.dumps(self.plain(), separators=(",", ":"), ensure_ascii=False)
        return text.encode()

    def plain(self) -> dict[str, Any]:
        """Return the message as plain values."""
        return asdict(cast("DataclassInstance", self))

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the message that plain values tell.

        Raises:
            ValueError: They are no object, or one that it can't do without is missing.

        Example:
            >>> Position.read({"stream": "a", "epoch": "e", "new": 1}).committed
            0
        """
        if not isinstance(value, dict):
            raise ValueError(f"not a {cls.__name__}: it is no object")  # noqa: TRY004 - as json does
        known = {each.name for each in fields(cast("type[DataclassInstance]", cls))}
        try:
            return cls(**{name: part for name, part in value.items() if name in known})
        except TypeError as error:
            raise ValueError(f"not a {cls.__name__}: {error}") from None


@dataclass(frozen=True, slots=True)
class RecordHeader(Message):
    """What stands before the rows of a record.

    A record covers the sequences `first` to `last` of its (node, stream, epoch). Sequences
    begin at 1 in each epoch and leave nothing out.

    Attributes:
        stream: Name of the table, such as ``readings`` or ``readings__rejects``.
        epoch: Epoch of the spool: 16 hex digits.
        first: First sequence that it covers.
        last: Last one.
        kind: ``rows``, or ``gap`` for a declared loss, which has no payload.
        rows: Rows in the payload, or rows lost; None for a loss that can't be counted.
        digest: SHA-256 of the payload, hex; empty for a gap.
        schema: Schema id of the rows.
        deployment: Generation of the deployment that made them.
        clock: Quality of the node's clock: ``ok``, ``unsure``, ``stepped``.
        format: ``ipc`` (an Arrow stream, buffers compressed with zstd) or ``parquet``, whose
            columns end with provenance; empty for a gap.
        reason: Why the rows are lost.
        digests: Of a record that was packed from several: the first 16 hex digits of the digest
            that each sequence has by itself, in their order, so that the hub can tell each of
            them again should it come alone.
    """

    stream: str
    epoch: str
    first: int
    last: int
    kind: str = "rows"
    rows: int | None = 0
    digest: str = ""
    schema: str = ""
    deployment: int = 0
    clock: str = "ok"
    format: str = "ipc"
    reason: str = ""
    digests: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Position(Message):
    """Where a stream stands.

    Attributes:
        stream: Name of the table.
        epoch: Epoch of the spool.
        committed: Last sequence that the table has; 0 for none.
        incarnation: Which table that is: another one after it was made anew or set back.
        state: ``ok``; ``expected``: a record did not follow `committed`; ``fenced``: another
            agent uses this epoch, so a new one must be begun; ``refused``: `reason` says why.
        reason: For people.
    """

    stream: str
    epoch: str
    committed: int = 0
    incarnation: str = ""
    state: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Positions(Message):
    """What a hub answers to a handshake (``/v1/streams``) and to records (``/v1/records``).

    Attributes:
        positions: A `Position` for each (stream, epoch) that was named, as plain values.
        wait: Seconds for which the agent should not send: back-pressure.
        wire: Version of the messages.
    """

    positions: list[dict[str, Any]] = field(default_factory=list)
    wait: float = 0.0
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class Handshake(Message):
    """What an agent says of its streams before it sends.

    Attributes:
        instance: A random name of this start of the agent: tells two with one identity.
        streams: A `Position` for each (stream, epoch) with what it has not forgotten yet:
            `committed` is the last sequence that was acknowledged.
        wire: Version of the messages.
    """

    instance: str
    streams: list[dict[str, Any]] = field(default_factory=list)
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class EnrolRequest(Message):
    """What an agent asks with a token (``/v1/enrol``).

    Attributes:
        secret: The token's secret.
        node: Name of the node.
        project: Name of the project.
        public_key: Ed25519 public key, 32 bytes as hex.
        labels: Labels of the node.
        wire: Version of the messages.
    """

    secret: str
    node: str
    project: str
    public_key: str
    labels: dict[str, str] = field(default_factory=dict)
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class EnrolAnswer(Message):
    """What the hub answers to a token that is good.

    Attributes:
        node: Name of the node.
        project: Name of the project.
        labels: Labels of the node: those of the token go before its own.
        trust: Text of the first TUF root; its SHA-256 stands in the token. Empty where
            nobody has deployed yet and the token pins none.
        wire: Version of the messages.
    """

    node: str
    project: str
    labels: dict[str, str] = field(default_factory=dict)
    trust: str = ""
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class Challenge(Message):
    """What the hub answers to ``/v1/challenge``.

    Attributes:
        challenge: A random text, good for one session.
        wire: Version of the messages.
    """

    challenge: str
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class SessionAnswer(Message):
    """What the hub answers to ``/v1/session``, signed with the challenge in place of a session.

    Attributes:
        session: Id of the session; the counter of its first request is 1.
        wire: Version of the messages.
    """

    session: str
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class DesiredState(Message):
    """What a node should be (``/v1/desired``, a long poll).

    Attributes:
        revision: Names this state; the next poll says it, and is answered once it differs.
        generation: Generation of the deployment; 0 for none.
        target: Name of the TUF target of its bundle.
        labels: Labels of the node.
        wire: Version of the messages.
    """

    revision: str
    generation: int = 0
    target: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    wire: int = WIRE


@dataclass(frozen=True, slots=True)
class Status(Message):
    """What a node says of itself (``/v1/status``).

    Attributes:
        desired: Generation that it was told.
        applied: Generation that runs; 0 for none.
        failed: Generation that was given up; 0 for none.
        error: Why.
        healthy: Whether the applied one has proven itself.
        lag: Seconds (monotonic) since the oldest unsent batch was made.
        oldest_unsent: Stream, epoch and sequence of it; empty if all was sent.
        spool_bytes: Bytes in the spool.
        spool_cap: Its cap.
        unsent: Rows not sent yet.
        rows: Rows since the applied generation began, by table.
        rejects: Rejects since then, by table.
        batches: Batches since then.
        errors: Batches since then in which a step failed.
        clock: The node's wall clock, seconds since 1970.
        clock_quality: ``ok``, ``unsure``, ``stepped``.
        restarts: Restarts of the worker since the applied generation began.
        memory: Resident bytes of all its processes.
        cpu: CPU seconds of all its processes.
        destinations: Name, rows unsent and last error of each further destination.
        alerts: Things that somebody should know, such as ``spool damaged``.
        version: Version of segue.
        python: Version of Python.
        instance: Random name of this start of the agent, as in the handshake.
        wire: Version of the messages.
    """

    desired: int = 0
    applied: int = 0
    failed: int = 0
    error: str = ""
    healthy: bool = False
    lag: float = 0.0
    oldest_unsent: str = ""
    spool_bytes: int = 0
    spool_cap: int = 0
    unsent: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    errors: int = 0
    clock: float = 0.0
    clock_quality: str = "ok"
    restarts: int = 0
    memory: int = 0
    cpu: float = 0.0
    destinations: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)
    version: str = ""
    python: str = ""
    batches: int = 0
    instance: str = ""
    wire: int = WIRE
