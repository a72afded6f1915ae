"""Brings what a spool has for a destination there: a thread each, with a place of its own.

One that is away for days is asked again ever more rarely, and neither blocks nor starves the
others: the spool remembers where each of them stands.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from segue.agent.backoff import Backoff
from segue.agent.destinations.intents import Intents
from segue.agent.destinations.parcels import cut_run, make_gap_parcel, make_parcel
from segue.agent.destinations.refusals import add_refusal, read_refusals
from segue.errors import ParcelRefusedError, SegueError
from segue.failpoints import pass_point
from segue.registry import DESTINATIONS, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.agent.destinations.intents import Key
    from segue.agent.destinations.parcels import Origin
    from segue.agent.destinations.reader import SpoolReader
    from segue.protocols.edge import Destination
    from segue.spec.edge import DestinationSpec
    from segue.wire.messages import RecordHeader

MOST_BYTES = 4 * 2**20
"""Bytes of compressed payloads in a parcel."""
MOST_ROWS = 50_000
ATTEMPTS = 3
"""How often a single record is tried that the destination refuses."""
IDLE = 0.5
"""Seconds between looks at the spool while there is nothing to do."""


@dataclass(slots=True)
class Wait:
    """When something may be tried again, by the monotonic clock."""

    due: float = 0.0
    _backoff: Backoff = field(default_factory=Backoff)

    def grow(self, error: Exception) -> None:
        """Learn of a failure."""
        self.due = time.monotonic() + self._backoff.next(getattr(error, "wait", 0.0))


@dataclass(slots=True)
class Place:
    """What is known of a stream at a destination besides what the spool says.

    Attributes:
        wait: When it may be tried again.
        records: Records that the next parcel has at most: fewer where some were refused.
        refusals: How often the record that comes next was refused.
    """

    wait: Wait = field(default_factory=Wait)
    records: int = 2**30
    refusals: int = 0


class Delivery:
    """The way to one destination; `run` is the body of its thread.

    Args:
        spec: The destination, its secrets filled in.
        open_spool: Opens the spool for the thread.
        folder: Where it remembers what it was about to write, and what was refused.
        origin: What rows tell of the node.
    """

    def __init__(
        self,
        spec: DestinationSpec,
        open_spool: Callable[[], SpoolReader],
        folder: Path,
        origin: Origin,
    ) -> None:
        self.spec = spec
        self.error = ""
        self.unsent = 0
        self._refusals = folder / f"{spec.name}.refused.jsonl"
        self.refused = sum(each["rows"] or 0 for each in read_refusals(self._refusals))
        self._open_spool = open_spool
        self._intents_path = folder / f"{spec.name}.intents"
        self._origin = origin
        self._stopped = Event()
        self._wake = Event()
        self._opening = Wait()
        self._places: dict[Key, Place] = {}
        self._target: Destination | None = None
        self._thread = Thread(target=self.run, name=f"segue-to-{spec.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the spool now: there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """End after the parcel that is under way."""
        self._stopped.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Deliver until `stop`."""
        spool = intents = None
        try:
            while not self._stopped.is_set():
                try:
                    spool = spool or self._open_spool()
                    intents = intents or Intents(self._intents_path)
                    busy = self._go_round(spool, intents)
                except Exception as error:  # noqa: BLE001  # of the spool, its disk, a library: it may heal
                    self._fail(error, self._opening)
                    self._drop_target()
                    busy = False
                if not busy:
                    self._wake.wait(IDLE)
                    self._wake.clear()
        finally:
            self._drop_target()
            for opened in (spool, intents):
                if opened is not None:
                    opened.close()

    def _go_round(self, spool: SpoolReader, intents: Intents) -> bool:
        """Deliver a parcel of each stream that has one; return whether any arrived."""
        arrived, unsent = False, 0
        for standing in spool.streams(self.spec.name):
            unsent += standing.rows
            key = (standing.stream, standing.epoch)
            if standing.waits and self._is_due(key):
                sent = self._deliver_next(spool, intents, key, standing.acknowledged)
                unsent -= sent or 0
                arrived = arrived or sent is not None
        self.unsent = unsent
        if not unsent:
            self.error = ""
        return arrived

    def _is_due(self, key: Key) -> bool:
        """Return whether a stream may be tried now; opens the destination where it is not."""
        place = self._places.setdefault(key, Place())
        now = time.monotonic()
        if self._stopped.is_set() or max(place.wait.due, self._opening.due) > now:
            return False
        if self._target is None:
            try:
                self._target = load(DESTINATIONS, self.spec.kind)().open(self.spec)
            except (SegueError, OSError) as error:
                self._fail(error, self._opening)
                return False
            self._opening = Wait()
        return True

    def _deliver_next(
        self, spool: SpoolReader, intents: Intents, key: Key, after: int
    ) -> int | None:
        """Deliver the next parcel of a stream; return its rows, None if it did not arrive."""
        place = self._places[key]
        records = self._read(spool, intents, key, after)
        if not records or self._target is None:
            return None
        last = records[-1].header.last
        intents.write(key, records[0].header.first, last)
        try:
            pass_point("deliver.before")
            self._target.deliver(make_parcel(records, self._origin))
            pass_point("deliver.written")
        except ParcelRefusedError as error:
            intents.forget(key)
            if not self._isolate(place, len(records), error):
                return None
            self._declare(records[0].header, error)
        except Exception as error:  # noqa: BLE001  # a library's fault must not end the delivery
            self._fail(error, place.wait)
            self._drop_target()
            return None
        spool.acknowledge(self.spec.name, *key, last)
        pass_point("deliver.acknowledged")
        intents.forget(key)
        self._places[key] = Place(records=place.records * 2)
        return sum(record.header.rows or 0 for record in records)

    def _read(self, spool: SpoolReader, intents: Intents, key: Key, after: int) -> list[Any]:
        """Return the records of the next parcel: the same again if one was under way."""
        pending = intents.find(key)
        until = pending[1] if pending and pending[0] == after + 1 else None
        records = list(spool.read(self.spec.name, *key, after, MOST_BYTES))
        while until is not None and records and records[-1].header.last < until:
            more = spool.read(self.spec.name, *key, records[-1].header.last, MOST_BYTES)
            if not more:
                break
            records += more
        return cut_run(records, MOST_ROWS, until)[: self._places[key].records]

    def _isolate(self, place: Place, records: int, error: ParcelRefusedError) -> bool:
        """Make parcels smaller; return whether a single record was refused for good."""
        self.error = tell(error)
        if records > 1:
            place.records = records // 2
            return False
        place.refusals += 1
        if place.refusals < ATTEMPTS:
            place.wait.grow(error)
            return False
        return True

    def _declare(self, header: RecordHeader, error: ParcelRefusedError) -> None:
        """Write down that a record will not stand at this destination, here and there.

        Raises:
            OSError: It can't be written down, so it is not declared.
        """
        reason = tell(error)
        add_refusal(self._refusals, header, reason)
        self.refused += header.rows or 0
        if self._target is None or header.kind != "rows":
            return
        try:
            self._target.deliver(make_gap_parcel(header, self._origin, header.rows, reason))
        except Exception as further:  # noqa: BLE001  # it is declared in the file, whatever comes of this
            self.error = tell(further)

    def _drop_target(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            target.close()

    def _fail(self, error: Exception, wait: Wait) -> None:
        self.error = tell(error)
        wait.grow(error)

    def status(self) -> dict[str, Any]:
        """Return name, rows unsent, rows refused and last error, as plain values."""
        return {
            "name": self.spec.name,
            "kind": self.spec.kind,
            "unsent": self.unsent,
            "refused": self.refused,
            "error": self.error,
        }


def tell(error: Exception) -> str:
    """Return an error as one line for the status."""
    told = str(error).splitlines()[0] if isinstance(error, SegueError) else repr(error)
    return told[:500]
