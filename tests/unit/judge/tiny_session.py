"""A small engine and lake for tests of checks: DuckDB in memory, files in a folder."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from segue.errors import Location, SqlError
from segue.registry import load_check
from segue.spec.contract import Check, Contract, Tolerance
from segue.spec.output import DataFile
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier
from segue.spec.types import Column, TableSchema, parse_type

AT_THE_FIRST = Tolerance()
HERE = Location("contracts.yml", 1)


class TinySession:
    """Counts its queries, so that tests can say how many a contract costs."""

    def __init__(self):
        self.con = duckdb.connect()
        self.queries = []

    def bind(self, name, data):
        quoted = quote_identifier(name)
        if isinstance(data, Scan):
            data = f"select * from read_parquet({list(data.paths)!r})"
        if isinstance(data, str):
            self.con.execute(f"create or replace view {quoted} as {data}")
        else:
            self.con.register("given", data)
            self.con.execute(f"create or replace table {quoted} as select * from given")

    def unbind(self, name):
        self.con.execute(f"drop view if exists {quote_identifier(name)}")

    def describe(self, query):
        try:
            described = self.con.execute(f"describe {query}").fetchall()
        except duckdb.Error as error:
            raise SqlError(str(error)) from error
        return TableSchema(tuple(Column(row[0], _read_type(row[1])) for row in described))

    def fetch(self, query):
        self.queries.append(query)
        try:
            return self.con.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise SqlError(str(error)) from error

    def write(self, query, folder, stem, schema, storage, progress=None):
        path = Path(folder) / f"{stem}-0.parquet"
        assert not path.exists()
        table = self.fetch(query).select(list(schema.names))
        pq.write_table(table, path)
        return (DataFile(path.name, table.num_rows, path.stat().st_size),)


class TinyLake:
    def __init__(self, root):
        self.root = root

    def folder(self, table):
        folder = self.root / table
        folder.mkdir(exist_ok=True)
        return folder

    def storage_type(self, type_):
        return type_

    def scan(self, schema, table, files):
        paths = tuple(str(self.folder(table) / file.path) for file in files)
        return Scan("parquet", paths, schema=schema)


def _read_type(text):
    if text.startswith("ENUM"):
        return parse_type("categorical<string>")
    if text.endswith("[]"):
        return parse_type(f"list<{_read_type(text[:-2])}>")
    return parse_type(
        {
            "INTEGER": "int32",
            "TIMESTAMP WITH TIME ZONE": "timestamp(us, UTC)",
            "FLOAT": "float32",
            "UBIGINT": "uint64",
            "HUGEINT": "decimal(38,0)",
            "INTERVAL": "duration(us)",
            "TIMESTAMP_NS": "timestamp(ns)",
        }.get(text, text.lower())
    )


def make_check(kind, value, columns=(), *, fail=AT_THE_FIRST, warn=None, name="", load=load_check):
    arguments = load(kind).read(value)
    columns = tuple(columns or arguments.get("columns", ()))
    name = name or " ".join((*columns, kind))
    return Check(name, kind, columns, arguments, fail, warn, HERE)


def make_contract(*checks, table="orders", **rest):
    return Contract(table, HERE, tuple(checks), **rest)
