"""Doing the work: in this process, on the local engine, or on another one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from segue.anywhere.asked import choose_frame, settle_frame
from segue.anywhere.inputs import bind_data, bind_inputs
from segue.anywhere.results import give_frame
from segue.anywhere.sessions import SESSIONS
from segue.errors import StepError
from segue.execute.gather import gather_parts
from segue.execute.infer import infer_result
from segue.execute.skipped import SKIPPED, part_skipped
from segue.frames.arrow_types import conform, from_arrow
from segue.frames.chunks import cut_rows, part_size
from segue.frames.convert import from_frame, load_adapter
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import FrameSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from segue.anywhere.asked import Asked
    from segue.anywhere.data import Data
    from segue.anywhere.sessions import Site
    from segue.execute.skipped import SkippedGroup
    from segue.execute.work import FunctionWork
    from segue.protocols import Session

LARGE = 8 * 2**20
"""Bytes of grouped rows above which the local engine is asked whether to start processes."""

_RESULT = "segue: result"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the work.

    Attributes:
        table: The rows, None if an engine has them.
        frame: The rows, if they never were anything but the kind of frame that was given.
        native: The engine's own frame, if it was asked for.
        skipped: Calls that were left out.
    """

    table: pa.Table | None = None
    frame: Any = None
    native: Any = None
    skipped: tuple[SkippedGroup, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether not one column of the result is known."""
        return self.table is None and self.frame is None and self.native is None


def compute(asked: Asked, site: Site | None, *, native: bool) -> Answer:
    """Do the work where it is to be done.

    Args:
        asked: The work.
        site: The engine, None for this machine.
        native: Whether the engine's own frame is asked for.

    Raises:
        StepError: The function failed.
        OutputError: Its result does not fit, or it can't be told without a declared schema.
    """
    here = site is None or not site.capabilities.distributed
    answer = _compute_directly(asked) if here else None
    if answer is not None:
        return answer
    streamed = _open_stream(asked) if here else None
    if streamed is not None:
        return _gather(*streamed)
    asked = replace(asked, datas=tuple(data.hold() for data in asked.datas))
    if site is not None and not here:
        return _compute_at(asked, site, native=native)
    tables = [data.table for data in asked.datas if data.table is not None]
    small = not asked.by or sum(table.nbytes for table in tables) < LARGE
    if small and len(tables) == len(asked.datas):
        return _compute_here(asked, tables)
    return _compute_local(asked)


def _compute_directly(asked: Asked) -> Answer | None:
    """Work in this process on a frame as it is, None if that is not how it can be done."""
    (first, *others), (_, wanted) = asked.datas, asked.function.inputs[0]
    if others or first.plain is None or first.frame is None or asked.skip:
        return None
    alike = {settle_frame(wanted, first), asked.function.returns or first.frame}
    if asked.split is not None or alike != {first.frame}:
        return None
    frame, schema = first.plain
    plain = load_adapter(first.frame.kind).plain
    if plain is None or (asked.by and plain.weigh(frame) >= LARGE):
        return None
    from segue.execute.direct import DirectRun

    work = asked.make_work({first.name: schema})
    made, tables = DirectRun(work, first.frame.kind, plain).run(frame)
    return _gather(work, tables) if made is None else Answer(frame=made)


def _compute_here(asked: Asked, tables: Sequence[pa.Table]) -> Answer:
    """Work in this process."""
    names = [data.name for data in asked.datas]
    schemas = [from_arrow(table.schema) for table in tables]
    work = asked.make_work(dict(zip(names, schemas, strict=True)))
    return _gather(work, work_on_parts(work, tables))


def _open_stream(asked: Asked) -> tuple[FunctionWork, Iterator[pa.Table]] | None:
    """Return the work on an iterator that needs not be held, None if there is no such."""
    (first, *others), (_, frame) = asked.datas, asked.function.inputs[0]
    if others or asked.by or asked.sort or first.batches is None:
        return None
    if asked.split is None and (frame is None or not frame.iterator):
        return None
    start = next(first.batches, None)
    if start is None:
        return None
    work = asked.make_work({first.name: from_arrow(start.schema)})
    tables = chain([start], first.batches)
    batches = (batch for table in tables for batch in table.to_batches())
    if work.layout.whole:
        return work, work.follow(batches)
    if work.layout.part_rows is None:
        held = replace(first, batches=tables).hold().table
        return work, work_on_parts(work, [held])
    parts = cut_rows(batches, work.layout.part_rows)
    return work, (table for part in parts for table in work.work_on([part]))


def work_on_parts(work: FunctionWork, tables: Sequence[pa.Table]) -> Iterator[pa.Table]:
    """Work on rows that are in memory, part by part."""
    layout = work.layout
    if layout.by or layout.whole:
        yield from work.work_on(tables)
        return
    (table,) = tables
    for part in cut_rows(table.to_batches(), part_size(layout, table.num_rows)):
        yield from work.work_on([part])


def _gather(work: FunctionWork, parts: Iterable[pa.Table]) -> Answer:
    table, skipped = gather_parts(work, parts)
    return Answer(table, skipped=skipped)


def _compute_local(asked: Asked) -> Answer:
    """Work with the local engine, which reads files and may start processes."""
    with SESSIONS.open_local() as session:
        schemas = {
            data.name: bind_data(session, data)
            if data.table is None
            else from_arrow(data.table.schema)
            for data in asked.datas
        }
        work = asked.make_work(schemas)
        inputs = [data.name if data.table is None else data.table for data in asked.datas]
        return _gather(work, _as_tables(session.compute(inputs, work, work.layout)))


def _as_tables(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    import pyarrow as pa

    for batch in batches:
        yield pa.Table.from_batches([batch])


def _compute_at(asked: Asked, site: Site, *, native: bool) -> Answer:
    """Let an engine do the work."""
    session = site.session
    with _on_engine(site.name):
        work = asked.make_work(bind_inputs(session, asked.datas))
        names = [data.name for data in asked.datas]
        if work.result is None:
            work = replace(work, result=infer_result(session, names, work))
        session.apply(_RESULT, names, work, work.layout)
        if native:
            return _give_native(session, work)
        rows, skipped = part_skipped(session.fetch(f"select * from {quote(_RESULT)}"))
        assert work.result is not None  # noqa: S101  # declared or inferred
        table = conform(rows, work.result) if work.result.columns else None
        return Answer(table, skipped=skipped)


def _give_native(session: Session, work: FunctionWork) -> Answer:
    names = ", ".join(map(quote, work.result.names)) if work.result is not None else ""
    if not work.reports:
        return Answer(native=session.native(f"select * from {quote(_RESULT)}"))
    note = quote(SKIPPED.name)
    _, skipped = part_skipped(
        session.fetch(f"select {note} from {quote(_RESULT)} where {note} is not null")
    )
    if not names:
        return Answer(skipped=skipped)
    rows = f"select {names} from {quote(_RESULT)} where {note} is null"
    return Answer(native=session.native(rows), skipped=skipped)


@contextmanager
def _on_engine(name: str) -> Iterator[None]:
    """Add to errors on which engine they came about."""
    try:
        yield
    except StepError as error:
        error.engine = error.engine or name
        raise


def give_answer(answer: Answer, asked: Asked, frame: FrameSpec | str | None) -> Any:
    """Return an answer as the frame that is asked for."""
    if answer.native is not None:
        return answer.native
    table, given = answer.table, asked.datas[0].frame
    if answer.frame is not None and given is not None:
        if frame in (None, given):
            return answer.frame
        read = from_frame(answer.frame, given.kind)
        table = conform(read, from_arrow(read.schema))
    if table is None:
        import pyarrow as pa

        table = pa.table({})
    return give_table(table, asked.datas[0], frame)


def give_table(table: pa.Table, first: Data | None, frame: FrameSpec | str | None) -> Any:
    """Return rows as the frame that is asked for, else as the first input was."""
    if isinstance(frame, FrameSpec):
        return give_frame(table, frame)
    if first is None:
        return table
    return give_frame(table, first.frame or choose_frame(first))
