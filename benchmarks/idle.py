"""A thousand steps of which none needs to run."""

from __future__ import annotations

from benchmarks.children import Child, run_child
from benchmarks.kit import Kit, segue_command
from benchmarks.projects import chain_steps, write_project
from benchmarks.results import Row

NAME = "idle"
STEPS = 1_000
LIMIT = 1.5


def measure(kit: Kit) -> list[Row]:
    """Run a project once, then time `segue run` with nothing to do, beside its start-up."""
    count = kit.scale(STEPS)
    many = write_project(kit.scratch / "idle", chain_steps(count))
    one = write_project(kit.scratch / "idle-one", chain_steps(1))
    command = segue_command("run")
    for project in (many, one):
        run_child(Child(command, cwd=project))
    found = kit.measure(
        {"many": Child(command, cwd=many), "one": Child(command, cwd=one)}, repeats=7
    )
    all_of_it, start_up = found["many"], found["one"]
    share = start_up.seconds / all_of_it.seconds
    return [
        Row(
            f"{count:,} up-to-date steps",
            all_of_it.seconds,
            LIMIT,
            "limit",
            "s",
            1.0,
            peak=all_of_it.peak,
            note=f"start-up is {share:.0%} of it, CPU {all_of_it.cpu:.2f} s",
        )
    ]
