"""The tables of a hub's database."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = 1
"""Version of the tables below; `segue.stores.hub_connect` brings older ones up to it."""

metadata = MetaData()

meta = Table(
    "segue_hub_meta",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

tokens = Table(
    "segue_hub_tokens",
    metadata,
    # SHA-256 of the secret, which is kept nowhere.
    Column("digest", String(64), primary_key=True),
    Column("node", String(120), nullable=False),
    Column("project", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("made_by", Text, nullable=False),
    # Key of the node that has used it.
    Column("key_id", String(64)),
)

operators = Table(
    "segue_hub_operators",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("made_at", Float, nullable=False),
)

nodes = Table(
    "segue_hub_nodes",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("project", Text, nullable=False),
    Column("key_id", String(64), nullable=False, unique=True),
    Column("public_key", String(64), nullable=False),
    Column("labels", Text, nullable=False),
    Column("enrolled_at", Float, nullable=False),
)

statuses = Table(
    "segue_hub_statuses",
    metadata,
    Column("node", String(120), primary_key=True),
    Column("seen_at", Float, nullable=False),
    Column("told", Text, nullable=False),
)

changes = Table(
    "segue_hub_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("node", String(120), nullable=False),
    Column("detail", Text, nullable=False),
    Index("segue_hub_changes_node", "node", "number"),
    sqlite_autoincrement=True,
)

events = Table(
    "segue_hub_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("node", String(120), nullable=False, index=True),
    Column("table", String(255), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
