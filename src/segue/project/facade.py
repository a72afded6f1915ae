"""A project as users of the Python API see it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue import conductor, registry
from segue.declare.discover import declare_project, find_root
from segue.errors import LedgerDamagedError, StorageError
from segue.place.limit import limit_local
from segue.project.checking import check_published
from segue.project.clock import SystemClock, find_moment, name_run
from segue.project.local import localize
from segue.project.moves import refuse_moved
from segue.project.pause import paused_collector
from segue.project.profiling import open_profile, suggest_for
from segue.project.reading import fetch_frame, open_rows, read_schemas
from segue.project.views import PlannedRun, Reports, Runs, Tables, list_tables
from segue.spec.closing import Closing
from segue.spec.plan import Selection
from segue.spec.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.protocols import Lake
    from segue.publish.rebuild import Rebuilt
    from segue.publish.recover import Recovery
    from segue.publish.vacuum import Vacuumed
    from segue.record.lineage import ColumnLineage, Lineage
    from segue.spec.history import Series
    from segue.spec.output import TableVersion
    from segue.spec.plan import Plan
    from segue.spec.profile import Profile
    from segue.spec.run import Progress, RunResult
    from segue.spec.step import ProjectSpec, Scalar


@paused_collector()
def load(path: str | Path = ".", params: Mapping[str, Scalar] | None = None) -> Project:
    """Load the project in a folder, or in the nearest one above it.

    Args:
        path: The folder.
        params: Values of step settings, ``step.name`` to value.

    Returns:
        The project; use it in a ``with`` block or call `Project.close` at the end.

    Raises:
        UsageError: There is no ``segue.toml``.
        ProjectError: The project's files are wrong; it carries every problem.
    """
    return Project(declare_project(find_root(Path(path)), dict(params or {})))


class Project(Shown, Closing):
    """A folder with a ``segue.toml``: planned, run, checked and read.

    Attributes:
        spec: What the project's files declare.
    """

    def __init__(self, spec: ProjectSpec) -> None:
        """Open the lake and the ledger of a declared project."""
        self.spec = spec
        self._workspace: conductor.Workspace | None = None

    @property
    @paused_collector()
    def workspace(self) -> conductor.Workspace:
        """The project's lake and ledger, opened when first needed."""
        if self._workspace is None:
            from segue.publish.lease import this_owner

            everything = conductor.Workspace(
                project=self.spec,
                lake=self._open_lake(),
                ledger=registry.load(registry.LEDGERS, "sql")(
                    self.ledger_url, wait_seconds=self.spec.wait
                ),
                clock=SystemClock(),
                new_run_id=name_run,
                owner=this_owner(),
                records=Path(self.spec.lake) / "_runs",
            )
            self._workspace = localize(self.spec, everything)
        return self._workspace

    def _settle(self) -> conductor.Workspace:
        """Return the workspace, after bringing to an end what dead runs left.

        Raises:
            LedgerDamagedError: The ledger was lost.
        """
        try:
            conductor.recover_runs(self.workspace)
        except LedgerDamagedError:
            raise
        except StorageError:
            # Who only reads goes on with the old snapshot, which is whole.
            pass
        return self.workspace

    @property
    def ledger_url(self) -> str:
        """Where the ledger is, as SQLAlchemy writes it."""
        return self.spec.ledger or f"sqlite:///{Path(self.spec.lake) / 'ledger.db'}"

    def _open_lake(self) -> Lake:
        lake: Lake = registry.load(registry.LAKES, "delta")(self.spec.lake)
        return lake

    def close(self) -> None:
        """Close the ledger."""
        if self._workspace is not None:
            self._workspace.ledger.close()
            self._workspace = None

    def plan(
        self,
        *select: str,
        force: bool = False,
        since: str | None = None,
        params: Mapping[str, Scalar] | None = None,
    ) -> PlannedRun:
        """Return what a run would do, and why, without running anything.

        Args:
            *select: Steps: ``daily``, ``+daily`` with what it needs, ``daily+`` with what
                depends on it, ``tag:x``; all if none is given.
            force: Run selected steps even if they are up to date.
            since: Run those that last ran before this: a date or time (UTC), ``2h`` ago, a run.
            params: Values of step settings, ``step.name`` to value.

        Raises:
            SelectionError: A selection that can't be read or selects nothing.
            ProjectError: A SQL step does not bind to the columns that are known.
        """
        from segue.project.cuts import plan_fleets

        workspace = self._settle()
        plan = self._plan(select, force=force, since=since, params=params)
        conductor.check_plan(workspace, plan)
        return PlannedRun(plan, plan_fleets(self.spec, workspace))

    @paused_collector()
    def _plan(
        self,
        select: tuple[str, ...],
        *,
        force: bool,
        since: str | None,
        params: Mapping[str, Scalar] | None,
    ) -> Plan:
        moment = None if since is None else find_moment(self.workspace, since)
        selection = Selection(select, force=force, since=moment)
        plan = conductor.make_plan(self.workspace, selection, dict(params or {}))
        return refuse_moved(self.spec, plan)

    def run(
        self,
        *select: str,
        force: bool = False,
        since: str | None = None,
        params: Mapping[str, Scalar] | None = None,
        threads: int | None = None,
        memory: int | None = None,
        listener: Callable[[Progress], None] | None = None,
        command: str = "",
        check: bool = True,
    ) -> RunResult:
        """Bring tables up to date: plan, execute, judge, publish and record.

        Args:
            *select: As for `plan`.
            force: As for `plan`.
            since: As for `plan`.
            params: As for `plan`.
            threads: Most threads of the place ``local``, instead of the project's own setting.
            memory: Most bytes of memory of the place ``local``, likewise.
            listener: Hears of progress; called from several threads.
            command: What was asked, for the record.
            check: Whether to raise if the run failed; else its error is in the result.

        Raises:
            RunError: The run failed and published nothing; every table is as it was.
            SelectionError: As for `plan`; ProjectError likewise.
        """
        workspace = self.workspace
        recovered = conductor.recover_runs(workspace)
        plan = self._plan(select, force=force, since=since, params=params)
        plan = limit_local(plan, threads, memory)
        command = command or " ".join(("run", *select))
        result = conductor.run_plan(workspace, plan, command, listener or (lambda _: None))
        result = replace(result, recovered=tuple(each.run_id for each in recovered))
        if check and result.error is not None:
            raise result.error
        return result

    def read(
        self,
        table: str,
        returns: str = "pyarrow.Table",
        snapshot: int | None = None,
        limit: int | None = None,
    ) -> Any:
        """Return the rows of a published table, a view or a source.

        Args:
            table: Name of the table.
            returns: Frame to return: ``arrow``, ``pandas``, ``polars``, ``rows``.
            snapshot: Number of an older snapshot to read.
            limit: Most rows.

        Raises:
            UnknownNameError: There is no such table, or it was never published.
        """
        with open_rows(self._settle(), table, "", snapshot, limit) as (session, query):
            return fetch_frame(session, query, returns)

    def query(self, sql: str, returns: str = "pyarrow.Table", limit: int | None = None) -> Any:
        """Return the rows of a SELECT over published tables, views and sources.

        Args:
            sql: One SELECT.
            returns: As for `read`.
            limit: Most rows.

        Raises:
            SqlError: It does not parse or bind.
            UnknownNameError: It names a table that there is not.
        """
        with open_rows(self._settle(), "", sql, None, limit) as (session, query):
            return fetch_frame(session, query, returns)

    @contextmanager
    def stream(
        self,
        table: str = "",
        *,
        sql: str = "",
        snapshot: int | None = None,
        limit: int | None = None,
    ) -> Iterator[pa.RecordBatchReader]:
        """Open the rows of a table or of a SELECT batch by batch: they need not fit in memory.

        ::

            with project.stream("orders") as batches:
                for batch in batches:
                    ...

        Args:
            table: Name of the table, as for `read`.
            sql: One SELECT, as for `query`, in place of a table.
            snapshot: Number of an older snapshot to read.
            limit: Most rows.

        Raises:
            UnknownNameError: There is no such table, or it was never published.
            SqlError: The SELECT does not parse or bind.
        """
        with open_rows(self._settle(), table, sql, snapshot, limit) as (session, query):
            yield session.stream(query)

    def check(self, *tables: str, select: Sequence[str] = (), force: bool = False) -> Reports:
        """Measure published tables, views and sources against their contracts, now.

        What a run judged, and nothing has changed since, is told as the run measured it.

        Args:
            *tables: Names of tables with a contract; all that have one if none is given.
            select: Checks to measure: names, kinds, columns, or patterns of them; all if none.
            force: Measure again what was judged and has not changed.

        Raises:
            UnknownNameError: A table does not exist, has no contract, or was never published;
                or no check is selected.
        """
        return check_published(self._settle(), tables, select, force=force)

    def tables(self) -> Tables:
        """Return every table of the project: sources, steps in the order of the graph, rejects."""
        workspace = self._settle()
        return list_tables(workspace.project, workspace.ledger.snapshot(workspace.environment))

    def runs(self, limit: int = 20) -> Runs:
        """Return the newest runs, newest first."""
        return Runs(self._settle().ledger.runs(limit))

    def record(self, run: str = "last") -> dict[str, Any]:
        """Return the record of a run: the JSON document that lies in the lake.

        Args:
            run: Id of the run or the beginning of it; ``last`` for the newest.

        Raises:
            UnknownNameError: There is no such run, or several.
        """
        from segue.record.query import read_record

        workspace = self._settle()
        return read_record(workspace.records, workspace.ledger.run(run).run_id)

    def check_history(
        self, table: str, check: str | None = None, last: int = 60
    ) -> tuple[Series, ...]:
        """Return what the checks of a table measured over time, and what was usual.

        Args:
            table: Name of the table.
            check: Name of a check; all of them if not stated.
            last: Most measurements of each, the newest.

        Raises:
            UnknownNameError: There is no such check, or nothing was measured of the table.
        """
        return conductor.read_series(self._settle(), table, check, last)

    def history(self, table: str) -> tuple[TableVersion, ...]:
        """Return all published versions of a table, oldest first."""
        return self._settle().ledger.versions(table)

    def lineage(self) -> Lineage:
        """Return which tables come from which."""
        from segue.record.lineage import table_lineage

        return table_lineage(self.spec)

    def column_lineage(self, column: str) -> ColumnLineage:
        """Return where a column comes from and where it goes.

        Args:
            column: ``table.column``.
        """
        from segue.record.lineage import column_lineage

        return column_lineage(self.spec, read_schemas(self._settle(), self.spec), column)

    def profile(self, table: str, *, sensitive: Iterable[str] = ()) -> Profile:
        """Describe every column of a published table, a view or a source.

        Args:
            table: Name of the table.
            sensitive: Columns whose values are kept out, beside those of the project.
        """
        with open_profile(self._settle(), table, sensitive) as (_, _, profile):
            return profile

    def suggest(self, table: str, *, sensitive: Iterable[str] = ()) -> str:
        """Return a contract for a table as YAML text, made from what is in it and was before.

        Each line has its evidence as a comment, and every check was measured and passed.

        Args:
            table: Name of the table.
            sensitive: As for `profile`.
        """
        return suggest_for(self._settle(), table, sensitive)

    def recover(self) -> tuple[Recovery, ...]:
        """Finish or discard what dead runs left; whatever else is asked does so by itself."""
        return conductor.recover_runs(self.workspace)

    def adopt(self, table: str) -> TableVersion:
        """Take what a writer other than segue committed to a table as its current version.

        Raises:
            UnknownNameError: There is no such table in the lake.
        """
        with tempfile.TemporaryDirectory(prefix="segue-") as scratch:
            return conductor.adopt_commit(self.workspace, table, Path(scratch))

    def rebuild(self) -> Rebuilt:
        """Set a damaged or lost ledger aside and make a new one from logs and records."""
        from segue.publish.rebuild import rebuild_ledger

        self.close()
        rebuilt = rebuild_ledger(self.ledger_url, self._open_lake())
        points = conductor.restore_points(self.workspace)
        return replace(rebuilt, remarks=(*rebuilt.remarks, points))

    def vacuum(self, keep: int = 5, *, dry_run: bool = False) -> Vacuumed:
        """Delete files that neither the newest snapshots nor any run needs.

        Args:
            keep: How many snapshots stay readable.
            dry_run: Only say what would be deleted.
        """
        from segue.publish.vacuum import vacuum

        workspace = self._settle()
        return vacuum(workspace.ledger, workspace.lake, keep_snapshots=keep, dry_run=dry_run)
