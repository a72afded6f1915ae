"""What steps need to run: functions, models, reference tables, DuckDB; made with the first rows.

An idle worker has none of it, so that it stays small.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue.agent.work.functions import FunctionStep, load_functions
from segue.agent.work.queries import SqlStep, bind_references, open_session
from segue.errors import UnsupportedError
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.agent.work.infer import ModelStep
    from segue.agent.work.slot import Slot
    from segue.protocols import LocalSession
    from segue.spec.edge import EdgeStep

    Run = Callable[[pa.Table], pa.Table]


class Bench:
    """Makes what runs a step. Each source's thread has a session of its own, by `fork`.

    Args:
        slot: The unpacked bundle.
        scratch: Folder for what DuckDB can't hold in memory.
    """

    def __init__(self, slot: Slot, scratch: Path) -> None:
        """Load functions and reference tables.

        Raises:
            StepError: A module of the project can't be loaded.
            BundleError: A reference table can't be read.
        """
        self.slot = slot
        self._scratch = scratch
        self.references: Mapping[str, pa.Table] = slot.load_references()
        self._functions = load_functions(slot.project, slot.part.steps)
        self._first: LocalSession | None = None

    def open(self) -> LocalSession:
        """Return a session in which reference tables are bound; DuckDB starts with the first."""
        if self._first is None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            self._first = open_session(self._scratch, self.slot.part.memory)
        session = self._first.fork()
        bind_references(session, self.references)
        return session

    def make_runs(self, steps: Sequence[EdgeStep], session: LocalSession | None) -> dict[str, Run]:
        """Return what runs each step.

        Args:
            steps: The steps.
            session: DuckDB, None where no step has SQL.

        Raises:
            StepError: A model can't be loaded.
        """
        return {step.name: self._make_run(step, session) for step in steps}

    def _make_run(self, step: EdgeStep, session: LocalSession | None) -> Run:
        if step.model is None:
            return self._make_plain(step, session)
        from segue.agent.work.infer import ModelStep

        model = ModelStep(step, self.slot.path / step.model)
        if step.sql is None and step.function is None:
            return model.run
        given = tuple(each for each in step.schema if each.name not in model.outputs)
        first = self._make_plain(replace(step, schema=TableSchema(given)), session)
        return _Chain(first, model).run

    def _make_plain(self, step: EdgeStep, session: LocalSession | None) -> Run:
        if step.function is not None:
            function = self._functions[step.name]
            return FunctionStep(step, function, str(self.slot.project), self.references).run
        if session is None or step.sql is None:
            raise UnsupportedError(f"step {step.name!r} has neither SQL, function nor model")
        return SqlStep(step, session).run

    def close(self) -> None:
        """End DuckDB."""
        if self._first is not None:
            self._first.close()
            self._first = None


@dataclass(frozen=True, slots=True)
class _Chain:
    """A step whose SQL or function gives what its model infers on."""

    first: Run
    model: ModelStep

    def run(self, rows: pa.Table) -> pa.Table:
        """Run both."""
        found: Any = self.first(rows)
        return self.model.run(found)
