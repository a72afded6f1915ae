"""A function on one frame that it takes as it is: no way through Arrow and back.

For small data that way is most of what a call costs. What the function is given, what is
taken from it and how errors are told are the same as on the way through Arrow; a result that
is not as plain as its input goes that way after all.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from segue.execute.agree import SchemaAgreement
from segue.execute.blame import write_key
from segue.execute.blocks import (
    encode_keys,
    find_bounds,
    list_keys,
    order_rows,
    sort_indices,
)
from segue.execute.call import FunctionCaller
from segue.execute.results import Call, Results
from segue.frames.arrow_types import conform
from segue.frames.convert import from_frame, load_adapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from segue.execute.work import FunctionWork
    from segue.frames.adapter import PlainFrames
    from segue.spec.step import FrameKind


class DirectRun:
    """The calls of a function on one plain frame in memory."""

    def __init__(self, work: FunctionWork, kind: FrameKind, plain: PlainFrames) -> None:
        """Prepare the calls.

        Args:
            work: The function, of one input in frames of this kind; its layout has keys, or all
                rows are one part; and it skips no exception.
            kind: Which frame it is.
            plain: What its library does with plain frames.
        """
        self._work = work
        self._kind = kind
        self._plain = plain
        self._kept: list[pa.Table] = []
        agreement = SchemaAgreement(work.result, inputs=work.likely)
        self._results = Results(work.blame, work.returns, agreement, self._kept.append)
        self._caller = FunctionCaller(work.function, work.settings, self._results, work.blame)

    def run(self, frame: Any) -> tuple[Any, list[pa.Table]]:
        """Call the function on a plain frame, or on each of its groups.

        Returns:
            All results as one plain frame, or None and the results as tables.

        Raises:
            StepError: The function failed.
            OutputError: Its result does not fit.
        """
        if self._work.layout.by:
            self._call_groups(frame)
        else:
            order = self._find_order(frame)
            # rows for errors are not those that the function may have changed
            self._call(self._own(frame, order), "", partial(self._own, frame, order))
        joined = None if self._kept else self._results.join(self._kind)
        if joined is not None and self._is_exact(joined):
            return joined, []
        self._results.flush()
        return None, self._kept

    def _find_order(self, frame: Any) -> Any:
        """Return the positions of rows in the order of sort terms, None without any."""
        sort = self._work.layout.sort
        if not sort or not len(frame):
            return None
        told = [term.removeprefix("-") for term in sort]
        return sort_indices(self._plain.read(frame, told), sort)

    def _call_groups(self, frame: Any) -> None:
        """Call the function for each group."""
        keys = self._work.layout.keys
        table = self._plain.read(frame, keys)
        order, codes = order_rows(encode_keys(table, keys), self._find_order(frame))
        held, bounds = self._own(frame, order), find_bounds(codes)
        cut = load_adapter(self._kind).cut
        assert cut is not None  # noqa: S101  # of a library that has plain frames
        firsts = bounds[:-1] if order is None else order[bounds[:-1]]
        for position, key in enumerate(list_keys(table, keys, firsts)):
            start, stop = bounds[position : position + 2]
            part = partial(cut, held, start, stop)
            self._call(part(), write_key(keys, key), part)

    def _own(self, frame: Any, order: Any) -> Any:
        return self._plain.own(frame, order)

    def _call(self, frame: Any, group: str, given: Callable[[], Any]) -> None:
        (taken,) = self._work.inputs
        named = {taken.parameter: frame} if taken.parameter else {}
        call = Call(group, partial(self._show, given))
        self._caller.call(named, call, () if named else (frame,))

    def _show(self, given: Callable[[], Any]) -> Mapping[str, pa.Table]:
        """Return rows that the function was given, for errors."""
        (taken,) = self._work.inputs
        return {taken.table: conform(from_frame(given(), self._kind), taken.schema)}

    def _is_exact(self, joined: Any) -> bool:
        """Return whether a result would be cast to what it is already."""
        found = self._plain.describe(joined)
        return found is not None and self._work.result in (None, found)
