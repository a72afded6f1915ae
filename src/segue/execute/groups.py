"""Groups of one table, and groups of several tables that share their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.errors import StepError
from segue.execute.blocks import Block, cut_stream, order_clause, read_blocks
from segue.frames.arrow_types import to_arrow
from segue.frames.convert import open_slices, to_frame
from segue.registry import nearest
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.execute.inputs import StepInputs
    from segue.spec.step import FrameSpec, StepSpec
    from segue.spec.types import DataType, TableSchema

NUMBER = "segue: number of the group"
KEYS = "segue: keys of all groups"
"""Names that no user's column and table have."""

_SET_OPERATORS = {"inner": " intersect ", "full": " union "}


@dataclass(frozen=True, slots=True)
class Group:
    """What a function is called with once.

    Attributes:
        key: Values of the key columns.
        frames: Its rows of each table, as the function asked for them.
        show: Returns its rows of each table, for errors.
        rows: How many rows it has in all tables.
    """

    key: tuple[Any, ...]
    frames: Mapping[str, Any]
    show: Callable[[], Mapping[str, pa.Table]]
    rows: int


def check_columns(step: StepSpec, schemas: Mapping[str, TableSchema]) -> None:
    """Check that the columns exist by which a step's rows are grouped and sorted.

    Raises:
        StepError: One does not, and the hint names the nearest; or keys of several tables
            have types that can't meet.
    """
    for name in step.by:
        for table, schema in schemas.items():
            if schema.find(name) is None:
                raise _lacks(step, "groups by", name, f"{table!r} does", schema.names)
        _check_key_types(step, name, schemas)
    names = [name for schema in schemas.values() for name in schema.names]
    for term in step.sort:
        if term.removeprefix("-") not in names:
            owner = f"{next(iter(schemas))!r} does" if len(schemas) == 1 else "its tables do"
            raise _lacks(step, "sorts by", term.removeprefix("-"), owner, tuple(names))


def _lacks(step: StepSpec, verb: str, name: str, owner: str, known: tuple[str, ...]) -> StepError:
    return StepError(
        f"step {step.name!r} {verb} {name!r}, a column that {owner} not have",
        step=step.name,
        location=step.location,
        hint=nearest(name, known, noun="column"),
    )


def _check_key_types(step: StepSpec, name: str, schemas: Mapping[str, TableSchema]) -> None:
    found = {table: column.type for table, s in schemas.items() if (column := s.find(name))}
    if len({_family(type_) for type_ in found.values()}) > 1:
        shown = ", ".join(f"{type_} in {table!r}" for table, type_ in found.items())
        raise StepError(
            f"step {step.name!r} groups by {name!r}, which is {shown}",
            step=step.name,
            location=step.location,
            hint="give the column one type in all of the tables",
        )


def _family(type_: DataType) -> str:
    if type_.is_integer or type_.is_float or type_.kind == "decimal":
        return "number"
    return "string" if type_.kind == "categorical" else str(type_)


def iterate_groups(
    inputs: StepInputs,
    step: StepSpec,
    wanted: Mapping[str, FrameSpec],
    schemas: Mapping[str, TableSchema],
    budget: int,
) -> Iterator[Group]:
    """Yield a step's groups in the order of their keys, nulls last.

    Args:
        inputs: The step's tables.
        step: Says by which columns, in which order, and how several tables are joined.
        wanted: Tables and the frames in which the function wants them.
        schemas: Columns of each table.
        budget: Most bytes of rows to hold at once, unless one group is larger.
    """
    if len(wanted) > 1:
        yield from _iterate_cogroups(inputs, step, wanted, schemas)
        return
    ((table, spec),) = wanted.items()
    query = f"select * from {quote(table)}"
    for block in read_blocks(inputs.session, query, step.by, step.sort, budget):
        cut = open_slices(block.table, spec)
        for position, key in enumerate(block.keys(step.by)):
            start, stop = block.bounds[position], block.bounds[position + 1]

            def show(start: int = start, stop: int = stop, block: Block = block) -> Any:
                return {table: block.table.slice(start, stop - start)}

            yield Group(key, {table: cut(start, stop)}, show, stop - start)


def _iterate_cogroups(
    inputs: StepInputs,
    step: StepSpec,
    wanted: Mapping[str, FrameSpec],
    schemas: Mapping[str, TableSchema],
) -> Iterator[Group]:
    """Let the engine number the keys of all tables together, then walk side by side."""
    keys = inputs.session.fetch(_number_keys(step, tuple(wanted)))
    sides = {}
    for table, spec in wanted.items():
        fork = inputs.fork()
        fork.bind(KEYS, keys)
        sort = [term for term in step.sort if schemas[table].find(term.removeprefix("-"))]
        blocks = cut_stream(fork.stream(_select_numbered(table, step.by, sort)), [NUMBER])
        sides[table] = _Side(blocks, spec, schemas[table])
    for batch in keys.to_batches():
        for row in batch.to_pylist():
            number = row.pop(NUMBER)
            tables = {table: side.take(number) for table, side in sides.items()}
            frames = {table: frame for table, (frame, _) in tables.items()}

            def show(tables: Any = tables) -> Any:
                return {table: rows for table, (_, rows) in tables.items()}

            yield Group(
                tuple(row.values()), frames, show, sum(r.num_rows for _, r in tables.values())
            )


def _number_keys(step: StepSpec, tables: Sequence[str]) -> str:
    """Return a SELECT that numbers the keys which groups have; null is a key like any other."""
    columns = ", ".join(map(quote, step.by))
    sided = {"left": tables[:1], "right": tables[-1:]}.get(step.how, tables)
    parts = [f"(select distinct {columns} from {quote(table)})" for table in sided]
    keys = _SET_OPERATORS.get(step.how, "").join(parts)
    ordered = order_clause(step.by, ())
    return (
        f"select row_number() over ({ordered}) as {quote(NUMBER)}, {columns} from ({keys}){ordered}"
    )


def _select_numbered(table: str, by: Sequence[str], sort: Sequence[str]) -> str:
    meet = " and ".join(f"t.{quote(name)} is not distinct from k.{quote(name)}" for name in by)
    return (
        f"select k.{quote(NUMBER)}, t.* from {quote(table)} t join {quote(KEYS)} k on {meet}"
        f"{order_clause([NUMBER], sort)}"
    )


class _Side:
    """One of the tables of a co-group, walked through in the order of group numbers."""

    def __init__(self, blocks: Iterator[Block], spec: FrameSpec, schema: TableSchema) -> None:
        self._blocks = blocks
        self._spec = spec
        self._schema = schema
        self._empty = to_arrow(schema).empty_table()
        self._turn_page()

    def _turn_page(self) -> None:
        self._block = next(self._blocks, None)
        if self._block is not None:
            self._numbers = [number for (number,) in self._block.keys([NUMBER])]
            self._rows = self._block.table.drop_columns([NUMBER])
            self._cut = open_slices(self._rows, self._spec)
            self._position = 0

    def take(self, number: int) -> tuple[Any, pa.Table]:
        """Return the group with this number, as a frame and as rows: empty if there is none."""
        if self._block is None or self._numbers[self._position] != number:
            return to_frame(self._empty, self._spec, self._schema), self._empty
        start, stop = self._block.bounds[self._position : self._position + 2]
        found = self._cut(start, stop), self._rows.slice(start, stop - start)
        self._position += 1
        if self._position == len(self._numbers):
            self._turn_page()
        return found
