"""One micro-batch on its way through the steps that follow its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.agent.work.checks import Judge
from segue.agent.work.payload import add_node
from segue.agent.work.poison import part_poison
from segue.agent.work.rejects import Rejects
from segue.agent.work.sessions import OpenSessions
from segue.agent.work.watch import Watch
from segue.agent.work.windows import OpenWindows
from segue.errors import OutputError, SegueError
from segue.failpoints import pass_point
from segue.spec.edge import WindowKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from segue.agent.work.bench import Bench, Run
    from segue.agent.work.checks import Judged
    from segue.agent.work.lineage import Tree
    from segue.agent.work.poison import Parted
    from segue.agent.work.watch import Letter
    from segue.spec.edge import EdgePart, EdgeStep
    from segue.spec.types import TableSchema

    Load = Callable[[str], bytes | None]
    Remote = Callable[[str], Run]
    """Returns what runs a step elsewhere, by its name."""


@dataclass(slots=True)
class Made:
    """What came of a micro-batch.

    Attributes:
        tables: Rows of each table that leaves the node.
        rejects: Rows that were set aside.
        states: What windows and alerts remember.
        letters: What alerts have to tell.
        rows: Rows of each table.
        broken: Rows that break a check that only counts, by ``table.check``.
        error: The first failure of a step; empty if there was none.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    rejects: Rejects = field(default_factory=Rejects)
    states: dict[str, bytes | None] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    error: str = ""


