"""Formats opened for a schema, for tests."""

from segue.agent.formats import open_format
from segue.spec.edge import EdgeSource
from segue.spec.types import parse_schema


def open_for(name, schema, **options):
    return open_format(EdgeSource("t", "tail", {}, name, options, parse_schema(schema)))


def parse(name, schema, data, **options):
    """Return rows, and rejects as pairs of line and reason."""
    parsed = open_for(name, schema, **options).parse(data)
    rejects = parsed.rejects.to_pylist()
    return parsed.table.to_pylist(), [(each["line"], each["reason"]) for each in rejects]
