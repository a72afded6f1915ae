"""The calls of a function on the rows that a worker has."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from segue.execute.agree import SchemaAgreement
from segue.execute.blame import SAMPLE_ROWS, write_key
from segue.execute.blocks import Block, cut_stream, sort_block, sort_indices
from segue.execute.call import FunctionCaller
from segue.execute.cogroups import Cogroups, cut_tagged, meet_tables, split_tagged
from segue.execute.results import Call, Results
from segue.execute.skipped import SKIPPED, note_skipped
from segue.frames.arrow_types import conform, conform_batch, from_arrow, to_arrow
from segue.frames.convert import open_slices, to_frame
from segue.spec.layout import key_name
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.execute.work import FunctionWork


class WorkRun:
    """One go at a part of the rows."""

    def __init__(self, work: FunctionWork) -> None:
        self._work = work
        self._kept: list[pa.Table] = []
        self._notes: list[str] = []
        self._shown: dict[str, pa.Table] = {}
        agreement = SchemaAgreement(work.result, inputs=work.likely)
        self._results = Results(work.blame, work.returns, agreement, self._kept.append)
        self._caller = FunctionCaller(
            work.function, work.settings, self._results, work.blame, work.skip, self._skip
        )

    def tables(self, tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
        """Work on rows in any order, one table for each input."""
        work = self._work
        held = [conform(t, each.schema) for t, each in zip(tables, work.inputs, strict=True)]
        if not work.layout.by:
            self._call_whole([self._sort(table) for table in held])
        elif len(held) == 1:
            yield from self._call_block(sort_block(held[0], work.layout.keys, work.layout.sort))
        else:
            yield from self._call_cogroups(meet_tables(held, work.layout, work.how))
        yield from self._finish()

    def stream(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        """Work on rows in the order of keys and sort columns, tagged if there are inputs."""
        work = self._work
        if not work.layout.by:
            self._call_stream(rows)
        elif len(work.inputs) == 1:
            schema = work.inputs[0].schema
            laid_out = (conform_batch(batch, schema) for batch in rows)
            for block in cut_stream(laid_out, work.layout.keys):
                yield from self._call_block(block)
        else:
            keys = [key_name(number) for number in range(len(work.layout.by))]
            for block in cut_stream(rows, keys):
                groups = cut_tagged(block, self._schemas(), work.layout, work.how)
                yield from self._call_cogroups(groups)
        yield from self._finish()

    def _schemas(self) -> list[TableSchema]:
        return [each.schema for each in self._work.inputs]

    def _sort(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        terms = self._work.layout.order_of(from_arrow(table.schema))
        return table.take(pa.array(sort_indices(table, terms))) if terms else table

    def _call_block(self, block: Block) -> Iterator[pa.Table]:
        """Call the function for each group of a single input."""
        (taken,) = self._work.inputs
        names, keys = self._work.layout.keys, block.keys(self._work.layout.keys)
        cut = open_slices(block.table, taken.frame)
        for position, key in enumerate(keys):
            start, stop = block.bounds[position], block.bounds[position + 1]

            def show(start: int = start, stop: int = stop) -> Mapping[str, pa.Table]:
                return {taken.table: block.table.slice(start, stop - start)}

            self._call([cut(start, stop)], Call(write_key(names, key), show))
            yield from self._drain()

    def _call_cogroups(self, groups: Cogroups) -> Iterator[pa.Table]:
        """Call the function for each group of several inputs."""
        inputs, names = self._work.inputs, self._work.layout.keys
        cuts = [
            open_slices(block.table, taken.frame)
            for block, taken in zip(groups.blocks, inputs, strict=True)
        ]
        for number, key in enumerate(groups.keys):
            bounds = list(groups.bounds(number))

            def show(bounds: Sequence[tuple[int, int]] = bounds) -> Mapping[str, pa.Table]:
                return {
                    taken.table: block.table.slice(start, stop - start)
                    for block, taken, (start, stop) in zip(
                        groups.blocks, inputs, bounds, strict=True
                    )
                }

            frames = [cut(*each) for cut, each in zip(cuts, bounds, strict=True)]
            self._call(frames, Call(write_key(names, key), show))
            yield from self._drain()

    def _call_stream(self, rows: Iterable[pa.RecordBatch]) -> None:
        """Call the function once, on rows as they come if that is what it takes."""
        import pyarrow as pa

        inputs = self._work.inputs
        if len(inputs) > 1:
            held = list(rows)
            table = pa.Table.from_batches(held) if held else None
            self._call_whole(split_tagged(table, self._schemas()))
            return
        (taken,) = inputs
        laid_out = (conform_batch(batch, taken.schema) for batch in rows)
        if not taken.frame.iterator:
            self._call_whole([pa.Table.from_batches(laid_out, to_arrow(taken.schema))])
            return
        batches = self._watch(taken.table, laid_out)
        first = next(batches, None)
        if first is None:
            self._call_whole([to_arrow(taken.schema).empty_table()])
            return
        frames = to_frame(chain([first], batches), taken.frame, taken.schema)
        self._call([frames], Call("", lambda: self._shown))

    def _call_whole(self, tables: Sequence[pa.Table]) -> None:
        """Call the function once, on all rows of the part."""
        work = self._work
        if not work.layout.whole and not any(table.num_rows for table in tables):
            return  # an empty part is none
        frames = [
            to_frame(table, taken.frame, taken.schema)
            for table, taken in zip(tables, work.inputs, strict=True)
        ]
        shown = {taken.table: table for table, taken in zip(tables, work.inputs, strict=True)}
        self._call(frames, Call("", lambda: shown))

    def _call(self, frames: Sequence[Any], call: Call) -> None:
        named = {
            taken.parameter: frame
            for taken, frame in zip(self._work.inputs, frames, strict=True)
            if taken.parameter
        }
        self._caller.call(named, call, () if named else frames)

    def _watch(self, table: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass on batches with rows, and keep the first rows of the last one for errors."""
        import pyarrow as pa

        for batch in batches:
            if batch.num_rows:
                self._shown[table] = pa.Table.from_batches([batch.slice(0, SAMPLE_ROWS)])
                yield batch

    def _skip(self, call: Call, error: BaseException) -> None:
        self._notes.append(note_skipped(call, error))

    def _finish(self) -> Iterator[pa.Table]:
        self._results.flush()
        yield from self._drain()

    def _drain(self) -> Iterator[pa.Table]:
        """Yield what has come so far, and tell of calls that were left out."""
        import pyarrow as pa

        kept, notes = self._kept[:], self._notes
        self._kept.clear()
        self._notes = []
        for table in kept:
            if self._work.reports:
                nulls = pa.nulls(table.num_rows, pa.string())
                table = table.append_column(SKIPPED.name, nulls)  # noqa: PLW2901  # the same rows
            yield table
        if notes and self._work.reports:
            told = pa.table({SKIPPED.name: pa.array(notes, pa.string())})
            yield told if self._work.result is None else _fill(told, self._work.schema)


def _fill(told: pa.Table, schema: TableSchema) -> pa.Table:
    """Return rows that have one column with nulls in all others."""
    import pyarrow as pa

    fields = to_arrow(schema)
    columns = [
        told.column(field.name)
        if field.name in told.column_names
        else pa.nulls(told.num_rows, field.type)
        for field in fields
    ]
    return pa.Table.from_arrays(columns, schema=fields)
