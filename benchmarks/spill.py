"""A group-by with more groups than its memory holds."""

from __future__ import annotations

from benchmarks.children import Child, ChildError, subject
from benchmarks.kit import Kit
from benchmarks.projects import forget_lake, name_parquet, write_project
from benchmarks.results import Row

NAME = "spill"
ROWS = 60_000_000
GROUPS = 45_000_000
MEMORY_MB = 1000.0


def measure(kit: Kit) -> list[Row]:
    """Run it under a stated memory, and look how much the whole process holds."""
    rows, groups = kit.scale(ROWS), kit.scale(GROUPS)
    # Multiplying by a large prime scatters the keys over the file.
    keys = f"(range * 2654435761) % {groups} as k, range % 1000 / 10 as v"
    path = kit.make_parquet(f"keys-{rows}", f"select {keys} from range({rows})")
    project = write_project(
        kit.scratch / "spill",
        {"totals.sql": "select k, count(*) as n, sum(v) as total from keys group by k\n"},
        name_parquet({"keys": path}) + f'[places.local]\nmemory = "{MEMORY_MB:.0f}MB"\n',
    )
    child = Child(subject("segue_run", project), prepare=lambda: forget_lake(project))
    found = kit.measure({"segue": child}, repeats=1)["segue"]
    if found.told["rows"] != {"totals": groups}:
        raise ChildError(f"{groups:,} groups were expected: {found.told['rows']}")
    return [
        Row(
            f"{groups / 1e6:,.0f} million groups in 1 GB",
            found.peak / 1e6,
            MEMORY_MB,
            "limit",
            "MB",
            1.0,
            peak=found.peak,
            note=f"{rows / 1e6:,.0f} million rows in {found.seconds:.0f} s",
        )
    ]
