"""Records in the body of a request become batches, and what became of them an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import SegueError, StorageError, UsageError
from segue.spec.arriving import Batch, Key, Place, Verdict, is_epoch, is_table_name
from segue.wire.messages import Handshake, Position, Positions, RecordHeader
from segue.wire.records import unpack_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from segue.hub.hub import Hub
    from segue.spec.arriving import Commits
    from segue.spec.hub import Node

MOST_STREAMS = 10_000
CROWDED = 32
"""Requests that wait for room, from which agents are told to wait."""
WAIT_SECONDS = 1.0
_LARGEST = 2**62

Lane = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parcelled:
    """Records of a request.

    Attributes:
        batches: Those that can be committed.
        refused: Why others can't, by stream and epoch.
        lanes: All streams and epochs, in the order in which they first come.
    """

    batches: tuple[Batch, ...]
    refused: dict[Lane, str]
    lanes: tuple[Lane, ...]


def read_records(hub: Hub, node: Node, body: bytes) -> Parcelled:
    """Return the records of a body as batches.

    Raises:
        UsageError: The body is not made of whole records.
    """
    batches: list[Batch] = []
    refused: dict[Lane, str] = {}
    lanes: dict[Lane, None] = {}
    try:
        for header, payload in unpack_records(body):
            lane = (header.stream, header.epoch)
            lanes[lane] = None
            why = find_fault(hub, header)
            if why:
                refused.setdefault(lane, why)
            elif lane not in refused:
                batches.append(_make_batch(node, header, payload))
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"the records can't be read: {error}") from None
    return Parcelled(tuple(batches), refused, tuple(lanes))


def find_fault(hub: Hub, header: RecordHeader) -> str:
    """Return why a record can't be taken whatever its payload is; empty if it can."""
    return _find_odd_value(header) or find_lane_fault(hub, header.stream, header.epoch)


def _find_odd_value(header: RecordHeader) -> str:
    numbers = (header.first, header.last, header.deployment)
    texts = (header.digest, header.schema, header.clock, header.format, header.reason)
    if not all(isinstance(each, str) for each in texts):
        return "its header has values of other types"
    if not all(map(_is_count, numbers)):
        return "its header has numbers out of range"
    rows = header.rows
    if not 1 <= header.first <= header.last or (rows is not None and not _is_count(rows)):
        return "its numbers of sequences or rows are none"
    if header.kind == "gap":
        return ""
    if header.kind != "rows" or header.format not in ("ipc", "parquet"):
        return f"a record of the kind {header.kind!r} in {header.format!r} is not known here"
    return "" if rows is not None else "it does not say how many rows it has"


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def find_lane_fault(hub: Hub, stream: object, epoch: object) -> str:
    """Return why a stream is not taken; empty if it is."""
    if not isinstance(stream, str) or not is_table_name(stream) or not hub.takes(stream):
        return f"the project has no table {stream!r} that a fleet sends"
    if not isinstance(epoch, str) or not is_epoch(epoch):
        return "an epoch is 16 hex digits"
    return ""


def _make_batch(node: Node, header: RecordHeader, payload: memoryview) -> Batch:
    return Batch(
        table=header.stream,
        key=Key(node.name, header.epoch),
        first=header.first,
        last=header.last,
        rows=header.rows,
        gap=header.kind == "gap",
        payload=payload,
        format=header.format,
        digest=header.digest,
        schema_id=header.schema,
        deployment=header.deployment,
        clock=header.clock,
        reason=header.reason,
        labels=node.labels,
        digests=tuple(str(each)[:16] for each in header.digests),
    )


