"""Append steps: which files of their inputs are new, and what they have used up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.plan.graph import find_maker
from segue.spec.plan import Cause, Reason
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segue.spec.output import StepMemory
    from segue.spec.plan import History, PlannedStep
    from segue.spec.scan import SourceState
    from segue.spec.step import ProjectSpec


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of a growing input's files since an append step read it.

    Attributes:
        new: Paths of files that were not there.
        rewritten: Names of files that were read and are now others; of a table's files also
            those that are gone.
    """

    new: tuple[str, ...]
    rewritten: tuple[str, ...] = ()


def compare_files(now: Mapping[str, str], seen: Iterable[str]) -> Growth:
    r"""Tell new files from those that were seen.

    A source's file that is gone was archived: its rows stay where they were appended. A
    table's file that is gone was replaced by another, so its rows may have changed.

    Args:
        now: Path of each file by its mark, which changes when the file does.
        seen: Marks of the files that were read.

    Example:
        >>> compare_files({"a\t1": "a", "b\t1": "b"}, ["a\t1"]).new
        ('b',)
    """
    known = set(seen)
    gone = known - set(now)
    if not gone:
        return Growth(tuple(path for mark, path in now.items() if mark not in known))
    there = {_name_of(mark) for mark in now}
    rewritten = {_name_of(mark) for mark in gone if "\t" not in mark or _name_of(mark) in there}
    fresh = {mark: path for mark, path in now.items() if mark not in known}
    new = (path for mark, path in fresh.items() if _name_of(mark) not in rewritten)
    return Growth(tuple(new), tuple(sorted(rewritten)))


def compare_versions(state: SourceState, seen: Iterable[str]) -> Growth:
    """Tell the rows of a table that are new since a version of it was seen.

    A file that has rows of versions that were seen, and of others, is named with the version
    behind a tab. Who has read a table of that name which a step here made has all its rows: those
    of nodes come after them.

    Args:
        state: The table, whose rows tell which version brought them.
        seen: The marks that `mark_files` gave it then, or a step's table of its name.
    """
    names, incarnation, version = _read_marks(seen)
    others = {file.name: file.path for file in state.files if not file.stamp}
    fresh = tuple(path for name, path in others.items() if name not in names)
    followed = version >= 0
    # what a step here had made and was read is not part of what nodes send
    gone = tuple(sorted(names - others.keys())) if followed else ()
    same = incarnation == state.incarnation and version <= (state.version or 0)
    set_back = followed and not same
    if gone or set_back or (fresh and followed):
        return Growth((), gone or (state.table,))
    new = list(fresh)
    for file in state.files:
        low, _, high = file.stamp.partition("-")
        if file.stamp and int(low) > version:
            new.append(file.path)
        elif file.stamp and int(high) > version:
            new.append(f"{file.path}\t{version}")
    return Growth(tuple(new))


def _read_marks(seen: Iterable[str]) -> tuple[set[str], str, int]:
    """Return names of files, and the newest version of which incarnation."""
    names, incarnation, version = set(), "", -1
    for mark in seen:
        name, tab, number = mark.rpartition("\t")
        if not tab:
            names.add(mark)
        elif number.lstrip("-").isdigit():
            incarnation, version = name, int(number)
        else:
            names.add(mark)
    return names, incarnation, version


def _mark_version(state: SourceState) -> str:
    return f"{state.incarnation}\t{state.version}"


def _name_of(mark: str) -> str:
    return mark.partition("\t")[0]


def mark_files(table: str, history: History) -> dict[str, str] | None:
    """Return path by mark for all files of a source or published table, None if unknown.

    A table whose rows tell which version brought them has one mark, that of its version, and
    one for each file of which that is not known.
    """
    state = history.sources.get(table)
    if state is not None and state.version is not None:
        others = {file.name: file.path for file in state.files if not file.stamp}
        return {_mark_version(state): "", **others}
    if state is not None:
        return {f"{file.name or file.path}\t{file.stamp}": file.path for file in state.files}
    version = history.versions.get(table)
    return None if version is None else {file.path: file.path for file in version.files}


def grows(project: ProjectSpec, history: History, table: str) -> bool:
    """Return whether files are only ever added to a table."""
    if (state := history.sources.get(table)) is not None:
        return state.grows
    maker = find_maker(project, table)
    return maker == table and project.steps[table].mode is Mode.APPEND


def tell_growth(growths: Mapping[str, Growth]) -> Reason | None:
    """Return how many files of which inputs are new, None if there are none."""
    told = [
        f"{len(growth.new):,} new {'file' if len(growth.new) == 1 else 'files'} in {name}"
        for name, growth in growths.items()
        if growth.new
    ]
    return Reason(Cause.INPUT_CHANGED, ", ".join(told)) if told else None


def tell_rewritten(growths: Mapping[str, Growth]) -> Reason | None:
    """Return which inputs lost or changed files that were read already, None if none did."""
    told = []
    for name, growth in growths.items():
        if growth.rewritten:
            more = f" and {len(growth.rewritten) - 1:,} more" if growth.rewritten[1:] else ""
            told.append(f"{growth.rewritten[0]}{more} in {name}")
    if not told:
        return None
    files = ", ".join(told)
    return Reason(
        Cause.REWRITTEN,
        f"{files} changed or went away after it was appended; --force rebuilds from what is there",
    )


def find_unmarked(memory: StepMemory, growing: Iterable[str]) -> tuple[str, ...]:
    """Return growing inputs that were read whole: appending their files would double rows."""
    return tuple(
        name for name in growing if name in memory.inputs and name not in memory.seen_files
    )


def seen_after(
    planned: PlannedStep,
    history: History,
    project: ProjectSpec,
    made: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return the files that an append step will have used up, for its memory.

    Args:
        planned: The step.
        history: What the plan rests on.
        project: The project.
        made: Paths of all files of tables that the same run makes, by table.

    Returns:
        Marks of files by growing input; empty for steps that don't append. A source's files
        that are gone stay among them: they may come back from where they were archived.
    """
    if planned.step.mode is not Mode.APPEND:
        return {}
    memory = None if planned.rebuild else history.memories.get(planned.name)
    seen: dict[str, tuple[str, ...]] = {}
    for table in planned.inputs:
        if grows(project, history, table):
            files = (made or {}).get(table)
            source = history.sources.get(table)
            keeps = source is not None and source.version is None
            known = memory.seen_files.get(table, ()) if memory and keeps else ()
            now = mark_files(table, history) or () if files is None else files
            seen[table] = tuple(dict.fromkeys((*known, *now)))
    return seen