class TreeWork:
    """The steps of one source, with their windows, contracts and alerts; used by one thread.

    Args:
        tree: The source and its steps.
        bench: Makes what runs them.
        node: Name of the node.
        load: Reads a state of the spool.
        remote: Where steps run in place of this process, after one has ended it.
    """

    def __init__(
        self, tree: Tree, bench: Bench, node: str, load: Load, remote: Remote | None = None
    ) -> None:
        """Make all that the tree needs.

        Raises:
            StepError: A step can't be made.
        """
        part = bench.slot.part
        self.tree = tree
        self._node = node
        self._sent = {each.table for each in part.sent}
        self._private = {*part.private}
        self._session = bench.open() if _needs_sql(part, tree) else None
        self._runs: Mapping[str, Run] = (
            bench.make_runs(tree.steps, self._session)
            if remote is None
            else {step.name: remote(step.name) for step in tree.steps}
        )
        self._windows = {
            step.name: (OpenSessions if step.window.kind is WindowKind.SESSION else OpenWindows)(
                step.name, step.window, load
            )
            for step in tree.steps
            if step.window is not None
        }
        self._judges: dict[str, Judge] = {}
        self._watches: dict[str, list[Watch]] = {}
        if self._session is not None:
            self._equip(part, load)

    def _equip(self, part: EdgePart, load: Load) -> None:
        assert self._session is not None  # noqa: S101  # it is why this is called
        for table in self.tree.tables:
            checks = [each for each in part.checks if each.table == table]
            if checks:
                self._judges[table] = Judge(table, checks, self._session)
            self._watches[table] = [
                Watch(each, self._node, self._session, load)
                for each in part.alerts
                if each.table == table
            ]

    def run(self, rows: pa.Table, made: Made, *, flush: bool = False) -> None:
        """Take the rows of a source through all steps.

        Args:
            rows: The rows; what was set aside before stands in `made` already.
            made: Gets what comes of them.
            flush: Whether windows close: nothing comes any more.
        """
        source = self.tree.source
        typed = part_poison(lambda part: _conform(part, source.schema), rows)
        passed = self._settle(source.name, rows, typed, made)
        tables = {source.name: self._take(source.name, passed, made)}
        pass_point("agent.transform")
        for step in self.tree.steps:
            given = self._give(step, tables.get(step.stream), made, flush=flush)
            if given is not None and given.num_rows:
                parted = part_poison(self._runs[step.name], given)
                result = self._settle(step.name, given, parted, made)
                tables[step.name] = self._take(step.name, result, made)

    def close(self) -> None:
        """Give back its session."""
        if self._session is not None:
            self._session.close()

    def _give(
        self, step: EdgeStep, rows: pa.Table | None, made: Made, *, flush: bool
    ) -> pa.Table | None:
        """Return what a step sees now: the rows as they come, or those of closed windows."""
        from segue.frames.arrow_types import to_arrow

        windows = self._windows.get(step.name)
        if windows is None:
            return rows
        if rows is None:
            if not flush:
                return None
            rows = add_node(to_arrow(self._schema_of(step.stream)).empty_table(), self._node)
        advance = windows.advance(rows, flush=flush)
        for aside, reason in advance.aside:
            made.rejects.add(step.name, aside, [[reason]] * aside.num_rows)
        made.states |= advance.states
        return advance.closed

    def _schema_of(self, table: str) -> TableSchema:
        if table == self.tree.source.name:
            return self.tree.source.schema
        return next(step.schema for step in self.tree.steps if step.name == table)

    def _settle(self, table: str, rows: pa.Table, parted: Parted, made: Made) -> pa.Table | None:
        """Set aside what a step can't take, and return what it made of the rest."""
        if parted.error is not None and not made.error:
            made.error = self._tell(table, parted.error)
        for start, stop, reason in parted.bad:
            bad = rows.slice(start, stop - start)
            made.rejects.add(table, bad, [[reason]] * bad.num_rows)
        return parted.result

    def _take(self, table: str, rows: pa.Table | None, made: Made) -> pa.Table | None:
        """Judge the rows of a table, watch them, and keep them if they leave the node."""
        if rows is None:
            return None
        rows = add_node(rows, self._node)
        rows = self._judge(table, rows, made)
        made.rows[table] = made.rows.get(table, 0) + rows.num_rows
        if rows.num_rows:
            for watch in self._watches.get(table, ()):
                self._see(watch, rows, made)
            if table in self._sent:
                made.tables[table] = rows
        return rows

    def _tell(self, table: str, error: SegueError) -> str:
        """Return an error as the hub is told of it: it may quote a value."""
        if table not in self._private:
            return str(error.message)
        where = f" ({error.location})" if error.location else ""
        return f"{table!r} fails on a value that is not shown (sensitive columns){where}"

    def tell_odd(self, error: Exception) -> str:
        """Return what nobody foresaw, likewise."""
        quiet = self._private.isdisjoint(self.tree.tables)
        return f"{type(error).__name__}: {error}" if quiet else type(error).__name__

    def _see(self, watch: Watch, rows: pa.Table, made: Made) -> None:
        """Show rows to an alert; if it can't look at them, they go their way all the same."""
        try:
            letters, states = watch.see(rows)
        except SegueError as error:
            told = self._tell(watch.alert.table, error)
            made.error = made.error or f"alert {watch.alert.name!r}: {told}"
            return
        made.letters += letters
        made.states |= states

    def _judge(self, table: str, rows: pa.Table, made: Made) -> pa.Table:
        judge = self._judges.get(table)
        if judge is None:
            return rows
        found: list[Judged] = []

        def run(part: pa.Table) -> pa.Table:
            judged = judge.judge(part)
            found.append(judged)
            return judged.kept

        parted = part_poison(run, rows)
        kept = self._settle(table, rows, parted, made)
        # where a check fails on some rows, the rest was judged in parts, and then as one
        for judged in [each for each in found if each.kept is kept] or found:
            if judged.aside is not None:
                made.rejects.add(table, judged.aside, judged.reasons)
            for name, count in judged.broken.items():
                if count:
                    key = f"{table}.{name}"
                    made.broken[key] = made.broken.get(key, 0) + count
        return rows.slice(0, 0) if kept is None else kept


def _needs_sql(part: EdgePart, tree: Tree) -> bool:
    """Return whether DuckDB is needed for a tree."""
    tables = set(tree.tables)
    return (
        any(step.sql is not None for step in tree.steps)
        or any(each.table in tables for each in part.checks)
        or any(each.table in tables for each in part.alerts)
    )


def _conform(rows: pa.Table, schema: TableSchema) -> pa.Table:
    """Bring rows of a source to its columns.

    Raises:
        OutputError: A value does not fit.
    """
    from segue.frames.arrow_types import conform

    try:
        return conform(rows, schema)
    except ValueError as error:
        raise OutputError(str(error)) from None
