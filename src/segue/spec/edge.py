"""The part of a project that runs at nodes: a value that travels as JSON.

The plan cuts it out of a project, a bundle carries it, an agent runs it. It says everything
that a node has to know, so that a node needs neither the project's settings nor a SQL parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.step import FunctionSpec, Scalar
    from segue.spec.types import TableSchema

PROJECT = "project"
"""Folder of a bundle with the project's own files."""
MESSAGE_COLUMN = re.compile(r"\{(\w+)\}")
"""A column in the message of an alert: the value of the row that made it true stands there."""
NODE_COLUMN = "_node"
"""Column of every batch at a node: the node's name. Steps can use it."""

PROVENANCE = {
    NODE_COLUMN: "string",
    "_epoch": "string",
    "_sequence": "int64",
    "_deployment": "int64",
    "_schema": "string",
    "_clock": "string",
    "_labels": "map<string, string>",
}
"""Columns that stand at the end of every arriving table, and their types."""

REJECTS_SUFFIX = "__rejects"
REJECTS_SCHEMA = "row: string, reasons: list<string>, step: string"
"""Columns of every stream of rejects, without provenance.

`row` is the row as a JSON object, or the raw line where it could not be read; `reasons` are all
that it was set aside for; `step` is the table, a source's or a step's, at which it was.
"""
GAPS_SUFFIX = "__gaps"
"""``<table>__gaps`` of the lake has a row for every loss that a node declared."""
GAPS_SCHEMA = (
    "_node: string, _epoch: string, first_sequence: int64, last_sequence: int64, rows: int64, "
    "reason: string, _deployment: int64"
)
"""Columns of every such table."""


class WhenFull(StrEnum):
    """What a spool does when it has reached its cap."""

    BLOCK = "block"
    """Read no further until there is room; sources that can't wait lose rows, which are counted."""
    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"


class WindowKind(StrEnum):
    """How rows are brought together by their event time."""

    TUMBLING = "tumbling"
    SLIDING = "sliding"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Windows of event time; a step sees the columns ``window_start`` and ``window_end``.

    Attributes:
        kind: Tumbling, sliding or session.
        column: Column of the event time, a timestamp.
        size: Microseconds of a window; of a session, the silence that ends it.
        every: Microseconds between the starts of sliding windows; equals `size` else.
        late: Microseconds that rows may come behind the newest event time and still count.
        by: Columns that sessions are apart by.
    """

    kind: WindowKind
    column: str
    size: int
    every: int
    late: int = 0
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeSource:
    """A source that is read at each node.

    Attributes:
        name: Name of its table.
        kind: Name of the kind, such as ``tail``; see `segue.protocols.edge`.
        options: What the kind understands; secrets still stand in it as ``${NAME}``, and
            are taken from the node's environment.
        format: How text becomes columns: json, logfmt, csv, pairs, pattern, text; empty for
            kinds that give typed rows.
        format_options: What the format understands (``pattern``, ``delimiter``, ...).
        schema: Columns and their types.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    format: str
    format_options: Mapping[str, Any]
    schema: TableSchema


@dataclass(frozen=True, slots=True)
class EdgeStep:
    """A step that runs at each node.

    Attributes:
        name: Name of the step and of its table.
        stream: The table of the fleet whose micro-batches it sees.
        references: Reference tables that it reads besides.
        fingerprint: Digest of its code.
        reads: All tables that it reads, in the order of its parameters or SQL.
        sql: The SELECT, views inlined, for a SQL step.
        function: The function, for a Python step.
        window: Windows in which it sees its rows; None for each micro-batch as it comes.
        by: Columns whose groups are passed one by one.
        sort: Columns that order rows, ``-name`` for descending.
        parameters: Values of its settings.
        schema: Columns of its result.
        model: File of an ONNX model in the bundle, for a step that infers on its stream, or on
            what its SQL or function gives.
        how: Which keys of several tables have a call: inner, left, right, full.
    """

    name: str
    stream: str
    references: tuple[str, ...]
    fingerprint: str
    reads: tuple[str, ...]
    sql: str | None
    function: FunctionSpec | None
    window: WindowSpec | None
    by: tuple[str, ...]
    sort: tuple[str, ...]
    parameters: Mapping[str, Scalar]
    schema: TableSchema
    model: str | None = None
    how: str = "inner"


