"""Python steps on micro-batches: the code that calls functions everywhere else, too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from segue.errors import Location, OutputError, StepError, UnknownNameError
from segue.execute.blame import Blame
from segue.execute.unify import unify_types
from segue.execute.work import FunctionWork, WorkInput
from segue.spec.edge import NODE_COLUMN
from segue.spec.layout import Layout
from segue.spec.step import FrameKind
from segue.spec.types import Column, TableSchema, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.spec.edge import EdgeStep
    from segue.spec.types import DataType

_NODE = Column(NODE_COLUMN, parse_type("string"))


def load_functions(root: Path, steps: Sequence[EdgeStep]) -> dict[str, Callable[..., Any]]:
    """Load the project's modules that the bundle carries, and return the steps' functions.

    Args:
        root: Folder of the project in the bundle.
        steps: Steps; those without a function are passed over.

    Raises:
        StepError: A module can't be loaded.
        UnknownNameError: No module declares the step.
    """
    from segue.declare.modules import ProjectModules

    wanted = {step.name: step.function.path for step in steps if step.function is not None}
    if not wanted:
        return {}
    modules = ProjectModules(root)
    with modules.loading():
        for path in dict.fromkeys(wanted.values()):
            _load(modules, path)
        if not wanted.keys() <= _find_marked(modules).keys():
            # a factory's file need not be the one that declares the step
            for file in sorted((root / "steps").glob("*.py")):
                _load(modules, file.relative_to(root).as_posix())
        modules.load_late()
    marked = _find_marked(modules)
    for name, path in wanted.items():
        if name not in marked:
            raise UnknownNameError(f"{path} does not declare the step {name!r}")
    return {name: marked[name] for name in wanted}


def _load(modules: Any, path: str) -> None:
    from segue.execute.blame import Blame

    try:
        modules.load(path)
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        blame = Blame(path, str(modules.root), location=Location(path))
        told = blame.accuse(error, "", dict)
        raise StepError(
            f"{path} can't be loaded: {type(error).__name__}: {error}",
            location=told.location,
            trace=told.trace,
        ) from error


def _find_marked(modules: Any) -> dict[str, Callable[..., Any]]:
    return {each.mark.name or each.function.__name__: each.function for each in modules.marked}


@dataclass(slots=True)
class FunctionStep:
    """A Python step on micro-batches.

    Attributes:
        step: The step.
        function: Its function.
        root: Folder of the project in the bundle.
        references: Reference tables, by name.
    """

    step: EdgeStep
    function: Callable[..., Any]
    root: str
    references: Mapping[str, pa.Table]
    _passes_node: bool = field(default=False)

    def run(self, rows: pa.Table) -> pa.Table:
        """Call the function on the rows of a micro-batch, or of closed windows.

        Raises:
            StepError: It failed, told with the user's line.
            OutputError: Its result does not fit the step's schema.
        """
        if self._passes_node:
            return self._call(rows, passes_node=True)
        try:
            return self._call(rows, passes_node=False)
        except OutputError:
            # it may hand on the node's name with the rows: the schema need not mention it
            if self.step.schema.find(NODE_COLUMN) is not None:
                raise
            try:
                result = self._call(rows, passes_node=True)
            except StepError:
                result = None
            if result is None:
                raise
            self._passes_node = True
            return result

    def _call(self, rows: pa.Table, *, passes_node: bool) -> pa.Table:
        import pyarrow as pa

        from segue.frames.arrow_types import to_arrow

        work = self._make_work(rows)
        if passes_node:
            work = replace(work, result=TableSchema((*self.step.schema.columns, _NODE)))
        tables = [self._find(each.table, rows) for each in work.inputs]
        made = [table for table in work.work_on(tables) if table.num_columns]
        schema = to_arrow(self.step.schema)
        if not made:
            return schema.empty_table()
        return pa.concat_tables(made).select(schema.names)

    def _find(self, table: str, rows: pa.Table) -> pa.Table:
        if table == self.step.stream:
            return rows
        if table not in self.references:
            raise StepError(
                f"step {self.step.name!r} reads {table!r}, which is not at the node",
                step=self.step.name,
            )
        return self.references[table]

    def _make_work(self, rows: pa.Table) -> FunctionWork:
        from segue.frames.arrow_types import from_arrow

        step, spec = self.step, self.step.function
        assert spec is not None  # noqa: S101  # it is why this class was taken
        schemas = {table: from_arrow(self._find(table, rows).schema) for table, _ in spec.inputs}
        effect = spec.returns.kind is FrameKind.NOTHING
        return FunctionWork(
            self.function,
            tuple(WorkInput(table, table, frame, schemas[table]) for table, frame in spec.inputs),
            Layout(tuple(self._share_key(name, schemas) for name in step.by), step.sort),
            Blame(f"step {step.name!r}", self.root, step.name, Location(spec.path)),
            step.how,
            spec.returns,
            TableSchema(()) if effect else step.schema,
            step.parameters,
        )

    def _share_key(self, name: str, schemas: Mapping[str, TableSchema]) -> Column:
        """Return a key column in the type that all inputs share.

        Raises:
            StepError: A table lacks it.
        """
        shared: DataType | None = None
        for table, schema in schemas.items():
            column = schema.find(name)
            if column is None:
                raise StepError(
                    f"step {self.step.name!r} groups by {name!r}, a column that {table!r} "
                    "does not have",
                    step=self.step.name,
                )
            plain = column.type.fields[0][1] if column.type.kind == "categorical" else column.type
            shared = plain if shared is None else unify_types(shared, plain) or shared
        assert shared is not None  # noqa: S101  # a step that groups reads a table
        return Column(name, shared)
