"""Real staged files, runs and publications, for tests of ledgers, lakes and what unites them."""

import hashlib
import itertools
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from segue import registry
from segue.publish.intent import Base, declare_intent, make_intent
from segue.publish.lease import this_owner
from segue.publish.swap import complete_intent
from segue.spec.contract import Measurement, Verdict
from segue.spec.output import HASH_MODULUS, DataFile, StagedTable
from segue.spec.run import Publication, RunStart, RunStatus, StepOutcome, StepStatus
from segue.spec.step import Mode
from segue.spec.types import parse_schema

SCHEMA = parse_schema("id: int64, name: string")
ARROW = pa.schema([("id", pa.int64()), ("name", pa.string())])
OWNER = this_owner()
MEASURED = Measurement(
    "a", "id required", "required", ("id",), Verdict.FAIL, 3, 1, "1 of 3", sample=({"id": None},)
)

_counter = itertools.count(1)


def name_run():
    number = next(_counter)
    return f"20261102-{number // 3600 % 24:02}{number // 60 % 60:02}{number % 60:02}-test"


def digest_rows(rows):
    hashes = (hashlib.md5(repr(row).encode()).hexdigest() for row in rows)
    return f"{sum(int(each, 16) for each in hashes) % HASH_MODULUS:032x}"


def write_file(lake, table, rows, stem, arrow=ARROW):
    """Write rows as a staged file, as an engine would."""
    path = lake.folder(table) / f"{stem}-{table}-{next(_counter)}.parquet"
    columns = [[row[at] for row in rows] for at in range(len(arrow))]
    pq.write_table(pa.table(columns, schema=arrow), path)
    return DataFile(path.name, len(rows), path.stat().st_size, digest_rows(rows))


def stage(lake, table, rows, *, run="20261102-000000-test", base=None, schema=SCHEMA, arrow=ARROW):
    """Stage rows that replace a table."""
    file = write_file(lake, table, rows, run, arrow)
    return StagedTable(table, schema, Mode.REPLACE, (file,), base=base and base.number)


def append(lake, base, rows, *, run="20261102-000000-test"):
    """Stage rows that are added to a version."""
    file = write_file(lake, base.table, rows, run)
    return StagedTable(base.table, base.schema, Mode.APPEND, (file,), base.files, base.number)


def publication(staged, number=1, base_delta=None, run="20261102-000000-test", **more):
    return Publication(staged.table, number, staged, "f1", run, base_delta, **more)


def outcome(staged, **more):
    told = {"status": StepStatus.DONE, "fingerprint": "f1", "inputs": {"raw": "1"}} | more
    return StepOutcome(staged.table, staged=staged, **told)


@dataclass
class Site:
    """A ledger and a lake, as a project has them."""

    ledger: object
    lake: object
    url: str

    def begin(self, run=None, *, seconds=15.0, owner=OWNER, environment="production"):
        run = run or name_run()
        start = RunStart(run, "shop", environment, "segue run", "2026-11-02T09:15:00", ("a",))
        return self.ledger.open_run(start, owner, seconds)

    def intend(self, lease, *outcomes, base=None, environment="production"):
        memories = self.ledger.memories(environment)
        return make_intent(lease, outcomes, base or self.base(environment), memories)

    def base(self, environment="production"):
        ledger = self.ledger
        return Base(ledger.snapshot(environment), ledger.heads(), ledger.numbers())

    def publish(self, *outcomes):
        """Do a whole run; return its snapshot's number."""
        lease = self.begin()
        self.ledger.note(lease, outcomes)
        intent = self.intend(lease, *outcomes)
        declare_intent(self.ledger, self.lake, lease, intent)
        number = complete_intent(self.ledger, self.lake, intent)
        self.ledger.close_run(lease, RunStatus.DONE, 0.5, "", outcomes)
        return number

    def publish_rows(self, **tables):
        """Publish rows by table name, as one run."""
        run = name_run()
        return self.publish(*(outcome(self.stage(t, rows, run)) for t, rows in tables.items()))

    def stage(self, table, rows, run="20261102-000000-test"):
        return stage(self.lake, table, rows, run=run, base=self.version(table))

    def version(self, table):
        return self.ledger.snapshot().versions.get(table)

    def rows(self, table):
        """Read a table as segue's readers do: through the pointer."""
        version = self.version(table)
        return read_rows(self.lake, version.schema, table, version.files) if version else None


def read_rows(lake, schema, table, files):
    paths = lake.scan(schema, table, files).paths
    parts = [pq.read_table(path, partitioning=None) for path in paths]
    return sorted(tuple(row.values()) for part in parts for row in part.to_pylist())


def open_site(folder, ledger="sql", lake="delta", url="", **more):
    url = url or f"sqlite:///{folder}/ledger.db"
    made = registry.load(registry.LEDGERS, ledger)(url, **more)
    return Site(made, registry.load(registry.LAKES, lake)(str(folder / "lake")), url)
