"""A thousand steps that store nothing: views, and functions that return None."""

from __future__ import annotations

from benchmarks.kit import Kit
from benchmarks.projects import CHAIN, chain_steps, run_anew, unite, write_project
from benchmarks.results import Row

NAME = "unstored"
STEPS = 1_000
LIMIT_MS = 1.0

EFFECT = "@step\ndef effect_{number:04d}() -> None:\n    pass\n"


def measure(kit: Kit) -> list[Row]:
    """Time runs of many such steps, and take away what a run of one costs."""
    count = kit.scale(STEPS)
    projects = {
        "views": write_project(kit.scratch / "views", write_views(count)),
        "view": write_project(kit.scratch / "view", write_views(1)),
        "effects": write_project(kit.scratch / "effects", write_effects(count)),
        "effect": write_project(kit.scratch / "effect", write_effects(1)),
    }
    found = kit.measure({name: run_anew(project) for name, project in projects.items()}, repeats=5)
    rows = []
    for many, one, name in (
        ("views", "view", "trivial views, each"),
        ("effects", "effect", "unpublished steps, each"),
    ):
        spent = (found[many].seconds - found[one].seconds) * 1000 / (count - 1)
        work = (found[many].cpu - found[one].cpu) * 1000 / (count - 1)
        rows.append(
            Row(
                f"{count:,} {name}",
                spent,
                LIMIT_MS,
                "limit",
                "ms",
                1.0,
                peak=found[many].peak,
                note=f"CPU {work:.2f} ms",
            )
        )
    return rows


def write_views(count: int) -> dict[str, str]:
    """Return views in chains of ten, and one table that reads the ends of all chains."""
    steps = chain_steps(count, header="-- segue: {mode: view}\n")
    ends = {*range(CHAIN - 1, count, CHAIN), count - 1}
    return {**steps, "total.sql": unite(f"t{number:04d}" for number in sorted(ends))}


def write_effects(count: int) -> dict[str, str]:
    """Return functions that do nothing, a hundred in each file."""
    files: dict[str, list[str]] = {}
    for number in range(count):
        name = f"effects_{number // 100:02d}.py"
        files.setdefault(name, ["from segue import step\n"]).append(EFFECT.format(number=number))
    return {name: "\n\n".join(parts) for name, parts in files.items()}
