"""Contracts at a node: which rows break a check, all reasons of a row together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from segue.protocols import LocalSession
    from segue.spec.edge import EdgeCheck


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of a table, judged.

    Attributes:
        kept: Rows that go on.
        aside: Rows that are set aside.
        reasons: For each row set aside, the checks that it breaks.
        broken: Rows that break each check that only counts.
    """

    kept: pa.Table
    aside: pa.Table | None = None
    reasons: list[list[str]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)


class Judge:
    """Holds the rows of one table against its checks.

    Args:
        table: Name of the table.
        checks: Its checks, at least one.
        session: DuckDB.
    """

    def __init__(self, table: str, checks: Sequence[EdgeCheck], session: LocalSession) -> None:
        """Write the two queries: most batches need the first only."""
        self._table = table
        self._checks = checks
        self._session = session
        source = quote_identifier(table)
        counts = (f"count(*) filter (where {each.breaks})" for each in checks)
        self._count = f"select {', '.join(counts)} from {source}"
        self._aside = [each for each in checks if each.sets_aside]
        masks = (
            f'coalesce(({each.breaks})::bool, false) as "{number}"'
            for number, each in enumerate(self._aside)
        )
        self._mark = f"select {', '.join(masks)} from {source}"

    def judge(self, rows: pa.Table) -> Judged:
        """Judge the rows of a micro-batch.

        Raises:
            SqlError: A check can't be computed on them.
        """
        if not rows.num_rows:
            return Judged(rows)
        self._session.bind(self._table, rows)
        try:
            counts = self._session.fetch_row(self._count) or ()
            passed: dict[str, int] = {}
            marked = False
            for check, count in zip(self._checks, counts, strict=True):
                if check.sets_aside:
                    marked |= count > 0
                else:
                    passed[check.name] = passed.get(check.name, 0) + count
            if not marked:
                return Judged(rows, broken=passed)
            return self._part(rows, passed)
        finally:
            self._session.unbind(self._table)

    def try_on(self, rows: pa.Table) -> None:
        """Compute the checks on rows, whatever comes of it.

        Raises:
            SqlError: A check can't be computed at all.
        """
        self._session.bind(self._table, rows)
        try:
            self._session.fetch(self._count)
        finally:
            self._session.unbind(self._table)

    def _part(self, rows: pa.Table, passed: dict[str, int]) -> Judged:
        import pyarrow.compute as pc

        masks = self._session.fetch(self._mark)
        aside = masks.column(0)
        for mask in masks.columns[1:]:
            aside = pc.or_(aside, mask)
        columns = [mask.to_pylist() for mask in masks.filter(aside).columns]
        names = [each.name for each in self._aside]
        reasons = [
            [name for name, breaks in zip(names, marks, strict=True) if breaks]
            for marks in zip(*columns, strict=True)
        ]
        return Judged(rows.filter(pc.invert(aside)), rows.filter(aside), reasons, passed)
