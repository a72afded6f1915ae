"""What a user asks of a function and its data, read and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue.anywhere.layouts import make_layout
from segue.anywhere.schemas import read_schema
from segue.errors import UsageError
from segue.execute.work import FunctionWork, WorkInput
from segue.frames.kinds import WRAPPED, name_type
from segue.spec.step import FrameKind, FrameSpec
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.anywhere.data import Data
    from segue.anywhere.function import Function

Exceptions = tuple[type[BaseException], ...]
NO_COLUMNS = TableSchema(())


@dataclass(frozen=True, slots=True)
class Asked:
    """A function and its data.

    Attributes:
        datas: The inputs.
        function: The function.
        by: Key columns.
        sort: Sort terms.
        how: How several inputs are joined.
        split: How rows are split.
        schema: Columns of the result, as they were declared.
        skip: Exceptions for which a group is left out.
    """

    datas: tuple[Data, ...]
    function: Function
    by: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    how: str = "inner"
    split: int | str | None = None
    schema: Any = None
    skip: Exceptions = ()

    @property
    def is_effect(self) -> bool:
        """Whether the function announces to return nothing."""
        returns = self.function.returns
        return returns is not None and returns.kind is FrameKind.NOTHING

    def _read_schema(self, schemas: Mapping[str, TableSchema]) -> TableSchema | None:
        told = self.function.schema if self.schema is None else self.schema
        return read_schema(told, schemas)

    def make_work(self, schemas: Mapping[str, TableSchema]) -> FunctionWork:
        """Return the work to be done on inputs with these columns.

        Raises:
            UsageError: A column is not there, or what was asked contradicts itself.
        """
        function = self.function
        inputs = tuple(
            WorkInput(data.name, parameter, settle_frame(asked, data), schemas[data.name])
            for data, (parameter, asked) in zip(self.datas, function.inputs, strict=True)
        )
        return FunctionWork(
            function.call,
            inputs,
            make_layout(schemas, self.by, self.sort, self.how, self.split),
            function.blame,
            self.how,
            function.returns,
            NO_COLUMNS if self.is_effect else self._read_schema(schemas),
            function.settings,
            self.skip,
            reports=self.is_effect or bool(self.skip),
        )


def choose_frame(data: Data) -> FrameSpec:
    """Return the frame that a function is given which does not say what it wants.

    It is the kind that the data is; pandas for an engine's own frame, Arrow for files.
    """
    if data.live is not None:
        return FrameSpec(FrameKind.PANDAS)
    if data.frame is None or data.frame.kind is FrameKind.ARROW_BATCH:
        return FrameSpec(FrameKind.ARROW)
    return replace(data.frame, iterator=False)


def settle_frame(asked: FrameSpec | None, data: Data) -> FrameSpec:
    """Return the frame that a function is given; narwhals' are over the kind that the data is."""
    if asked is None or asked.kind not in WRAPPED:
        return asked or choose_frame(data)
    if data.frame is None:
        return asked
    over = data.frame.over or data.frame.kind
    if asked.kind is FrameKind.NARWHALS:
        over = {FrameKind.POLARS_LAZY: FrameKind.POLARS, FrameKind.DUCKDB: FrameKind.ARROW}.get(
            over, over
        )
    if over in (FrameKind.ROWS, FrameKind.ARROW_BATCH):
        over = FrameKind.ARROW
    return replace(asked, over=over)


def name_inputs(given: Sequence[Any]) -> tuple[str, ...]:
    """Return how errors name the inputs."""
    if len(given) == 1:
        return ("data",)
    return tuple(f"data {number}" for number in range(1, len(given) + 1))


def read_skip(skip: Any) -> Exceptions:
    """Return exceptions that were given as one class, or as several.

    Raises:
        UsageError: They are something else.
    """
    classes = tuple(skip) if isinstance(skip, list | tuple | set | frozenset) else (skip,)
    for each in classes:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            shown = getattr(each, "__name__", None) or name_type(each)
            hint = "name exceptions: skip=(ValueError, ZeroDivisionError)"
            raise UsageError(f"skip names {shown}, which is no exception", hint=hint)
    return classes
