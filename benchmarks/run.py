"""Run the benchmarks and print one table of ratios: ``python -m benchmarks.run``.

It reports and does not judge: the exit code tells only whether everything ran.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from benchmarks import checks, engines, fleet, groups, idle, spill, startup, tables, tpch, unstored
from benchmarks.children import ChildError
from benchmarks.kit import Kit
from benchmarks.results import Row, render_table

BENCHMARKS = {
    module.NAME: module.measure for module in (startup, idle, unstored, tables, tpch, groups, spill)
}
ENGINES = {
    "small": engines.measure_small,
    "engine-groups": engines.measure_groups,
    "engine-sql": engines.measure_sql,
}
CHECKS = {
    "checks": checks.measure_checks,
    "statistics": checks.measure_statistics,
    "profile": checks.measure_profile,
}
FLEET = {
    "drain": fleet.measure_drain,
    "lines": fleet.measure_lines,
    "idle-agent": fleet.measure_idle,
    "nodes": fleet.measure_nodes,
}
HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run what was asked for and print what came of it."""
    options = read_options()
    results = HERE / "results"
    scratch = results / "work"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    kit = Kit(HERE / "data", scratch, options.quick, options.most)
    kit.data.mkdir(exist_ok=True)
    rows: list[Row] = []
    crashed = False
    for name in options.only or choose_names(options):
        print(f"{name} …", flush=True)
        try:
            found = (BENCHMARKS | ENGINES | CHECKS | FLEET)[name](kit)
            print(render_table(found), flush=True)
            rows += found
        except ChildError as error:
            print(f"{name} crashed: {error}", file=sys.stderr)
            crashed = True
    table = render_table(rows)
    print(f"\n{table}\n\n{describe_machine()}")
    (results / f"{time.strftime('%Y%m%d-%H%M%S')}.txt").write_text(table + "\n")
    shutil.rmtree(scratch, ignore_errors=True)
    return int(crashed)


def choose_names(options: argparse.Namespace) -> list[str]:
    """Return the benchmarks of the kind that was asked for."""
    if options.fleet:
        return list(FLEET)
    if options.checks:
        return list(CHECKS)
    return list(ENGINES if options.engines else BENCHMARKS)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[*BENCHMARKS, *ENGINES, *CHECKS, *FLEET],
        help="only this benchmark",
    )
    parser.add_argument(
        "--engines", action="store_true", help="those of engines and their peers instead"
    )
    parser.add_argument(
        "--checks", action="store_true", help="those of checks and their peers instead"
    )
    parser.add_argument("--fleet", action="store_true", help="those of hub and agents instead")
    parser.add_argument(
        "--most",
        metavar="ROWS",
        type=int,
        default=sys.maxsize,
        help="leave out what has more rows, of the benchmarks that come in several sizes",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the data, once: to see that all runs"
    )
    return parser.parse_args()


def describe_machine() -> str:
    """Say what else was going on: ratios hold, seconds do not, where others work too."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load {load:.1f} at the end. The first peak is segue's."


if __name__ == "__main__":
    sys.exit(main())
