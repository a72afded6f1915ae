"""A small project whose steps can be run one by one, with a real engine and lake."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from segue import registry
from segue.declare.discover import declare_project
from segue.execute.attempt import StepTask, run_step
from segue.frames.arrow_types import from_arrow
from segue.spec.output import TableVersion
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier
from segue.spec.step import PlaceSpec

HEAD = """
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

from segue import step
"""


class World:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.tables: dict[str, pa.Table] = {}
        self.lake = registry.load(registry.LAKES, "delta")(str(root / "lake"))
        self.scratch = root / "scratch"
        self.scratch.mkdir()

    def add(self, **tables: pa.Table) -> None:
        """Add source tables."""
        (self.root / "data").mkdir(exist_ok=True)
        for name, table in tables.items():
            self.tables[name] = table
            pq.write_table(table, self.root / f"data/{name}.parquet")

    def declare(self, python: str = "", head: str = HEAD, **sql: str):
        """Write steps; return the project."""
        steps = self.root / "steps"
        steps.mkdir(exist_ok=True)
        if python:
            (steps / "functions.py").write_text(head + textwrap.dedent(python))
        for name, text in sql.items():
            (steps / f"{name}.sql").write_text(textwrap.dedent(text))
        lines = ['[project]\nname = "world"']
        lines += [
            f'[tables.{name}]\npath = "data/{name}.parquet"\nformat = "parquet"'
            for name in self.tables
        ]
        (self.root / "segue.toml").write_text("\n".join(lines))
        return declare_project(self.root)

    def scan(self, name: str) -> Scan:
        schema = from_arrow(self.tables[name].schema)
        return Scan("parquet", (str(self.root / f"data/{name}.parquet"),), schema=schema)

    def task(self, declared, name: str, **changes) -> StepTask:
        """Return the task of a step; its inputs are source tables."""
        step = declared.steps[name]
        made = StepTask(
            project=declared,
            step=step,
            parameters=declared.parameters_of(step),
            bindings={table: self.scan(table) for table in step.reads if table in self.tables},
            place=PlaceSpec("local", threads=2),
            folder=self.lake.folder(name),
            stem="run",
            schema=None,
            base=None,
            base_scan=None,
            run_id="run",
        )
        return replace(made, **changes)

    @contextmanager
    def open(self):
        with registry.load_engine("duckdb").open(
            PlaceSpec("local", threads=2), self.scratch
        ) as session:
            yield session

    def run(self, task: StepTask):
        """Run a step; return its rows and its result."""
        with self.open() as session:
            result = run_step(task, session, self.lake)
            return self.read(session, result.staged), result

    def read(self, session, staged) -> pa.Table | None:
        if staged is None:
            return None
        fork = session.fork()
        fork.bind("made", self.lake.scan(staged.schema, staged.table, staged.files))
        return fork.fetch(f"select * from {quote_identifier('made')}")

    def call(self, python: str, name: str = "made", **changes) -> pa.Table | None:
        """Declare and run a Python step; return its rows."""
        return self.run(self.task(self.declare(python), name, **changes))[0]

    def publish(self, staged, number: int = 1) -> dict:
        """Return the changes of a task that builds on what was staged."""
        version = TableVersion(
            staged.table, number, number, staged.schema, staged.files, "", "run", "", ""
        )
        return {
            "base": version,
            "base_scan": self.lake.scan(staged.schema, staged.table, staged.files),
            "stem": f"run{number}",
        }
