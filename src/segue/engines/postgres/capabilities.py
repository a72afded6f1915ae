"""What PostgreSQL can do."""

from __future__ import annotations

from segue.protocols import Capabilities

CAPABILITIES = Capabilities(
    dialect="postgres",
    scans=frozenset(),
    functions=False,
    distributed=False,
    extra="postgres",
    requires=("psycopg",),
    schemes=("postgresql://", "postgres://", "postgresql+psycopg://", "postgresql+psycopg2://"),
    start_seconds=0.1,
    gaps={"*": "never: a database that segue only reads runs no functions and keeps no results"},
)
