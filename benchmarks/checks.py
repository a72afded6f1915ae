"""Twenty checks of ten million rows, beside other tools and SQL written by hand.

Seconds are of work (CPU), which other programs on the machine change little; each tool is a
process of its own, and what it imports counts. All have to come to the same verdicts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from benchmarks.children import ROOT, Child, ChildError, Measure, subject
from benchmarks.kit import Kit
from benchmarks.projects import name_parquet, write_project
from benchmarks.results import Row
from benchmarks.wide import write_select

ROWS = 10_000_000
PEERS = ROOT / ".venvs" / "check-peers" / "bin" / "python"
PROFILER = ROOT / ".venvs" / "profile-peers" / "bin" / "python"
WIDE_ROWS, WIDE_COLUMNS = 1_000_000, 500
PROFILER_BYTES = 30_000
"""Memory that ydata-profiling needs for each row of so many columns, about."""
TOOLS = {
    "soda_contract": "Soda Core",
    "pandera_pandas": "Pandera (pandas)",
    "pandera_polars": "Pandera (Polars)",
    "pointblank_polars": "pointblank (Polars)",
    "cuallee_polars": "cuallee (Polars)",
    "gx_pandas": "Great Expectations (pandas)",
}
PEER_BOUND, SQL_BOUND, MEMORY_BOUND = 0.7, 1.0, 0.25
STATISTICS_LIMIT = 50.0
"""Milliseconds."""

TABLE = """
    select range as order_id, (hash(range) % 500000)::bigint as customer_id,
    'c' || customer_id || '@example.com' as email,
    ['new', 'paid', 'sent', 'returned'][1 + (hash(range + 1) % 4)::int] as status,
    (10 + (hash(range + 2) % 970000) / 100)::double as amount,
    (1 + hash(range + 3) % 99)::int as quantity,
    ['AT', 'BE', 'CH', 'DE', 'ES', 'FR', 'GB', 'IT', 'NL', 'US']
        [1 + (hash(range + 4) % 10)::int] as country,
    timestamp '2025-01-01' + to_microseconds((hash(range + 5) % 31536000000000)::bigint)
        as created_at
    from range({rows})
