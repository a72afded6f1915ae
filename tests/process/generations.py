"""A project whose tables all carry the number of their generation, and who watches them.

Tables of one snapshot must agree in it. `log` grows by a generation with each published run
and `latest` is merged into, so that a run lost or done twice shows in the rows.
"""

import json
import os
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

import segue
from segue.cli.main import run_command
from segue.testing.faults import Ended, Victim, run_segue, running, start_call, start_command
from segue.testing.processes import wait_until

ROWS = 20
SET_ASIDE = 2

FILES = {
    "segue.toml": '[project]\nname = "generations"\n',
    "steps/seed.py": """
from segue import step


@step
def seed(generation: int = 1) -> list[dict]:
    return [{"id": i, "generation": generation, "amount": i % 10} for i in range(20)]
""",
    "steps/totals.sql": "select generation, count(*) as n from seed group by all",
    "steps/log.sql": "-- segue: {mode: append}\nselect id, generation from seed",
    "steps/latest.sql": "-- segue: {mode: merge, key: [id]}\nselect id, generation from seed",
    "steps/clean.sql": "select id, generation, amount from seed",
    "contracts.yml": "clean:\n  columns:\n    amount: {between: [0, 8]}\n  rejects: true\n",
}
TABLES = ("seed", "totals", "log", "latest", "clean", "clean__rejects")

# One query, so one snapshot.
LOOK = """
select
    (select list(distinct generation) from seed) as seed,
    (select count(*) from seed) as seed_rows,
    (select list(distinct generation) from totals) as totals,
    (select sum(n)::bigint from totals) as totals_rows,
    (select list_sort(list(distinct generation)) from log) as generations,
    (select count(*) from log) as log_rows,
    (select list(distinct generation) from latest) as latest,
    (select count(*) from latest) as latest_rows,
    (select list(distinct generation) from clean) as clean,
    (select count(*) from clean) as clean_rows,
    (select list(distinct generation) from clean__rejects) as rejects,
    (select count(*) from clean__rejects) as rejects_rows
"""


def look(project):
    """Read all tables of the snapshot that readers see now."""
    return project.query(LOOK, returns="rows")[0]


def expect(generations, last=None):
    """Return what `look` must find after these generations were published, each once."""
    now = [last or generations[-1]]
    return {
        "seed": now,
        "seed_rows": ROWS,
        "totals": now,
        "totals_rows": ROWS,
        "generations": sorted(generations),
        "log_rows": ROWS * len(generations),
        "latest": now,
        "latest_rows": ROWS,
        "clean": now,
        "clean_rows": ROWS - SET_ASIDE,
        "rejects": now,
        "rejects_rows": SET_ASIDE,
    }


def watch(folder, told, stop):
    """Read until asked to stop, and bring nothing to an end; write each look as a line."""
    with segue.load(folder) as project, told.open("a") as file:
        project._settle = lambda: project.workspace
        while not stop.exists():
            file.write(json.dumps(look(project)) + "\n")
            file.flush()


def run_and_stop_between_writes(arguments):
    """Give a command, and stop only while no thread of it holds the ledger's lock.

    Who is stopped while it writes keeps the lock; `test_storage` tries one that stays.
    """
    guard, kill = threading.RLock(), os.kill
    ledger = import_module("segue.stores.ledger_connect")
    writing = ledger.writing

    @contextmanager
    def write(*arguments):
        with guard, writing(*arguments) as connection:
            yield connection

    def stop(pid, number):
        with guard:
            kill(pid, number)

    ledger.writing, os.kill = write, stop
    return run_command(arguments)


@dataclass
class Watcher:
    """A reader in a process of its own."""

    victim: Victim
    told: Path

    def looks(self) -> list[dict]:
        text = self.told.read_text() if self.told.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def look_again(self) -> dict:
        """Return a look that began after this call."""
        before = len(self.looks())

        def seen():
            assert self.victim.runs, self.victim.wait()
            return len(self.looks()) >= before + 2

        wait_until(seen, "the reader")
        return self.looks()[before + 1]


@dataclass
class Site:
    """A project, and what was published of it so far."""

    folder: Path
    published: list[int] = field(default_factory=list)

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def ledger(self) -> Path:
        return self.lake / "ledger.db"

    def _arguments(self, generation: int) -> tuple[str, ...]:
        return ("run", "--json", "-p", f"seed.generation={generation}")

    def start(self, generation: int, failpoints="", **environ) -> Victim:
        arguments = (*self._arguments(generation), "--project", str(self.folder))
        if "=stop" in failpoints:
            return start_call(run_and_stop_between_writes, arguments, failpoints=failpoints)
        return start_command(*arguments, failpoints=failpoints, environ=environ)

    def run(self, generation: int, failpoints="", **environ) -> Ended:
        """Run to the end, or to what a failpoint makes of it."""
        ended = self.start(generation, failpoints, **environ).wait()
        if ended.code == 0:
            self.published.append(generation)
        return ended

    def ask(self, *arguments: str) -> Ended:
        return run_segue(*arguments, "--project", self.folder)

    def look(self) -> dict:
        with segue.load(self.folder) as project:
            return look(project)

    def edit(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def runs(self) -> dict[str, str]:
        """Return the status of each run as the ledger has it, without segue."""
        with sqlite3.connect(self.ledger) as connection:
            return dict(connection.execute("select run_id, status from segue_runs order by number"))

    def records(self) -> dict[str, dict]:
        found = (self.lake / "_runs").glob("*.json")
        return {path.stem: json.loads(path.read_text()) for path in sorted(found)}

    def dump(self) -> list[tuple]:
        """Return all that the ledger holds."""
        with sqlite3.connect(self.ledger) as connection:
            return list(connection.iterdump())

    def files(self) -> set[str]:
        return {
            path.relative_to(self.lake).as_posix()
            for path in self.lake.rglob("*.parquet*")
            if "_delta_log" not in path.parts
        }

    @contextmanager
    def watched(self):
        """Let a reader look on; every look must have been whole."""
        told, stop = (self.folder.parent / name for name in ("told.jsonl", "stop"))
        with running(start_call(watch, self.folder, told, stop)) as victim:
            watcher = Watcher(victim, told)
            watcher.look_again()
            yield watcher
            watcher.look_again()
            stop.touch()
            assert victim.wait().code == 0
        for seen in watcher.looks():
            assert seen == expect(seen["generations"], *seen["seed"])


def write_project(folder: Path) -> Site:
    site = Site(folder)
    for name, text in FILES.items():
        site.edit(name, text)
    return site


def copy_site(site: Site, folder: Path) -> Site:
    return Site(shutil.copytree(site.folder, folder), list(site.published))


def assert_settled(site: Site) -> None:
    """Nothing is under way: ledger, records and tables tell the same story."""
    statuses = site.runs()
    assert set(statuses.values()) <= {"done", "failed", "lost"}
    records = site.records()
    assert {run: record["status"] for run, record in records.items()} == statuses
    for run, record in records.items():
        assert record["finished_at"] or record["status"] != "done", run
        assert (record["snapshot"] is not None) == (record["status"] == "done"), run
        assert bool(record["error"]) == (record["status"] != "done"), run
    before = site.dump()
    assert site.ask("recover").code == 0
    assert site.dump() == before
    assert site.look() == expect(site.published)
