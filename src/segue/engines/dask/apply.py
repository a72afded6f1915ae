"""Work on bound data, cut into tasks that bring the rows of each key together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from segue.engines.dask.inputs import Block, Blocks, Files
from segue.engines.dask.pieces import Away, Budget, Piece, Share, Source, Span
from segue.engines.dask.place import budget_of, finish_blocks, source_of
from segue.engines.dask.tasks import measure_parts, pick_part, read_piece, run_part, split_piece
from segue.frames.packing import pack_work
from segue.frames.split import MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Future

    from segue.engines.dask.link import Link, Power
    from segue.protocols import Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

FEW_BYTES = 64_000_000
"""Inputs up to this size go to each task as a whole, which takes its part of them."""
READ_AGAIN = 4
"""Files are read by each task as a whole if there are at most so many tasks for a thread."""
_SMALL_PAYLOAD = 100_000
_TASK_BYTES = 128_000_000
_TASK_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """What all tasks of an apply are told.

    Attributes:
        link: The connection.
        power: What workers there are.
        work: The work, pickled, or a future of that.
        layout: Keys and order.
        schema: Columns and types of the result.
    """

    link: Link
    power: Power
    work: Any
    layout: Layout
    schema: TableSchema

    @property
    def budget(self) -> Budget:
        """What each task may use."""
        return budget_of(self.power)

    def run(self, pieces: Sequence[Piece], sources: Sequence[Source]) -> Future[Any]:
        """Let a worker do the work on a part."""
        return self.link.submit(
            run_part, self.work, self.layout, list(pieces), list(sources), self.budget
        )


def apply_work(link: Link, inputs: Sequence[Blocks | Files], work: Work, layout: Layout) -> Blocks:
    """Return what work makes of inputs; all is done when it returns.

    Args:
        link: Connection to the workers.
        inputs: The inputs, in order.
        work: What to do.
        layout: How rows are brought together.

    Raises:
        SegueError: A task failed.
    """
    call = Call(link, link.measure_power(), send_work(link, work), layout, work.schema)
    if layout.whole:
        futures = [_run_whole(call, inputs)]
    elif layout.by:
        futures = _run_groups(call, inputs)
    else:
        futures = _run_spans(call, inputs)
    return finish_blocks(link, futures, work.schema)


def send_work(link: Link, work: Work) -> Any:
    """Return work as tasks are to be given it.

    Raises:
        StepError: It holds something that can't be pickled.
    """
    payload = pack_work(work, "dask")
    return payload if len(payload) < _SMALL_PAYLOAD else link.scatter([payload])[0]


def _run_whole(call: Call, inputs: Sequence[Blocks | Files]) -> Future[Any]:
    away = sum(each.bytes for each in inputs) > call.budget.part
    return call.run(
        [Piece(each.schema) for each in inputs], [source_of(each, away=away) for each in inputs]
    )


def _run_groups(call: Call, inputs: Sequence[Blocks | Files]) -> list[Future[Any]]:
    parts = _count_parts(call, inputs)
    if _are_read_again(call, inputs, parts):
        by_sql = all(_has_keys_as_they_are(each, call.layout) for each in inputs)
        return [
            call.run(
                [
                    Piece(each.schema, Share(call.layout.by, number, parts, sql=by_sql))
                    for each in inputs
                ],
                [source_of(each) for each in inputs],
            )
            for number in range(parts)
        ]
    return _shuffle(call, inputs, parts)


def _count_parts(call: Call, inputs: Sequence[Blocks | Files]) -> int:
    if call.layout.parts is not None:
        return min(call.layout.parts, MOST_PARTS)
    rows = max(each.rows for each in inputs)
    by_size = -(-2 * sum(each.bytes for each in inputs) // call.budget.part)
    return max(min(max(call.power.threads, by_size), rows, MOST_PARTS), 1)


def _are_read_again(call: Call, inputs: Sequence[Blocks | Files], parts: int) -> bool:
    """Return whether each task looks at all rows for its part, which saves a shuffle."""
    if parts == 1 or sum(each.bytes for each in inputs) <= FEW_BYTES:
        return True
    few = parts <= READ_AGAIN * call.power.threads
    return few and all(
        isinstance(each, Files) and _has_keys_as_they_are(each, call.layout) for each in inputs
    )


def _has_keys_as_they_are(each: Blocks | Files, layout: Layout) -> bool:
    """Return whether SQL can hash the keys: of files, where no key needs a cast."""
    return isinstance(each, Files) and all(each.schema.find(key.name) == key for key in layout.by)


def _shuffle(call: Call, inputs: Sequence[Blocks | Files], parts: int) -> list[Future[Any]]:
    """Split all pieces by key, then work on what falls to the same part."""
    link, budget = call.link, call.budget
    split = [
        [
            link.submit(split_piece, piece, source, call.layout.by, parts, budget)
            for piece, source in cut_input(each, call.power)
        ]
        for each in inputs
    ]
    sizes = [
        link.gather([link.submit(measure_parts, future) for future in of_input])
        for of_input in split
    ]
    pieces = [Piece(each.schema) for each in inputs]
    futures, held = [], []
    for number in range(parts):
        picked = [
            [
                link.submit(pick_part, future, number)
                for future, found in zip(of_input, measured, strict=True)
                if found[number][0]
            ]
            for of_input, measured in zip(split, sizes, strict=True)
        ]
        if not any(picked):
            continue
        total = sum(found[number][1] for measured in sizes for found in measured)
        if total <= budget.part:
            futures.append(call.run(pieces, picked))
            continue
        held += [future for of_input in picked for future in of_input]
        link.finish(held)
        futures.append(
            call.run(pieces, [Away(tuple(str(each.key) for each in found)) for found in picked])
        )
    # what a task fetches by itself must be there until it is done
    link.finish(futures)
    return futures


def cut_input(each: Blocks | Files, power: Power) -> Iterator[tuple[Piece, Source]]:
    """Yield pieces of an input, a task for each."""
    if isinstance(each, Files):
        count = max(min(power.threads, each.rows // _TASK_ROWS), -(-each.bytes // _TASK_BYTES), 1)
        for span in cut_rows(each.rows, count):
            yield Piece(each.schema, span), each.scan
        return
    group: list[Block] = []
    most = max(min(_TASK_BYTES, each.bytes // power.threads), 1)
    for block in each.blocks:
        if group and sum(other.bytes for other in group) + block.bytes > most:
            yield Piece(each.schema), [other.future for other in group]
            group = []
        group.append(block)
    if group:
        yield Piece(each.schema), [other.future for other in group]


def read_files(link: Link, files: Files) -> Blocks:
    """Return the rows of Parquet files in the memory of workers, which share the reading.

    Raises:
        SegueError: A file can't be read.
    """
    power = link.measure_power()
    futures = [
        link.submit(read_piece, piece, source, budget_of(power))
        for piece, source in cut_input(files, power)
    ]
    return finish_blocks(link, futures, files.schema)


def cut_rows(rows: int, count: int) -> list[Span]:
    """Return spans of about the same number of rows.

    Example:
        >>> cut_rows(10, 3)
        [Span(start=0, rows=3), Span(start=3, rows=3), Span(start=6, rows=4)]
    """
    ends = [rows * number // count for number in range(count + 1)]
    return [Span(start, stop - start) for start, stop in pairwise(ends)]


def _run_spans(call: Call, inputs: Sequence[Blocks | Files]) -> list[Future[Any]]:
    """Work on rows in the order in which they are, some at a time."""
    first, *others = inputs
    layout = call.layout
    if layout.loose:
        cut = list(cut_input(first, call.power))
    else:
        count = layout.parts or 1
        if layout.part_rows is not None:
            count = max(count, -(-first.rows // layout.part_rows))
        spans = [span for span in cut_rows(first.rows, count) if span.rows]
        cut = [(Piece(first.schema, span), source_of(first)) for span in spans]
        if isinstance(first, Blocks):
            cut = [_find_blocks(first, span) for span in spans]
    rest = [Piece(each.schema) for each in others]
    return [
        call.run([piece, *rest], [source, *(source_of(each) for each in others)])
        for piece, source in cut
    ]


def _find_blocks(first: Blocks, span: Span) -> tuple[Piece, Source]:
    """Return a span as rows of the few blocks that hold it."""
    held: list[Future[Any]] = []
    begin = start = 0
    for block in first.blocks:
        end = begin + block.rows
        if begin < span.start + span.rows and span.start < end:
            start = start if held else span.start - begin
            held.append(block.future)
        begin = end
    return Piece(first.schema, Span(start, span.rows)), held