async def commit_records(hub: Hub, parcelled: Parcelled) -> Positions:
    """Commit batches, and return where their streams stand then.

    Raises:
        StorageError: The disk fails; some tables may have theirs, which the next handshake tells.
        HubBusyError: Too much waits already.
    """
    places: dict[Lane, list[Place]] = {lane: [] for lane in parcelled.lanes}
    answers = hub.arriving.submit(parcelled.batches) if parcelled.batches else []
    waiting = (asyncio.wrap_future(answer) for answer in answers)
    told = await asyncio.gather(*waiting, return_exceptions=True)
    grouped: dict[str, list[Batch]] = {}
    for batch in parcelled.batches:
        grouped.setdefault(batch.table, []).append(batch)
    refused = dict(parcelled.refused)
    for (table, batches), found in zip(grouped.items(), told, strict=True):
        if isinstance(found, BaseException):
            if len(grouped) == 1 or not isinstance(found, SegueError):
                raise found
            # the others of this request are committed, and have to be told
            refused |= {lane: found.message for lane in parcelled.lanes if lane[0] == table}
            continue
        for batch, place in zip(batches, found, strict=True):
            places[batch.table, batch.key.epoch].append(place)
    positions = [
        _sum_up(lane, found, refused.get(lane, "")).plain() for lane, found in places.items()
    ]
    return Positions(positions, WAIT_SECONDS if hub.budget.waiting >= CROWDED else 0.0)


def _sum_up(lane: Lane, places: Sequence[Place], refused: str) -> Position:
    """Return one position for all batches of a stream: that of the first that was not taken."""
    odd = next((place for place in places if place.verdict is not Verdict.OK), None)
    if odd is not None:
        return Position(*lane, odd.committed, odd.incarnation, str(odd.verdict), odd.reason)
    committed = max((place.committed for place in places), default=0)
    incarnation = places[0].incarnation if places else ""
    if refused:
        return Position(*lane, committed, incarnation, "refused", refused)
    return Position(*lane, committed, incarnation)


def shake_hands(hub: Hub, node: Node, handshake: Handshake) -> Positions:
    """Return where a node's streams stand.

    Raises:
        UsageError: The handshake can't be read.
    """
    if len(handshake.streams) > MOST_STREAMS:
        raise UsageError(f"a handshake names at most {MOST_STREAMS} streams")
    try:
        asked = [Position.read(each) for each in handshake.streams]
    except ValueError as error:
        raise UsageError(f"the handshake can't be read: {error}") from None
    return Positions([_stand(hub, node, each).plain() for each in asked])


def _stand(hub: Hub, node: Node, asked: Position) -> Position:
    why = find_lane_fault(hub, asked.stream, asked.epoch)
    if why:
        return Position(asked.stream, asked.epoch, 0, "", "refused", why)
    try:
        place = hub.arriving.find_place(asked.stream, Key(node.name, asked.epoch))
    except StorageError as error:
        return Position(asked.stream, asked.epoch, 0, "", "refused", error.message)
    return Position(asked.stream, asked.epoch, place.committed, place.incarnation)


def note_commits(hub: Hub, commits: Commits) -> None:
    """Count a commit, and keep what somebody should know of it."""
    hub.metrics.note_commit(commits)
    for column in commits.odd_columns:
        detail = f"values of another type than the column's went to {column}"
        hub.roster.note("schema", table=commits.table, detail=detail)
    for batch, place in _odd(commits):
        kind = "gap" if batch.gap and place.verdict is Verdict.OK else str(place.verdict)
        hub.roster.note(kind, batch.key.node, batch.table, _tell(batch, place))


def _odd(commits: Commits) -> Iterable[tuple[Batch, Place]]:
    for batch, place in zip(commits.batches, commits.places, strict=True):
        lost = batch.gap and place.fresh
        if lost or place.verdict in (Verdict.FENCED, Verdict.REFUSED):
            yield batch, place


def _tell(batch: Batch, place: Place) -> str:
    span = f"epoch {batch.key.epoch}, sequences {batch.first} to {batch.last}"
    if place.verdict is Verdict.OK:
        rows = "rows that can't be counted" if batch.rows is None else f"{batch.rows} rows"
        return f"{rows} lost ({batch.reason}): {span}"
    return f"{place.reason}: {span}"
