"""The tables of a SQL ledger, as of `segue.stores.ledger_state.SCHEMA_VERSION`.

What changes with every run is kept as *spans*: a file belongs to the versions ``first`` to
``last`` of its table, and a version to the snapshots ``first`` to ``last`` of an environment
(``last`` is null while that goes on). A run so writes what it changed and not what it left.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

meta = Table(
    "segue_meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

runs = Table(
    "segue_runs",
    metadata,
    # The order of runs, and their fencing token.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False, unique=True),
    Column("project", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("tables", Text, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("status", String(16), nullable=False),
    Column("seconds", Float),
    Column("snapshot", Integer),
    Column("error", Text, nullable=False, default=""),
    Column("user", Text, nullable=False),
    Column("host", Text, nullable=False),
    Index("segue_runs_status", "status"),
    sqlite_autoincrement=True,
)

leases = Table(
    "segue_leases",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("token", Integer, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("seconds", Float, nullable=False),
    Column("owner", Text, nullable=False),
    Column("beats", Integer, nullable=False),
    # Monotonic clock of the owner's boot at the last beat.
    Column("beat_at", Float, nullable=False),
    # What an observer of another boot saw last, and when by its own monotonic clock.
    Column("watch_boot", Text),
    Column("watch_beats", Integer),
    Column("watch_at", Float),
)

steps = Table(
    "segue_steps",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("step", String(255), primary_key=True),
    Column("run_number", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("started_at", String(40), nullable=False),
    Column("failure", Text),
    # The staged result, until it or a later one is published.
    Column("memory", Text),
    Column("reusable", Integer, nullable=False, index=True),
)

intents = Table(
    "segue_intents",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("run_number", Integer, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    # All that is needed to finish it; emptied when it is.
    Column("payload", Text, nullable=False),
    Column("snapshot", Integer),
    Column("reason", Text, nullable=False, default=""),
)

intent_tables = Table(
    "segue_intent_tables",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("number", Integer, nullable=False),
)

tables = Table(
    "segue_tables",
    metadata,
    Column("name", String(255), primary_key=True),
    # The last number given, also to what was withdrawn: a number is never given twice.
    Column("last_number", Integer, nullable=False),
    # Where the Delta log must stand; null before the first commit.
    Column("head", BigInteger),
)

versions = Table(
    "segue_versions",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("delta_version", BigInteger, nullable=False),
    Column("schema", Text, nullable=False),
    Column("content_hash", String(40), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("fingerprint", String(80), nullable=False),
    Column("published_at", String(40), nullable=False),
)

files = Table(
    "segue_files",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("path", String(700), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("digest", String(40), nullable=False),
    Column("stats", Text, nullable=False),
    Index("segue_files_last", "last", "name"),
)

snapshots = Table(
    "segue_snapshots",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("environment", String(120), nullable=False, index=True),
    Column("run_id", String(64), nullable=False),
    Column("created_at", String(40), nullable=False),
    sqlite_autoincrement=True,
)

snapshot_tables = Table(
    "segue_snapshot_tables",
    metadata,
    Column("environment", String(120), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer),
    Column("number", Integer, nullable=False),
    Index("segue_snapshot_tables_last", "environment", "last"),
)

pointers = Table(
    "segue_pointers",
    metadata,
    Column("environment", String(120), primary_key=True),
    Column("snapshot", Integer, nullable=False),
)

memories = Table(
    "segue_memories",
    metadata,
    Column("environment", String(120), primary_key=True),
    Column("step", String(255), primary_key=True),
    Column("run_number", Integer, nullable=False),
    Column("memory", Text, nullable=False),
)

measurements = Table(
    "segue_measurements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False, index=True),
    Column("name", String(255), nullable=False, index=True),
    Column("measured_at", String(40), nullable=False),
    # Number of the version that was measured; null while it is not published.
    Column("number", Integer),
    Column("measurement", Text, nullable=False),
    # What a history is drawn from, so that none of the texts has to be read for it.
    Column("environment", String(120)),
    Column("check_name", Text),
    # Digest of environment, table and check: names are too long for an index.
    Column("series", String(32)),
    Column("verdict", String(8)),
    Column("rows", BigInteger),
    Column("failing", BigInteger),
    Column("value", Float),
    Column("seconds", Float),
    # Fingerprint of the step that made the table; empty for sources.
    Column("code", String(80)),
    # Segments of a check that is held against its history by segments.
    Column("segments", Text),
    Index("segue_measurements_series", "series", "id"),
)

alerts = Table(
    "segue_alerts",
    metadata,
    # Digest of environment, table, check and channel.
    Column("id", String(32), primary_key=True),
    Column("environment", String(120), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("check_name", Text, nullable=False),
    Column("channel", String(255), nullable=False),
    Column("since", String(40), nullable=False),
    Column("verdict", String(8), nullable=False),
    # When the channel took the message; null until it does.
    Column("told_at", String(40)),
    # When the check was well again, until the channel has taken that as well.
    Column("well_at", String(40)),
)