@dataclass(frozen=True, slots=True)
class EdgeCheck:
    """A row-level check, compiled.

    Attributes:
        table: Table whose rows it judges.
        name: Name of the check, as reports show it; it is the reason of a reject.
        breaks: SQL predicate (DuckDB's dialect) that is true of rows that break it.
        sets_aside: Whether such rows become rejects; else they are counted and sent.
    """

    table: str
    name: str
    breaks: str
    sets_aside: bool


@dataclass(frozen=True, slots=True)
class SentTable:
    """A table that leaves the node: a stream.

    Attributes:
        table: Name of the table; its rejects are the stream ``<table>__rejects``.
        schema: Columns, without provenance.
        schema_id: First 16 hex digits of the SHA-256 of the schema's text.
        destinations: Names of the further destinations that get it, besides the lake.
        lake: Whether the hub gets it.
    """

    table: str
    schema: TableSchema
    schema_id: str
    destinations: tuple[str, ...] = ()
    lake: bool = True


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """A table that is pushed to nodes with the bundle.

    Attributes:
        table: Its name.
        file: Arrow IPC file in the bundle.
        schema: Its columns.
        digest: SHA-256 of the file, hex: its version.
    """

    table: str
    file: str
    schema: TableSchema
    digest: str


@dataclass(frozen=True, slots=True)
class DestinationSpec:
    """Where batches go besides the lake.

    Attributes:
        name: Its name in ``[destinations.<name>]``.
        kind: s3, kafka, mqtt, postgres, http.
        options: What the kind understands; secrets still stand in it as ``${NAME}``.
    """

    name: str
    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamAlert:
    """A condition over a stream, and who is told.

    Attributes:
        name: Its name in ``[stream_alerts.<name>]``.
        table: Table of the fleet that is watched.
        condition: SQL predicate of a row (DuckDB's dialect).
        at_least: How many matter.
        distinct: Column whose distinct values are counted; empty to count rows.
        within: Microseconds of event time, back from the newest.
        column: Column of the event time; empty for the time of arrival (monotonic).
        send: Channels: Apprise URLs, ``sqs://``, ``mqtt://``, ``pagerduty://``, ``http(s)://``.
        message: Text; ``{column}`` stands for the newest row's value.
        quiet: Microseconds without the condition after which the episode is over.
    """

    name: str
    table: str
    condition: str
    at_least: int
    distinct: str
    within: int
    column: str
    send: tuple[str, ...]
    message: str
    quiet: int


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Limits of a node's spool.

    Attributes:
        cap: Bytes that it may take on disk.
        when_full: What it does then.
        keep: Bytes of acknowledged batches that it keeps, to refill a hub that was restored.
        batch_rows: Most rows of a micro-batch.
        batch_bytes: Most bytes of raw data that become one micro-batch.
        linger: Seconds that rows wait for more before they become a micro-batch.
    """

    cap: int
    when_full: WhenFull
    keep: int = 64 * 2**20
    batch_rows: int = 50_000
    batch_bytes: int = 8 * 2**20
    linger: float = 0.2


@dataclass(frozen=True, slots=True)
class EdgePart:
    """All that runs at the nodes of one fleet.

    Attributes:
        project: Name of the project.
        fleet: Name of the place.
        sources: What is read.
        steps: Steps, each after what it reads.
        sent: Tables that leave the node.
        checks: Row-level checks of its tables.
        references: Tables pushed with it.
        destinations: Where batches go besides the lake.
        alerts: Conditions over streams.
        spool: Limits of the spool.
        memory: Bytes that a worker may use; None for no limit.
        cpu: Share of a core that a worker may use, such as 0.5; None for no limit.
        needs_sql: Whether DuckDB is needed at the node.
        secrets: Names of environment variables that it mentions as ``${NAME}``.
        private: Its tables with sensitive columns, and those made of such: what nodes tell of
            errors there quotes no value.
    """

    project: str
    fleet: str
    sources: tuple[EdgeSource, ...]
    steps: tuple[EdgeStep, ...]
    sent: tuple[SentTable, ...]
    spool: SpoolSettings
    checks: tuple[EdgeCheck, ...] = ()
    references: tuple[ReferenceTable, ...] = ()
    destinations: tuple[DestinationSpec, ...] = ()
    alerts: tuple[StreamAlert, ...] = ()
    memory: int | None = None
    cpu: float | None = None
    needs_sql: bool = False
    secrets: tuple[str, ...] = field(default_factory=tuple)
    private: tuple[str, ...] = ()
