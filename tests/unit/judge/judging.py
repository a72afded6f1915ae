"""What tests of checks share: an engine that notes its queries, checks and contracts."""

from pathlib import Path

from segue.errors import Location
from segue.registry import load_check, load_engine
from segue.spec.contract import Check, Contract, Tolerance
from segue.spec.sensitive import mark_columns
from segue.spec.step import PlaceSpec

AT_THE_FIRST = Tolerance()
HERE = Location("contracts.yml", 1)


class NotingSession:
    """The local engine, noting what it fetches, so that tests can say what a contract costs."""

    def __init__(self, scratch: Path):
        self.queries = []
        self._session = load_engine("duckdb").open(PlaceSpec("local", threads=2), scratch)

    def __getattr__(self, name):
        return getattr(self._session, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()

    def fetch(self, query):
        self.queries.append(query)
        return self._session.fetch(query)

    def fetch_row(self, query):
        row = self._session.fetch_row(query)
        self.queries += [query] if row else []
        return row


def fetch_rows(session, query):
    """Return the rows of a SELECT as tuples."""
    return [tuple(row.values()) for row in session.fetch(query).to_pylist()]


def make_check(kind, value, columns=(), *, fail=AT_THE_FIRST, warn=None, name="", load=load_check):
    arguments = load(kind).read(value)
    columns = tuple(columns or arguments.get("columns", ()))
    name = name or " ".join((*columns, kind))
    return Check(name, kind, columns, arguments, fail, warn, HERE)


def make_contract(*checks, table="orders", sensitive=(), **rest):
    hidden = mark_columns(table, sensitive)
    return Contract(table, HERE, tuple(checks), sensitive=hidden, **rest)
