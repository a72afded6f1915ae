"""Cases of checks: a small table, a check, and the verdict that it must get on every engine.

The words are those of `tests/cases/quality.yaml`; beside ``check``, a case may state a whole
``contract`` as `contracts.yml` says it of a table.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml

from segue.declare.contracts import parse_contract
from segue.declare.problems import Problems
from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.testing.engines.notation import make_table

FOLDER = Path(__file__).parent
TABLE, PARENT = "orders", "parents"
TYPES = {
    "int": "int32",
    "integer": "int32",
    "bigint": "int64",
    "smallint": "int16",
    "float": "float32",
    "real": "float32",
    "double": "float64",
    "text": "string",
    "varchar": "string",
    "boolean": "bool",
    "timestamptz": "timestamp(us, UTC)",
    "blob": "binary",
}
COLUMN_WORDS = {
    "not_null": "required",
    "range": "between",
    "accepted": "in",
    "regex": "matches",
    "fk": "references",
    "freshness": "fresh",
    "sum": "sum",
    "mean": "mean",
    "finite": "finite",
    "min": "min",
    "max": "max",
    "stddev": "stddev",
    "median": "median",
    "distinct": "distinct",
}
INNER_WORDS = {"max_age": "within", "max_fail_pct": "fail"}


@dataclass(frozen=True)
class Quality:
    """One case.

    Attributes:
        name: What it is called.
        columns: Types by name.
        rows: Rows of the table.
        contract: What must be true of it, as `contracts.yml` says it.
        verdict: The verdict that it must get.
        failing: How many rows break it; None where none are counted.
        parent: Keys of the table that it refers to; None if it does not.
        now: The time that it is.
        kinds: Engines on which it can't be measured, which is an error.
    """

    name: str
    columns: dict
    rows: list
    contract: dict
    verdict: str
    failing: int | None
    parent: list | None = None
    now: datetime | None = None
    unmeasured: tuple = field(default=())

    @property
    def table(self):
        return make_rows(self.columns, self.rows)

    @property
    def parents(self):
        (child, *_) = (self.columns[name] for name in self.columns)
        return make_rows({"id": child}, [[key] for key in self.parent])


def read_qualities(path):
    found = yaml.safe_load(path.read_text(encoding="utf-8"))["cases"]
    return [read_quality(each) for each in found]


def read_quality(found):
    now = datetime.fromisoformat(found["now"]) if "now" in found else None
    contract = found.get("contract") or write_contract(found["check"], found["cols"])
    return Quality(
        found["id"],
        found["cols"],
        found["rows"],
        contract,
        found["verdict"],
        found["failing"],
        found.get("parent"),
        now,
        tuple(found.get("unmeasured", ())),
    )


def write_contract(check, columns):
    """Return what the format of the cases says, as a contract says it."""
    ((word, value),) = check.items()
    long = dict(value) if isinstance(value, dict) else {"col": value}
    if "max_fail_pct" in long:
        long["max_fail_pct"] = f"{long['max_fail_pct']}%"
    long = {INNER_WORDS.get(key, key): part for key, part in long.items()}
    if word == "row_count":
        return {"rows": {key: part for key, part in long.items() if key != "col"}}
    if word == "unique":
        named = long.pop("cols", None) or long.pop("col")
        keys = named if isinstance(named, list) else [named]
        return {"unique": [{"columns": keys, **long} if long else keys]}
    column = long.pop("col")
    if word == "fk":
        long.setdefault("to", f"{PARENT}.id")
    if word not in COLUMN_WORDS:
        raise ValueError(f"nobody knows the check {word!r}")
    return {"columns": {column: {COLUMN_WORDS[word]: long or True}}}


def make_rows(columns, rows):
    """Return a table of columns in the types that the cases name."""
    schema = ",".join(
        f'"{name.replace(chr(34), chr(34) * 2)}":{TYPES.get(type_, type_)}'
        for name, type_ in columns.items()
    )
    return make_table(schema, rows)


def measure(session, case):
    """Return what the check of a case came to, of a table that is bound."""
    problems = Problems()
    text = yaml.safe_dump(case.contract, sort_keys=False, allow_unicode=True)
    contract = parse_contract(text, "", TABLE, [TABLE, PARENT], problems)
    assert not len(problems), [str(each) for each in problems.sorted()]
    schema = session.describe(f'select * from "{TABLE}"')
    (found,) = measure_table(
        session, TABLE, contract, schema, context=Context(now=case.now)
    ).measurements
    return found
