"""Suggest a contract for a table from what is in it: modest, readable, and true of its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segue.declare.contracts import parse_contracts
from segue.declare.problems import Problems
from segue.judge.measure import measure_table
from segue.judge.suggesting.bounds import round_down, round_up
from segue.judge.suggesting.columns import Suggestion, suggest_column
from segue.judge.suggesting.lines import write_contract
from segue.registry import CHECKS, names
from segue.spec.contract import Verdict
from segue.spec.history import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segue.protocols import Session
    from segue.spec.profile import Profile
    from segue.spec.types import TableSchema

    _Names = set[tuple[str, str]]

_KEY_ROWS = 1000
"""Rows from which columns that together tell all rows apart are asked to."""
_LEAST_VERSIONS = 5
"""Versions from which the number of rows is bounded on both sides."""
_NOT_CHECKS = ("", "sensitive")
_SHOWN = "the suggested contract"
_LONG = {"in": "values", "matches": "pattern", "references": "to", "format": "format"}
"""How the long form of a check calls what its short form is."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a table.

    Attributes:
        rows: Rows of its versions, oldest first.
        checks: Gives earlier measurements of a check by its name, oldest first.
    """

    rows: tuple[int, ...] = ()
    checks: Callable[[str], Sequence[Point]] = field(default=lambda _: ())


def suggest_contract(
    session: Session, schema: TableSchema, profile: Profile, past: Past | None = None
) -> str:
    """Return a contract as YAML text for `contracts.yml`, with the evidence as comments.

    Every check that is suggested was measured, and passed.

    Args:
        session: Engine in which the table, and those that it refers to, are bound.
        schema: Its columns.
        profile: What is in it.
        past: What is remembered of it.
    """
    past = past or Past()
    referred = {each.column: each for each in profile.references}
    columns = {
        column.name: suggest_column(column, referred.get(column.name), first=position == 0)
        for position, column in enumerate(profile.columns)
    }
    columns = {name: _heed(name, suggested, past) for name, suggested in columns.items()}
    others = list(_suggest_table(profile, past))
    served = {*names(CHECKS), *_NOT_CHECKS}
    left_out: _Names = {
        (name, each.kind)
        for name, suggested in (*columns.items(), ("", others))
        for each in suggested
        if each.kind not in served
    }
    text = _write(profile, columns, others, left_out)
    broken = _find_broken(session, schema, text, profile)
    return _write(profile, columns, others, left_out | broken) if broken else text


def _write(
    profile: Profile,
    columns: Mapping[str, Sequence[Suggestion]],
    others: Sequence[Suggestion],
    left_out: _Names,
) -> str:
    kept = {
        name: [each for each in suggested if (name, each.kind) not in left_out]
        for name, suggested in columns.items()
    }
    source = f"suggested from {profile.rows:,} row{'' if profile.rows == 1 else 's'}"
    others = [each for each in others if ("", each.kind) not in left_out]
    return write_contract(profile.table, kept, others, source)


def _suggest_table(profile: Profile, past: Past) -> Iterator[Suggestion]:
    keys = [key for key in profile.keys if len(key) > 1]
    if keys and profile.rows >= _KEY_ROWS:
        told = "no two rows are alike in these"
        yield Suggestion("unique", [list(keys[0])], told)
    counts = [*past.rows, profile.rows]
    if len(past.rows) >= _LEAST_VERSIONS and min(counts) > 0:
        bounds = {"min": round_down(min(counts)), "max": int(round_up(Decimal(2 * max(counts))))}
        told = f"{min(counts):,} to {max(counts):,} in {len(past.rows)} versions, with room"
        yield Suggestion("rows", bounds, told)
    elif profile.rows:
        yield Suggestion("rows", {"min": 1}, f"{profile.rows:,} now")


def _heed(column: str, suggested: Sequence[Suggestion], past: Past) -> list[Suggestion]:
    """Return what is suggested of a column so that it bears what failed earlier."""
    heeded = []
    held = 0
    for each in suggested:
        points = []
        if each.kind not in _NOT_CHECKS:
            points = [
                one for one in past.checks(f"{column} {each.kind}") if one.failing is not None
            ]
        failed = sum(bool(one.failing) for one in points)
        if failed:
            told = f"rows failed in {failed:,} of {_count(points)}, so it only warns"
            evidence = ", ".join(filter(None, (each.evidence, told)))
            heeded.append(Suggestion(each.kind, _warn_only(each), evidence))
            continue
        heeded.append(each)
        held = max(held, len(points))
    if held:
        heeded.append(Suggestion("", evidence=f"as in {_count(range(held))}"))
    return heeded


def _count(points: Sequence[object]) -> str:
    return f"{len(points):,} earlier measurement{'' if len(points) == 1 else 's'}"


def _warn_only(suggestion: Suggestion) -> Any:
    value = suggestion.value
    if suggestion.kind == "between":
        return {"min": value[0], "max": value[1], "warn": 0}
    if suggestion.kind in _LONG:
        return {_LONG[suggestion.kind]: value, "warn": 0}
    return {"warn": 0} if value is True else value


def _find_broken(session: Session, schema: TableSchema, text: str, profile: Profile) -> _Names:
    """Return column and kind of each check of a contract that is not true of the table."""
    problems = Problems()
    tables = {profile.table, *(each.table for each in profile.references)}
    contract = parse_contracts(text, _SHOWN, tables, (), problems).get(profile.table)
    problems.check()
    if contract is None:
        return set()
    report = measure_table(session, profile.table, contract, schema)
    bad = {one.check for one in report.measurements if one.verdict is not Verdict.PASS}
    return {
        (check.columns[0] if len(check.columns) == 1 else "", check.kind)
        for check in contract.checks
        if check.name in bad
    }
