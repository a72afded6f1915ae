"""One call of a user's function: what it raises is told in its own terms, what it returns kept."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from segue.errors import SegueError
from segue.execute.results import LAZY
from segue.frames.convert import from_frame, unwrap_frame
from segue.spec.step import FrameKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from segue.execute.blame import Blame
    from segue.execute.results import Call, Results

_END = object()


@dataclass(slots=True)
class FunctionCaller:
    """Calls a function, again and again.

    Attributes:
        function: The function.
        settings: What it is given besides frames.
        results: Takes what it returns.
        blame: Tells what it raises.
        skip: Exceptions for which a call is left out, with all that it returned.
        skipped: Hears of such calls.
    """

    function: Callable[..., Any]
    settings: Mapping[str, Any]
    results: Results
    blame: Blame
    skip: tuple[type[BaseException], ...] = ()
    skipped: Callable[[Call, BaseException], None] | None = None

    def call(
        self,
        frames: Mapping[str, Any],
        call: Call,
        positional: Sequence[Any] = (),
    ) -> None:
        """Call the function once.

        Args:
            frames: What it is given by name.
            call: Which call it is.
            positional: What it is given by position.

        Raises:
            StepError: It failed.
            OutputError: It returned what was not announced.
        """
        if not self.skip:
            self._call(frames, call, positional, partial(self._add, call))
            return
        held: list[tuple[Any, FrameKind]] = []
        try:
            self._call(frames, call, positional, lambda *frame: held.append(frame))
        except _Skipped as skipped:
            if self.skipped is not None:
                self.skipped(call, skipped.error)
            return
        for frame, kind in held:
            self._add(call, frame, kind)

    def _call(
        self,
        frames: Mapping[str, Any],
        call: Call,
        positional: Sequence[Any],
        take: Callable[[Any, FrameKind], None],
    ) -> None:
        with self._blaming(call):
            result = self.function(*positional, **frames, **self.settings)
        returned = self.results.recognise(result, call)
        if not returned.iterator:
            self._take(*unwrap_frame(result, returned.kind), call, take)
            return
        items = iter(result)
        while True:
            with self._blaming(call):
                item = next(items, _END)
            if item is _END:
                return
            frame, kind = unwrap_frame(item, self.results.recognise_item(item, call))
            # a generator may fill the same frame again
            self._take(_own(frame, kind), kind, call, take)

    def _take(
        self,
        frame: Any,
        kind: FrameKind,
        call: Call,
        take: Callable[[Any, FrameKind], None],
    ) -> None:
        if kind in LAZY:
            with self._blaming(call):
                frame, kind = from_frame(frame, kind), FrameKind.ARROW
        if kind is not FrameKind.NOTHING:
            take(frame, kind)

    def _add(self, call: Call, frame: Any, kind: FrameKind) -> None:
        self.results.add(frame, kind, call)

    @contextmanager
    def _blaming(self, call: Call) -> Iterator[None]:
        """Turn what a user's function raises into an error that tells where and on what."""
        try:
            yield
        except SegueError:  # of the tables that it reads: it tells by itself
            raise
        except (Exception, SystemExit) as error:  # users raise anything
            if isinstance(error, self.skip):
                raise _Skipped(error) from None
            raise self.blame.accuse(error, call.group, call.given) from error


class _Skipped(Exception):  # noqa: N818  # it never leaves this file
    """A call that is left out."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _own(frame: Any, kind: FrameKind) -> Any:
    """Return a frame that its maker can't change any more."""
    if kind is FrameKind.PANDAS:
        return frame.copy()
    if kind is FrameKind.ROWS:
        return [dict(row) if isinstance(row, dict) else row for row in frame]
    return frame