"""
DEFECTS = """
    select * replace (
        case when order_id % ({rows} // 2) = 1 then 0 else order_id end as order_id,
        case when order_id % ({rows} // 25) = 7 then 'nobody' else email end as email,
        case when order_id % ({rows} // 12) = 5 then -amount else amount end as amount
    ) from ({table})
"""
BROKEN = ["amount between", "email matches", "order_id unique", "rule"]
"""The checks that the defects break."""

CONTRACT = """\
made:
  columns:
    order_id: {type: int64, required: true, between: [0, ~]}
    customer_id: {type: int64, required: true, between: [0, 499999]}
    email: {type: string, required: true}
    amount: {type: float64, required: true, between: [0, 10000]}
    quantity: {type: int32, required: true, between: [1, 99]}
    created_at: {required: true, between: ["2025-01-01", "2025-12-31T23:59:59.999999"]}
  rows: {min: 1000}
"""


def measure_checks(kit: Kit) -> list[Row]:
    """Measure all tools on rows that are right, and on rows of which some are not."""
    rows = kit.scale(ROWS)
    table = TABLE.format(rows=rows)
    right = kit.make_parquet(f"orders-{rows}", table)
    wrong = kit.make_parquet(f"orders-{rows}-defects", DEFECTS.format(rows=rows, table=table))
    return [
        *_compare(kit, f"20 checks of {rows / 1e6:g} million rows", right, [], bounded=True),
        *_compare(kit, "the same, 4 of them broken", wrong, BROKEN, bounded=False),
    ]


def _compare(kit: Kit, name: str, path: Path, broken: list[str], *, bounded: bool) -> list[Row]:
    children = {"segue": _child("segue_check", path), "SQL": _child("duckdb_sql", path)}
    if PEERS.exists():
        children |= {label: _child(tool, path, PEERS) for tool, label in TOOLS.items()}
    found = kit.measure(children, repeats=3)
    for tool, measure in found.items():
        if measure.told["broken"] != broken:
            raise ChildError(f"{tool} says that {measure.told['broken']} are broken, not {broken}")
    mine, sql = found.pop("segue"), found.pop("SQL")
    lines = [_row(name, mine, sql, "SQL by hand", SQL_BOUND if bounded else None)]
    lines += [
        _row("", mine, theirs, label, PEER_BOUND if bounded else None)
        for label, theirs in found.items()
    ]
    if found:
        label, least = min(found.items(), key=lambda pair: pair[1].peak)
        bound = MEMORY_BOUND if bounded else None
        lines.append(Row("  peak memory", mine.peak / 1e6, least.peak / 1e6, label, "MB", bound))
    return lines


def _row(name: str, mine: Measure, theirs: Measure, label: str, bound: float | None) -> Row:
    """Return a line that compares work; the clock is told beside."""
    clock = f"{mine.seconds:.1f} and {theirs.seconds:.1f} s on the clock"
    return Row(
        name or f"  beside {label}",
        mine.cpu,
        theirs.cpu,
        label,
        "s",
        bound,
        mine.cpu / theirs.cpu,
        mine.peak,
        theirs.peak,
        clock,
    )


def _child(tool: str, path: Path, python: Path | str = sys.executable) -> Child:
    return Child(subject(f"checks/{tool}", path, python=python))


def measure_statistics(kit: Kit) -> list[Row]:
    """Measure checks of a published table that its statistics answer."""
    rows = kit.scale(ROWS)
    path = kit.make_parquet(f"orders-{rows}", TABLE.format(rows=rows))
    project = write_project(
        kit.scratch / "statistics",
        {"made.sql": "select * from orders\n"},
        name_parquet({"orders": path}),
        CONTRACT,
    )
    found = kit.measure({"segue": Child(subject("checks/segue_published", project))}, 3)["segue"]
    if found.told["broken"] or found.told["read"]:
        raise ChildError(f"statistics did not answer: {found.told}")
    first = f"the first in a process, with what it imports: {found.median('first') * 1e3:,.0f} ms"
    return [
        Row(
            f"checks of {rows / 1e6:g} million published rows by statistics",
            found.seconds * 1e3,
            STATISTICS_LIMIT,
            "limit",
            "ms",
            1.0,
            peak=found.peak,
            note=first,
        )
    ]


def measure_profile(kit: Kit) -> list[Row]:
    """Measure the profile of a wide table, written as a page; once, for a peer takes long.

    Where memory is too small for the peer, it is given a tenth of the rows, and Segue both.
    """
    rows = kit.scale(WIDE_ROWS)
    fits = psutil.virtual_memory().available >= PROFILER_BYTES * rows
    lines = _profile(kit, rows, peer=fits)
    return lines if fits or not PROFILER.exists() else lines + _profile(kit, rows // 10, peer=True)


def _profile(kit: Kit, rows: int, *, peer: bool) -> list[Row]:
    path = kit.make_parquet(f"wide-{rows}", write_select(rows, WIDE_COLUMNS))
    page = kit.scratch / "profile.html"
    children = {"segue": Child(subject("checks/profile_wide", path, page))}
    if peer and PROFILER.exists():
        command = subject("checks/profile_wide_ydata", path, page, python=PROFILER)
        children["ydata-profiling"] = Child(command)
    found = kit.measure(children, repeats=1)
    for tool, measure in found.items():
        if (measure.told["columns"], measure.told["rows"]) != (WIDE_COLUMNS, rows):
            raise ChildError(f"{tool} has described {measure.told}")
    mine = found.pop("segue")
    name = f"profile of {WIDE_COLUMNS} columns, {rows / 1e6:g} million rows"
    if not found:
        return [Row(name, mine.cpu, mine.cpu, "itself", "s", peak=mine.peak, note="no peer here")]
    return [_row(name, mine, theirs, tool, None) for tool, theirs in found.items()]
