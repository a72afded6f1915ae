"""From what was measured to a verdict, with a sentence for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.spec.contract import Measurement, Verdict

if TYPE_CHECKING:
    from segue.spec.contract import Check


def judge_rows(check: Check, failing: int, rows: int, statement: str) -> Measurement:
    """Hold a number of failing rows against a check's tolerances.

    Args:
        check: The check.
        failing: Rows that break it.
        rows: Rows of the table; none break a check of an empty table.
        statement: The check in a few words.
    """
    if not failing:
        kept = f"all {rows:,} rows keep" if rows else "there are no rows to break"
        message = f"{kept} `{statement}`"
    else:
        share = f", {write_share(failing, rows)}" if rows else ""
        verb = "breaks" if failing == 1 else "break"
        message = f"{failing:,} of {rows:,} rows{share} {verb} `{statement}`{_say_bounds(check)}"
    return measurement(
        check, decide_verdict(check, failing, rows), rows, message=message, failing=failing
    )


def judge_value(
    check: Check, value: Any, rows: int, *, kept: bool, found: str, expected: str, advice: str = ""
) -> Measurement:
    """Judge a check of the whole table, which holds or does not.

    Args:
        check: The check; it warns if it states nothing but a warning.
        value: What was measured.
        rows: Rows of the table.
        kept: Whether the check holds.
        found: What was measured, in words.
        expected: What was expected, in words.
        advice: The next move if it does not hold.
    """
    verdict = Verdict.PASS if kept else decide_verdict(check, 1, 1)
    if not kept and verdict is Verdict.PASS:  # a tolerance of rows means nothing here
        verdict = Verdict.WARN if check.fail is None else Verdict.FAIL
    message = f"{found}, as expected" if kept else f"{found}, expected {expected}{advice}"
    number = float(value) if isinstance(value, int | float) else None
    return measurement(check, verdict, rows, message=message, value=number)


def decide_verdict(check: Check, failing: int, rows: int) -> Verdict:
    """Return what `failing` of `rows` rows mean for a check.

    Example:
        >>> from segue.errors import Location
        >>> from segue.spec.contract import Check, Tolerance
        >>> borne = Tolerance(share=0.05), Tolerance(count=0)
        >>> check = Check("c", "required", ("x",), {}, *borne, Location("contracts.yml"))
        >>> [str(decide_verdict(check, failing, 100)) for failing in (0, 5, 6)]
        ['pass', 'warn', 'fail']
    """
    if not failing:
        return Verdict.PASS
    if check.fail is not None and not check.fail.allows(failing, rows):
        return Verdict.FAIL
    if check.warn is not None and not check.warn.allows(failing, rows):
        return Verdict.WARN
    return Verdict.PASS


def judge_unmeasured(check: Check, rows: int, message: str, sql: str = "") -> Measurement:
    """Return the verdict of a check that could not be measured, which is never a pass."""
    return measurement(check, Verdict.ERROR, rows, message=message, sql=sql)


def measurement(
    check: Check,
    verdict: Verdict,
    rows: int,
    *,
    message: str,
    failing: int | None = None,
    value: float | None = None,
    sql: str = "",
) -> Measurement:
    """Return a check's measurement; whoever measures adds the table's name."""
    return Measurement(
        table="",
        check=check.name,
        kind=check.kind,
        columns=check.columns,
        verdict=verdict,
        rows=rows,
        failing=failing,
        message=message,
        value=value,
        sql=sql,
    )


def write_share(part: int, whole: int) -> str:
    """Return a share in percent that never rounds to nothing or to all.

    Example:
        >>> write_share(1, 1_000_000), write_share(1, 3), write_share(999_999, 1_000_000)
        ('under 0.01%', '33%', 'over 99%')
    """
    percent = 100 * part / whole
    if 0 < percent < 0.01:  # noqa: PLR2004 - the smallest share that is written out
        return "under 0.01%"
    if 99 < percent < 100:  # noqa: PLR2004
        return "over 99%"
    return f"{percent:.2g}%" if percent < 100 else "100%"  # noqa: PLR2004


def _say_bounds(check: Check) -> str:
    """Return which tolerance is stated, in brackets."""
    bounds = [
        f"{word} {'at the first' if not (bound.count or bound.share) else f'beyond {bound}'}"
        for word, bound in (("warn", check.warn), ("fail", check.fail))
        if bound is not None
    ]
    return f" ({', '.join(bounds)})" if bounds else ""
