"""What users give: frames of any kind, live frames of engines, and paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Location, UsageError
from segue.frames.kinds import find_kind, is_iterator, name_kinds, name_type
from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema

_SERVED = f"a frame ({name_kinds()}), an iterator of them, a path, or an engine's own frame"


@dataclass(frozen=True, slots=True)
class Data:
    """Something that a user gave; one of the last five holds it.

    Attributes:
        name: How errors and queries name it.
        frame: Which kind of frame it is; None for a path and an engine's own frame.
        table: Its rows, if they were in memory.
        batches: Its rows as they come.
        path: Where its files are.
        live: An engine's own frame.
        plain: A frame that may be worked on as it is, and its columns.
    """

    name: str
    frame: FrameSpec | None = None
    table: pa.Table | None = None
    batches: Iterator[pa.Table] | None = None
    path: str = ""
    live: Any = None
    plain: tuple[Any, TableSchema] | None = None

    def hold(self) -> Data:
        """Return the same data with the rows of an iterator, or a frame, in memory as Arrow's.

        Raises:
            UsageError: Its frames have different columns.
        """
        if self.plain is not None and self.frame is not None:
            table = _read_frame(self.plain[0], self.frame.kind, self.name)
            return replace(self, plain=None, table=table)
        if self.batches is None:
            return self
        import pyarrow as pa

        try:
            table = pa.concat_tables(self.batches, promote_options="permissive")
        except pa.ArrowException as error:
            raise UsageError(f"the frames of {self.name} don't go together: {error}") from None
        return replace(self, batches=None, table=table)


def read_data(value: Any, name: str, *, live: bool, plain: bool = False) -> Data:
    """Return what a user gave as something that can be worked on.

    Args:
        value: What was given.
        name: How errors name it.
        live: Whether an engine calls it its own.
        plain: Whether a frame may stay as it is until it is held, if Arrow would change nothing.

    Raises:
        UsageError: It is nothing that can be read.
    """
    if live:
        return Data(name, live=value)
    if isinstance(value, str | PathLike):
        return Data(name, path=fspath(value))
    if is_iterator(value):
        return _read_iterator(value, name)
    frame = find_kind(value)
    if frame is None:
        hint = f"give {_SERVED}"
        raise UsageError(f"{name} is of type {name_type(value)}, which is no data", hint=hint)
    if frame.iterator:
        import pyarrow as pa

        first = value.schema.empty_table()  # a reader without batches has columns, too
        tables = (pa.Table.from_batches([batch]) for batch in value)
        read = (_read_frame(table, FrameKind.ARROW, name) for table in chain([first], tables))
        return Data(name, frame, batches=read)
    schema = _describe_plain(value, frame) if plain else None
    if schema is not None:
        return Data(name, frame, plain=(value, schema))
    return Data(name, frame, table=_read_frame(value, frame.kind, name))


def _describe_plain(value: Any, frame: FrameSpec) -> TableSchema | None:
    from segue.frames.convert import load_adapter

    plain = load_adapter(frame.kind, frame.over).plain
    return None if plain is None else plain.describe(value)


def _read_frame(value: Any, kind: FrameKind, name: str) -> pa.Table:
    from segue.frames.arrow_types import from_arrow
    from segue.frames.convert import from_frame

    try:
        table = from_frame(value, kind)
        from_arrow(table.schema)
    except ValueError as error:
        raise UsageError(f"{name} can't be read: {error}") from None
    return table


def _read_iterator(items: Iterator[Any], name: str) -> Data:
    first = next(items, None)
    frame = find_kind(first)
    if frame is None or frame.iterator:
        found = "nothing" if first is None else name_type(first)
        raise UsageError(
            f"{name} is an iterator of {found}, which is no data",
            hint=f"an iterator yields frames of one kind: {name_kinds()}",
        )
    tables = (_read_frame(item, frame.kind, name) for item in chain([first], items))
    return Data(name, FrameSpec(frame.kind, iterator=True), batches=tables)


def scan_path(path: str, name: str, scratch: Path) -> Scan:
    """Return how to read the files of a path, as ``segue.toml`` would have them read.

    Args:
        path: A file, a folder or a pattern.
        name: How errors name it.
        scratch: Folder for what has to be unpacked.

    Raises:
        UsageError: Its format can't be told.
        SourceError: There is no file, or it can't be read.
    """
    from segue import registry
    from segue.declare.problems import Problems
    from segue.declare.sources import read_source

    problems = Problems()
    here = Path.cwd()
    source = read_source("data", {"path": path}, Location(path), {}, here, problems)
    if source is None:
        problem = problems.sorted()[0]
        raise UsageError(f"{name}: {problem.message}", hint=problem.hint)
    return registry.load_source(source.kind).scan(source, here, scratch)
