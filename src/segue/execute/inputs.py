"""The tables that a step reads, in sessions of its own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from segue.errors import SqlError
from segue.spec.closing import Closing
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.protocols import LocalSession
    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema


class StepInputs(Closing):
    """Gives forks of a session in which a step's tables have their names.

    A session runs one streamed query at a time, so each stream has a fork. None is opened
    before it is asked for: a step that reads and stores nothing needs no engine.
    """

    def __init__(
        self,
        session: LocalSession,
        bindings: Mapping[str, Scan | str],
        folded: Mapping[str, Scan | str] | None = None,
    ) -> None:
        """Fork a session.

        Args:
            session: Belongs to the run.
            bindings: Data by name, views after what they read.
            folded: The same in fewer statements, without names that the step does not read.
        """
        self._origin = session
        self._bindings = bindings
        self._folded = folded
        self._opened: list[LocalSession] = []

    @cached_property
    def session(self) -> LocalSession:
        """A fork for whatever is not streamed."""
        return self.fork()

    @cached_property
    def writer(self) -> LocalSession:
        """A fork without the tables, for what the step makes."""
        return self._open()

    def fork(self) -> LocalSession:
        """Return one more session with the step's tables; closed with the others."""
        if self._folded is not None:
            try:
                return self._bind(self._folded)
            except SqlError:
                # the views one by one tell which of them it is, and where
                self._folded = None
        return self._bind(self._bindings)

    def _bind(self, bindings: Mapping[str, Scan | str]) -> LocalSession:
        fork = self._open()
        for name, data in bindings.items():
            fork.bind(name, data)
        return fork

    def _open(self) -> LocalSession:
        fork = self._origin.fork()
        self._opened.append(fork)
        return fork

    def describe(self, tables: Sequence[str]) -> dict[str, TableSchema]:
        """Return the columns of tables."""
        return {
            table: self.session.describe(f"select * from {quote_identifier(table)}")
            for table in tables
        }

    def close(self) -> None:
        """Close all forks."""
        for fork in self._opened:
            fork.close()
