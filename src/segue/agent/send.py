"""Sends what is in the spool to the hub, until the hub says that it has it.

A *lane* is a stream in one epoch. Before anything of a lane is sent, a handshake asks the hub
where it stands; whatever goes wrong on the way, the next handshake tells what became of it.
The hub decides by sequence and digest, so that a request that is sent twice changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from segue import failpoints
from segue.agent.backoff import Backoff
from segue.errors import FleetError, HubError, UsageError
from segue.wire.client import read_message
from segue.wire.messages import Handshake, Position, Positions
from segue.wire.records import CONTENT_TYPE, pack_records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.agent.spool.model import Record, Standing
    from segue.wire.client import HubClient

    Packer = Callable[[Sequence[Record]], Record]

READER = "lake"
IDLE = 1.0
"""Seconds until the spool is looked at again when nobody has touched it."""
PACK_FROM = 200_000
"""Unsent rows of a stream from which packing them is worth loading Arrow."""
_TOO_LARGE = 413
_HEADER = 320
"""Bytes of a record beside its payload, about."""

Lane = tuple[str, str]


class SendSpool(Protocol):
    """What of a `Spool` sending needs."""

    def streams(self, reader: str) -> list[Standing]:
        """Return where the reader stands in each lane, older epochs first."""
        ...

    def read(
        self, reader: str, stream: str, epoch: str, after: int, most_bytes: int
    ) -> list[Record]:
        """Return records after a sequence."""
        ...

    def acknowledge(
        self, reader: str, stream: str, epoch: str, last: int, incarnation: str = ""
    ) -> None:
        """Note that the reader has all up to a sequence."""
        ...

    def rewind(self, reader: str, stream: str, epoch: str, committed: int) -> None:
        """Go back to a sequence."""
        ...

    def refence(self, stream: str, epoch: str, committed: int) -> str:
        """Move what follows a sequence to a new epoch."""
        ...

    def begin_epoch(self) -> str:
        """Begin a new epoch for all that is appended from now on."""
        ...


@dataclass(frozen=True, slots=True)
class SendLimits:
    """How much is sent at once.

    Attributes:
        request: Bytes of payloads in a request.
        packed: Bytes of payloads that are packed into one Parquet file.
        pack_from: Unsent rows of a stream from which its records are packed.
    """

    request: int = 4 * 2**20
    packed: int = 4 * 2**20
    pack_from: int = PACK_FROM


@dataclass(slots=True)
class Sent:
    """What was sent since the agent began.

    Attributes:
        requests: Requests that were answered.
        rows: Rows that the hub acknowledged.
        bytes: Bytes of payloads that it acknowledged.
    """

    requests: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class _Lane:
    """What is known of a lane since the last handshake.

    Attributes:
        doubtful: Up to here the hub had more than was acknowledged: goes as single records,
            whose digests it can compare, never packed anew.
        single: Whether one record goes at a time, to find the one that another agent has
            written otherwise.
    """

    incarnation: str
    doubtful: int = 0
    single: bool = False


@dataclass(slots=True)
class _Held:
    """A stream that the hub has refused."""

    reason: str
    until: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=5.0))


class Sender:
    """Sends for one reader, the lake; used by one thread.

    Attributes:
        sent: What was sent.
        backlog: Unsent rows of the stream that has most of them, at the last round.
        error: Why the last round failed; empty if it did not.
        hint: What can be done about it.
        linked: Whether the hub answered last time, if only to refuse.
        fenced: What was seen of another agent with this identity.
    """

    def __init__(
        self,
        spool: SendSpool,
        client: HubClient,
        instance: str,
        *,
        limits: SendLimits | None = None,
        backoff: Backoff | None = None,
        pack: Packer | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Send nothing yet.

        Args:
            spool: The spool.
            client: The hub.
            instance: Random name of this start of the agent.
            limits: How much is sent at once.
            backoff: Waits after failures.
            pack: Makes one Parquet record of several, where Arrow may be loaded.
            steady: Seconds that never go back.
        """
        self._spool, self._client, self._instance = spool, client, instance
        self._limits = limits or SendLimits()
        self._backoff = backoff or Backoff()
        self._pack = pack
        self._steady = steady
        self._lanes: dict[Lane, _Lane] = {}
        self._held: dict[str, _Held] = {}
        self._share = self._size = self._limits.request
        self._turn = 0
        self._doubt = False
        self.sent = Sent()
        self.backlog = 0
        self.error = self.hint = ""
        self.linked = True
        self.fenced: list[str] = []

    @property
    def alerts(self) -> list[str]:
        """What somebody should know."""
        held = [f"stream {name} is refused: {each.reason}" for name, each in self._held.items()]
        return [*held, *self.fenced]

    @property
    def held(self) -> bool:
        """Whether the hub refuses a stream, so that it is tried again later."""
        return bool(self._held)

    def forget(self) -> None:
        """Forget where lanes stand: the hub is asked again, also where nothing is to be sent."""
        self._lanes.clear()
        self._doubt = True

    def round(self) -> float:
        """Send what there is, once.

        Returns:
            Seconds until the next round is due; 0 if there is more.
        """
        try:
            wait = self._send_round()
        except (FleetError, UsageError) as error:
            self.error, self.hint = error.message, error.hint
            self.linked = not isinstance(error, HubError) or bool(error.status)
            # What became of the request is not known: the handshake tells.
            self._lanes.clear()
            if isinstance(error, HubError) and error.status in (0, _TOO_LARGE):
                # Too large for the hub, or too much for the link in the time that it has.
                self._share = max(min(self._share, self._size) // 2, 1)
            return self._backoff.next(error.wait if isinstance(error, HubError) else 0.0)
        self.error, self.hint, self.linked = "", "", True
        return self._backoff.next() if wait is None else wait

    def _send_round(self) -> float | None:
        """Return the seconds to wait; None if the hub answered, and nothing came of it."""
        standings = self._spool.streams(READER)
        due = self._choose(standings)
        self.backlog = max((each.rows for each in due), default=0)
        unknown = any((each.stream, each.epoch) not in self._lanes for each in due)
        if unknown or (self._doubt and standings):
            self._shake_hands(standings)
            self._doubt = False
            return 0.0
        batch = self._gather(due)
        if not batch:
            return IDLE
        self._size = sum(map(_measure, batch))
        failpoints.pass_point("agent.send.before")
        answer = self._client.post("/v1/records", pack_records(batch), CONTENT_TYPE)
        failpoints.pass_point("agent.sent")
        told = read_message(answer, Positions)
        self.sent.requests += 1
        moved = self._settle(batch, {(each.stream, each.epoch): each for each in _positions(told)})
        failpoints.pass_point("agent.acknowledged")
        self._share = min(self._share + self._size // 2, self._limits.request)
        # The hub tells the same to all who come, so the wait is spread behind it.
        if moved:
            self._backoff.succeed()
        if told.wait:
            return told.wait + self._backoff.draw.uniform(0, told.wait)
        return 0.0 if moved else None

    def _choose(self, standings: Sequence[Standing]) -> list[Standing]:
        """Return what is to be sent: of each stream the oldest epoch, in turns."""
        now = self._steady()
        first: dict[str, Standing] = {}
        for each in standings:
            held = self._held.get(each.stream)
            if each.waits and (held is None or held.until <= now):
                first.setdefault(each.stream, each)
        chosen = list(first.values())
        if not chosen:
            return []
        self._turn = (self._turn + 1) % len(chosen)
        return chosen[self._turn :] + chosen[: self._turn]

    def _shake_hands(self, standings: Sequence[Standing]) -> None:
        """Ask the hub where all lanes stand, and go back where it stands behind."""
        mine = [
            Position(each.stream, each.epoch, each.acknowledged, each.incarnation).plain()
            for each in standings
        ]
        answer = self._client.post("/v1/streams", Handshake(self._instance, mine).dump())
        told = read_message(answer, Positions)
        positions = {(each.stream, each.epoch): each for each in _positions(told)}
        self._lanes.clear()
        for each in standings:
            position = positions.get((each.stream, each.epoch))
            if position is None:
                self._hold(each.stream, "the hub does not tell where it stands")
                position = Position(each.stream, each.epoch)
            elif position.state == "refused":
                self._hold(each.stream, position.reason)
            else:
                self._meet(each, position)
            self._lanes[each.stream, each.epoch] = _Lane(
                position.incarnation, position.committed, position.state == "fenced"
            )

    def _meet(self, standing: Standing, position: Position) -> None:
        lane = standing.stream, standing.epoch
        if position.committed < standing.acknowledged:
            self._spool.rewind(READER, *lane, position.committed)
        elif position.incarnation != standing.incarnation:
            self._spool.acknowledge(READER, *lane, standing.acknowledged, position.incarnation)
        if position.committed > standing.last and standing.current:
            # The hub knows of more than this spool: it is an older copy of another.
            self.fenced = [f"the spool is older than what the hub has of {standing.stream}"]
            self._spool.begin_epoch()

    def _gather(self, standings: Sequence[Standing]) -> list[Record]:
        """Return what goes into a request."""
        room = self._share
        batch: list[Record] = []
        for each in standings:
            lane = self._lanes[each.stream, each.epoch]
            if self._pack is not None and self._is_backlog(each, lane):
                return batch or self._gather_packed(each, self._pack)
            after = each.acknowledged
            # A record that is larger than the room goes all the same, alone.
            records = self._spool.read(READER, each.stream, each.epoch, after, room)
            records = records[: 1 if lane.single else max(1, room // _HEADER)]
            batch += records
            room -= sum(map(_measure, records))
            if room <= 0:
                break
        return batch

    def _is_backlog(self, standing: Standing, lane: _Lane) -> bool:
        doubtful = lane.single or standing.acknowledged < lane.doubtful
        return not doubtful and standing.rows >= self._limits.pack_from

    def _gather_packed(self, standing: Standing, pack: Packer) -> list[Record]:
        stream, epoch, after = standing.stream, standing.epoch, standing.acknowledged
        records = self._spool.read(READER, stream, epoch, after, self._limits.packed)
        first = records[0].header if records else None
        run: list[Record] = []
        for record in records:
            header = record.header
            if header.kind != "rows" or first is None or header.schema != first.schema:
                break
            run.append(record)
        return [pack(run)] if len(run) > 1 else records[:1]

    def _settle(self, batch: Sequence[Record], positions: dict[Lane, Position]) -> bool:
        """Do what the hub's answer asks for, lane by lane; return whether anything moved."""
        sent: dict[Lane, list[Record]] = {}
        for record in batch:
            sent.setdefault((record.header.stream, record.header.epoch), []).append(record)
        moved = False
        for lane, records in sent.items():
            position = positions.get(lane)
            if position is None:
                raise HubError(f"the hub does not answer for stream {lane[0]}")
            moved |= self._settle_lane(lane, records, position)
        return moved

    def _settle_lane(self, lane: Lane, records: Sequence[Record], position: Position) -> bool:
        known = self._lanes[lane]
        if position.state == "ok" and position.incarnation == known.incarnation:
            return self._accept(lane, records, position.committed, position.incarnation)
        if position.state in ("ok", "expected"):
            # Another table, or another place in it, than the handshake told.
            self._lanes.pop(lane)
            if len(records) == 1 and position.state == "expected":
                return self._part(lane, records[0], position)
            return False
        if position.state == "fenced" and len(records) > 1:
            known.single = True
            return True
        if position.state == "fenced":
            self._leave_epoch(lane, records[0].header.first - 1)
            return True
        self._hold(lane[0], position.reason or position.state)
        return True

    def _accept(
        self, lane: Lane, records: Sequence[Record], committed: int, incarnation: str
    ) -> bool:
        done = [record for record in records if record.header.last <= committed]
        if not done:
            self._lanes.pop(lane)
            return False
        self._spool.acknowledge(READER, *lane, done[-1].header.last, incarnation)
        self._held.pop(lane[0], None)
        self.sent.rows += sum(record.header.rows or 0 for record in done)
        self.sent.bytes += sum(len(record.payload) for record in done)
        return True

    def _part(self, lane: Lane, record: Record, position: Position) -> bool:
        """Take the beginning of a record as sent that the hub has: the record is a gap."""
        if not record.header.first <= position.committed < record.header.last:
            return False
        self._spool.acknowledge(READER, *lane, position.committed, position.incarnation)
        return True

    def _leave_epoch(self, lane: Lane, committed: int) -> None:
        """Give what the hub has otherwise, and all behind it, to a new epoch."""
        epoch = self._spool.refence(*lane, committed)
        self._lanes.pop(lane)
        self.fenced = [
            f"another agent has written as this node: stream {lane[0]} went on in epoch {epoch}"
        ]

    def _hold(self, stream: str, reason: str) -> None:
        held = self._held.setdefault(stream, _Held(reason))
        held.reason = reason
        held.until = self._steady() + held.backoff.next()


def _measure(record: Record) -> int:
    """Return the bytes that a record takes in a request, about."""
    return len(record.payload) + _HEADER


def _positions(told: Positions) -> list[Position]:
    try:
        return [Position.read(each) for each in told.positions]
    except ValueError as error:
        raise HubError(f"the hub's answer can't be read: {error}") from None
