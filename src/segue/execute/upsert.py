"""New rows added to, or merged into, what is published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.errors import OutputError
from segue.execute.blame import write_rows
from segue.registry import nearest
from segue.spec.output import StagedTable
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.execute.attempt import StepTask
    from segue.protocols import Lake, LocalSession
    from segue.spec.output import DataFile
    from segue.spec.types import TableSchema

_NEW = "segue: new rows"
_OLD = "segue: published rows"


def refuse_other_columns(task: StepTask, schema: TableSchema) -> None:
    """Raise if a result's columns are not those of the table that it is added to.

    Raises:
        OutputError: With the first column that differs, and both types.
    """
    if task.grown is None:
        return
    base, problem = task.grown.schema, ""
    for column in schema:
        known = base.find(column.name)
        if known is None:
            problem = f"column {column.name!r} ({column.type}) is new"
        elif known.type != column.type:
            problem = f"column {column.name!r} is {column.type}, and {known.type} in the table"
        if problem:
            break
    lost = next((column for column in base if schema.find(column.name) is None), None)
    if not problem and lost is not None:
        problem = f"column {lost.name!r} ({lost.type}) of the table is missing"
    if problem:
        raise _error(
            task,
            f"its rows don't fit the table that they are added to: {problem}",
            hint=f"segue run {task.step.name} --force builds the table anew",
        )


def add_to_base(
    task: StepTask,
    session: LocalSession,
    lake: Lake,
    schema: TableSchema,
    files: Sequence[DataFile],
) -> StagedTable:
    """Return the table as it will be: new files, and those of the base that stay.

    Args:
        task: The step's task; its base is what is added to.
        session: Compares and writes rows.
        lake: Where the table is stored.
        schema: Columns of the new rows.
        files: Files of the new rows.

    Raises:
        OutputError: A key column is missing, or a key comes twice in the new rows.
    """
    step, base = task.step, task.grown
    adds: tuple[DataFile, ...] = tuple(files)
    keeps: tuple[DataFile, ...] = ()
    if step.mode is Mode.MERGE:
        session.bind(_NEW, lake.scan(schema, step.name, files))
        _check_keys(task, session, schema)
    if base is not None:
        keeps = base.files
        if step.mode is Mode.MERGE and any(file.rows for file in files):
            keeps, rewritten = _replace_rows(task, session, lake)
            adds += rewritten
        adds = _drop_empty(task, adds, keeps)
    number = task.base.number if task.base is not None else None
    return StagedTable(step.name, schema, step.mode, adds, keeps, number)


def _check_keys(task: StepTask, session: LocalSession, schema: TableSchema) -> None:
    for name in task.step.key:
        if schema.find(name) is None:
            hint = nearest(name, schema.names, noun="column")
            raise _error(task, f"its result lacks the key column {name!r}", hint=hint)
    keys = ", ".join(map(quote, task.step.key))
    twice = session.fetch(
        f"select {keys}, count(*) as {quote('rows')} from {quote(_NEW)}"
        f" group by {keys} having count(*) > 1 order by {keys} limit 5"
    )
    if twice.num_rows:
        hidden = task.project.hidden(task.step.name)
        raise OutputError(
            f"step {task.step.name!r}: its result has several rows for one key ({keys})",
            step=task.step.name,
            location=task.step.location,
            hint="return one row for each key",
            sample=write_rows(twice, hidden.among(twice.column_names)),
        )


def _replace_rows(
    task: StepTask, session: LocalSession, lake: Lake
) -> tuple[tuple[DataFile, ...], tuple[DataFile, ...]]:
    """Return the base's files that hold none of the new keys, and the rest of the others."""
    base, scan = task.base, task.base_scan
    if base is None or scan is None:
        return (), ()
    keys = task.step.key
    meet = " and ".join(f"o.{quote(key)} is not distinct from n.{quote(key)}" for key in keys)
    keeps, touched = [], []
    for file, path in zip(base.files, scan.paths, strict=True):
        session.bind(_OLD, replace(scan, paths=(path,)))
        query = f"select 1 from {quote(_OLD)} o semi join {quote(_NEW)} n on {meet} limit 1"
        if session.fetch(query).num_rows:
            touched.append(path)
        else:
            keeps.append(file)
    if not touched:
        return tuple(keeps), ()
    session.bind(_OLD, replace(scan, paths=tuple(touched)))
    query = f"select o.* from {quote(_OLD)} o anti join {quote(_NEW)} n on {meet}"
    stem = f"{task.stem}-kept"
    return tuple(keeps), session.write(query, task.folder, stem, base.schema, lake.storage_type)


def _drop_empty(
    task: StepTask, adds: tuple[DataFile, ...], keeps: tuple[DataFile, ...]
) -> tuple[DataFile, ...]:
    """Remove files without rows, unless nothing else would be left to tell the columns."""
    filled = tuple(file for file in adds if file.rows)
    if not filled and not keeps:
        return adds
    for file in adds:
        if not file.rows:
            (task.folder / file.path).unlink()
    return filled


def _error(task: StepTask, message: str, hint: str) -> OutputError:
    step = task.step
    return OutputError(
        f"step {step.name!r}: {message}", step=step.name, location=step.location, hint=hint
    )
