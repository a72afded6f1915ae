"""Records that are posted to the node: answered once they are in the spool."""

from __future__ import annotations

import time
from collections import deque
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

from segue.agent.options import CheckedKind
from segue.agent.sources.http_server import Admission, make_server
from segue.agent.sources.repeats import Posted, Repeats
from segue.protocols.edge import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.agent.options import Options
    from segue.protocols.edge import Cursor
    from segue.spec.edge import EdgeSource


class HttpSource(CheckedKind):
    """A small server: POST of lines, plain or gzip.

    The answer 200 means that all records are in the spool. A client that gets no answer and
    sends again is counted once if it names what it sends with the header ``Idempotency-Key``.
    """

    replayable = False
    typed = False
    required = ("listen",)
    optional: Mapping[str, Any] = {
        "path": "/",
        "token": "",
        "certificate": "",
        "key": "",
        "insecure": False,
        "most": "8MB",
        "queue": "32MB",
        "connections": 64,
        "timeout": "30s",
        "remember": 500,
    }
    shapes: Mapping[str, tuple[str, ...]] = {
        "most": ("size",),
        "queue": ("size",),
        "timeout": ("seconds",),
    }

    def open(
        self,
        source: EdgeSource,
        cursor: Cursor | None,
        scratch: Path,  # noqa: ARG002  # the protocol's
    ) -> HttpReader:
        """Listen; see `segue.protocols.edge`."""
        options = self.fill_source(source)
        return HttpReader(source, options, cursor)


class HttpReader:
    """A server that listens, in threads of its own."""

    def __init__(self, source: EdgeSource, options: Options, cursor: Cursor | None) -> None:
        """Listen.

        Raises:
            SourceError: The address is in use, or must not be served so.
        """
        self._most = options.size("queue")
        self._timeout = options.seconds("timeout")
        self._queue: deque[Posted] = deque()
        self._queued = 0
        self._repeats = Repeats(options.whole("remember"))
        if cursor:
            self._repeats.read(cursor["keys"])
        self._changed = Condition()
        self._closed = False
        self._server = make_server(options, source.format, self)
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name=f"segue-http-{source.name}",
            daemon=True,
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port at which it listens: a free one was drawn if 0 was stated."""
        return int(self._server.server_port)

    def admit(self, posted: Posted) -> Admission:
        """Take records that were posted, and wait until they are in the spool."""
        with self._changed:
            earlier = self._repeats.find(posted)
            if earlier is not None and earlier.digest != posted.digest:
                return Admission.OTHER
            if earlier is not None:
                posted = earlier
            elif self._closed or (self._queue and self._queued + len(posted.data) > self._most):
                return Admission.FULL
            else:
                self._queue.append(posted)
                self._queued += len(posted.data)
                self._repeats.hold(posted)
                self._changed.notify_all()
            deadline = time.monotonic() + self._timeout
            while not posted.taken and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            if posted.taken:
                return Admission.TAKEN
            if posted in self._queue:  # nobody has read it: it is not taken, for sure
                self._queue.remove(posted)
                self._queued -= len(posted.data)
                self._repeats.forget(posted)
            return Admission.FULL

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what was posted, each request whole; see `segue.protocols.edge`."""
        taken: list[Posted] = []
        size = 0
        with self._changed:
            self._changed.wait_for(lambda: self._queue, wait)
            while self._queue and (not taken or size + len(self._queue[0].data) <= most):
                taken.append(self._queue.popleft())
                size += len(taken[-1].data)
            self._queued -= size
            if not taken:
                return None
            self._repeats.give(taken)
            cursor = {"keys": self._repeats.write()} if self._repeats else None
        return Chunk(cursor, b"".join(each.data for each in taken), receipt=tuple(taken))

    def accept(self, receipts: Sequence[Any]) -> None:
        """Answer those whose records are in the spool."""
        with self._changed:
            for posted in (posted for receipt in receipts for posted in receipt):
                posted.taken = True
                self._repeats.settle(posted)
            self._changed.notify_all()

    def exhausted(self) -> bool:
        """Return whether nothing waits."""
        with self._changed:
            return not self._queue

    def close(self) -> None:
        """Stop listening; who waits is told to come again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
