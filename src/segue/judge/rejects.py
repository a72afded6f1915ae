"""Set rows aside that break checks, with the names of the checks that they break."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from segue.errors import OutputError
from segue.judge.answers import trust_files
from segue.judge.before import BOUND, find_orphans
from segue.judge.measure import compile_contract, measure_table
from segue.protocols import Context
from segue.registry import load_check as load_registered
from segue.spec.contract import Verdict
from segue.spec.output import StagedTable
from segue.spec.sql import quote_identifier, quote_text
from segue.spec.step import Mode
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from segue.judge.before import Before
    from segue.protocols import CheckKind, Lake, LocalSession
    from segue.spec.contract import Check, Contract, Report
    from segue.spec.output import DataFile, TableVersion
    from segue.spec.scan import Scan

REASONS = "reject_reasons"
"""Column of a rejects table: the names of the checks that its row breaks."""

_STRINGS = DataType("list", (), (("item", DataType("string")),))
_ADDED = "__segue_added"


def name_rejects(table: str) -> str:
    """Return the name of the table that holds a table's rejects.

    Example:
        >>> name_rejects("orders")
        'orders__rejects'
    """
    return f"{table}__rejects"


def add_reasons(schema: TableSchema) -> TableSchema:
    """Return the columns of the rejects of a table with these columns.

    Raises:
        OutputError: The table has a column of that name already.
    """
    if schema.find(REASONS):
        raise OutputError(
            f"a table that sets rejects aside can't have a column {REASONS!r} of its own",
            hint="rename the column",
        )
    return TableSchema((*schema.columns, Column(REASONS, _STRINGS)))


def set_aside(
    session: LocalSession,
    staged: StagedTable,
    contract: Contract,
    lake: Lake,
    rejects_lake: Lake,
    stem: str,
    before: Before,
    context: Context | None = None,
) -> tuple[StagedTable, StagedTable, Report]:
    """Take the rows that break checks out of a staged table.

    The table is judged as it will be, kept files included. If no row of the kept files
    fails, they stay; else they are written anew like the staged ones, which are deleted.
    Checks of the whole table are judged on what is left.

    Args:
        session: Engine in which the tables that the contract refers to are bound; the
            table's own name is bound to the result when this returns.
        staged: The staged table.
        contract: What must be true of it.
        lake: Where the table is staged.
        rejects_lake: Where the rejects belong; a source's rows are staged elsewhere.
        stem: Beginning of the names of new files.
        before: What is published already: rejects add up, and where a merge's new row is set
            aside, the row whose place it would have taken stays.
        context: What is known beside the table.

    Returns:
        The table without them; the rejects; and what was measured. If the report says
        stop before anything is written, nothing is taken out.
    """
    table, schema = staged.table, staged.schema
    session.bind(table, lake.scan(schema, table, staged.files))
    context = replace(context or Context(), files=trust_files(staged.files))
    bench = _Bench(session, table, contract, schema, load_registered, context)
    report, failing = bench.measure(fresh=bool(staged.adds))
    added = bench.context.added
    writer = _Writer(session, staged, lake, rejects_lake, stem, before.rejects, added)
    if not failing:
        return staged, writer.write_rejects(None), report
    result, rejects = writer.write_parts(failing, before)
    for file in staged.adds:
        (lake.folder(table) / file.path).unlink(missing_ok=True)
    left = replace(bench, context=replace(context, files=trust_files(result.files)))
    return result, rejects, left.judge_again(report, all_of=before.rows is not None)


@dataclass(frozen=True, slots=True)
class _Bench:
    """What a table is measured with, before rows are set aside and after."""

    session: LocalSession
    table: str
    contract: Contract
    schema: TableSchema
    load_check: Callable[[str], CheckKind]
    context: Context

    def measure(self, *, fresh: bool) -> tuple[Report, dict[str, _Predicate]]:
        """Return what was measured, and the predicates of the rows to set aside by check.

        Args:
            fresh: Whether there are new files: rows that were published stay what they were
                for checks of new rows.
        """
        measured = self._measure(self.contract)
        report = _mark_rejected(measured, self.contract, self.load_check, fresh=fresh)
        names = {found.check for found in report.measurements if found.rejected}
        compiled = compile_contract(
            self.session, self.table, self.contract, self.schema, self.load_check, self.context
        )
        parted = bool(self.context.added)
        return report, {
            one.check.name: _Predicate(one.failing, parted and one.check.slice.new)
            for one in compiled
            if one.check.name in names
        }

    def judge_again(self, report: Report, *, all_of: bool) -> Report:
        """Judge on what is left the checks that depend on the table as a whole.

        A reference into the table itself is one of them: its row may be among those set aside.
        So are rules over rows that follow each other: other rows do now.
        Where rows came back (`all_of`), every check may fail anew.
        """
        checks = self.contract.checks
        whole = {check.name for check in checks if not self.load_check(check.kind).row_level}
        inward = {check.name for check in checks if check.arguments.get("table") == self.table}
        inward |= {check.name for check in checks if _is_fragile(self.load_check(check.kind))}
        inward |= {check.name for check in checks if all_of}
        chosen = tuple(check for check in checks if check.name in whole | inward)
        if not chosen:
            return report
        again = self._measure(replace(self.contract, checks=chosen))
        newer = {
            found.check: found
            for found in again.measurements
            if found.check in whole or found.failing
        }
        measurements = tuple(newer.get(found.check, found) for found in report.measurements)
        return replace(report, measurements=measurements)

    def _measure(self, contract: Contract) -> Report:
        return measure_table(
            self.session, self.table, contract, self.schema, self.load_check, self.context
        )


def _mark_rejected(
    report: Report, contract: Contract, load_check: Callable[[str], CheckKind], *, fresh: bool
) -> Report:
    """Mark the measurements whose failing rows are to be set aside: all, or none if one stops."""
    checks = {check.name: check for check in contract.checks}
    marked = []
    for found in report.measurements:
        check = checks[found.check]
        row_level = load_check(check.kind).row_level
        rejected = bool(row_level and found.failing and _is_rejected(check, found.verdict))
        rejected = rejected and (fresh or not check.slice.new)
        if row_level and not rejected and found.verdict in (Verdict.FAIL, Verdict.ERROR):
            return report
        marked.append(replace(found, rejected=rejected))
    return replace(report, measurements=tuple(marked))


def _is_fragile(kind: CheckKind) -> bool:
    """Return whether rows that keep a check may break it once others are set aside."""
    return bool(getattr(kind, "fragile", False))


def _is_rejected(check: Check, verdict: Verdict) -> bool:
    """Return whether rows that break a check are set aside, however many they are.

    A check that only warns leaves them in. A tolerance that is stated bounds what may be set
    aside: beyond it the table is wrong, not some of its rows.
    """
    if check.fail is None:
        return False
    stated = bool(check.fail.count or check.fail.share)
    return not (stated and verdict is Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class _Predicate:
    """What is true of the rows that a check lets be set aside.

    Attributes:
        text: The SQL predicate.
        new: Whether it is asked of new rows alone.
    """

    text: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class _Flagged:
    """SELECTs over rows that are flagged with the checks that they break.

    Attributes:
        source: What follows FROM; it has flagged new rows for what is asked of them alone.
        failing: Predicates by name of the check.
        schema: Columns of the table.
    """

    source: str
    failing: Mapping[str, _Predicate]
    schema: TableSchema

    def keep(self, where: str = "") -> str:
        """Return the SELECT of the rows that stay, of those for which `where` is true."""
        also = f" and {where}" if where else ""
        return f"select {self._columns} from {self._rows} where not ({self._some}){also}"

    def reject(self) -> str:
        """Return the SELECT of the rows that are set aside, with their reasons."""
        reasons = ", ".join(
            f"case when __segue_{i} then {quote_text(name)} end"
            for i, name in enumerate(self.failing)
        )
        told = f"list_filter([{reasons}]::varchar[], lambda reason: reason is not null)"
        return f"select {self._columns}, {told} as {REASONS} from {self._rows} where {self._some}"

    def count(self, where: str) -> str:
        """Return the SELECT that counts the rows to set aside for which `where` is true."""
        return f"select count(*) from {self._rows} where ({self._some}) and {where}"

    @property
    def _columns(self) -> str:
        return ", ".join(map(quote_identifier, self.schema.names))

    @property
    def _some(self) -> str:
        return " or ".join(f"__segue_{i}" for i in range(len(self.failing))) or "false"

    @property
    def _rows(self) -> str:
        flags = "".join(
            f", {each.text} as __segue_{i}"
            for i, each in enumerate(self.failing.values())
            if not each.new
        )
        return f"(select *{flags} from {self.source})"


@contextmanager
def _origin_bound(
    session: LocalSession, staged: StagedTable, lake: Lake, failing: Mapping[str, _Predicate]
) -> Iterator[str]:
    """Yield what to put behind FROM so that rows tell whether their file is new.

    New rows are flagged with what is asked of them alone.
    """
    named = [
        (f"{staged.table}{_ADDED}_{mark}", mark, files)
        for mark, files in (("true", staged.adds), ("false", staged.keeps))
        if files
    ]
    for name, _, files in named:
        session.bind(name, lake.scan(staged.schema, staged.table, files))
    try:
        asked = [(i, each.text) for i, each in enumerate(failing.values()) if each.new]
        flags = {
            "true": "".join(f", {text} as __segue_{i}" for i, text in asked),
            "false": "".join(f", false as __segue_{i}" for i, _ in asked),
        }
        parts = (
            f"select *, {mark} as {_ADDED}{flags[mark]} from {quote_identifier(name)}"
            for name, mark, _ in named
        )
        yield f"({' union all '.join(parts)}) as {quote_identifier(staged.table)}"
    finally:
        for name, _, _ in named:
            session.unbind(name)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes both parts of a staged table."""

    session: LocalSession
    staged: StagedTable
    lake: Lake
    rejects_lake: Lake
    stem: str
    base_rejects: TableVersion | None
    added: str

    def write_parts(
        self, failing: Mapping[str, _Predicate], before: Before
    ) -> tuple[StagedTable, StagedTable]:
        """Write the rows that stay, which the table's name then means, and the others."""
        session, table, schema = self.session, self.staged.table, self.staged.schema
        with _origin_bound(session, self.staged, self.lake, failing) as source:
            flagged = _Flagged(source, failing, schema)
            clean = session.fetch(flagged.count("not " + _ADDED)).column(0)[0].as_py() == 0
            together = not clean and not self.added
            new = flagged.keep("" if together else _ADDED)
            old = [] if clean or together else [flagged.keep("not " + _ADDED)]
            if before.rows is not None:
                session.bind(BOUND, before.rows)
                orphans = find_orphans(table, before.key, flagged.keep(), flagged.reject())
                asked = {name: each for name, each in failing.items() if not each.new}
                old.append(_Flagged(orphans, asked, schema).keep())
            result, added = self.write_kept(new, old, clean=clean)
            rejects = self.write_rejects(flagged.reject())
            if added is not None:  # not before: what is rejected may depend on it
                session.bind(self.added, added)
            session.bind(table, self.lake.scan(schema, table, result.files))
        return result, rejects

    def write_kept(
        self, new: str, old: Sequence[str], *, clean: bool
    ) -> tuple[StagedTable, Scan | None]:
        """Write the rows that stay: new ones, and others that are not in kept files.

        They share files unless somebody asks which rows are new.

        Args:
            new: SELECT of the new rows that stay.
            old: SELECTs of the others.
            clean: Whether the kept files stay as they are.

        Returns:
            The table, and how to read its new rows if somebody asks for them.
        """
        table, schema, stem = self.staged.table, self.staged.schema, f"{self.stem}-kept"
        if self.added:
            files = self._write(new, self.lake, table, stem, schema)
            scan = self.lake.scan(schema, table, files)
            if old:
                query = " union all ".join(old)
                files += self._write(query, self.lake, table, f"{stem}-old", schema)
        else:
            files = self._write(" union all ".join((new, *old)), self.lake, table, stem, schema)
            scan = None
        result = replace(self.staged, adds=files, keeps=self.staged.keeps if clean else ())
        return result, scan

    def write_rejects(self, query: str | None) -> StagedTable:
        """Write the rejects; without a query there are none, and the table stays as it is."""
        table = name_rejects(self.staged.table)
        schema = add_reasons(self.staged.schema)
        base = self.base_rejects
        grows = self.staged.mode is not Mode.REPLACE
        same = base is not None and str(base.schema) == str(schema)
        keeps = base.files if base and same and (grows or not (base.rows or query)) else ()
        adds: tuple[DataFile, ...] = ()
        if query or not keeps:
            query = (
                query
                or _Flagged(quote_identifier(self.staged.table), {}, self.staged.schema).reject()
            )
            adds = self._write(query, self.rejects_lake, table, self.stem, schema)
        mode = Mode.APPEND if keeps else Mode.REPLACE
        return StagedTable(table, schema, mode, adds, keeps, base.number if base else None)

    def _write(
        self, query: str, lake: Lake, table: str, stem: str, schema: TableSchema
    ) -> tuple[DataFile, ...]:
        return self.session.write(query, lake.folder(table), stem, schema, lake.storage_type)
