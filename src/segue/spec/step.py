"""What a user declared: steps, sources, parameters, and the project that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from segue.spec.alerts import AlertSpec
from segue.spec.fleet import Fleets
from segue.spec.sensitive import NONE, Sensitive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.errors import Location
    from segue.spec.contract import Contract
    from segue.spec.edge import EdgeSource, WindowSpec

LOCAL = "local"
"""Name of the place that is always there: DuckDB on this machine."""

Scalar = bool | int | float | str | None
"""A parameter's value: what TOML, YAML and a command line can all say."""


class Mode(StrEnum):
    """How a step's result becomes its table."""

    REPLACE = "replace"
    APPEND = "append"
    MERGE = "merge"
    VIEW = "view"
    EFFECT = "effect"
    """A function that returns None: it makes no table and is run for what it does."""


class FrameKind(StrEnum):
    """The frame that a function takes or returns, named by its class."""

    PANDAS = "pandas.DataFrame"
    POLARS = "polars.DataFrame"
    POLARS_LAZY = "polars.LazyFrame"
    ARROW = "pyarrow.Table"
    ARROW_BATCH = "pyarrow.RecordBatch"
    DUCKDB = "duckdb.DuckDBPyRelation"
    ROWS = "list[dict]"
    NARWHALS = "narwhals.DataFrame"
    NARWHALS_LAZY = "narwhals.LazyFrame"
    NATIVE = "narwhals.IntoFrame"
    """The frame that is there, without narwhals around it."""
    NOTHING = "None"


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """How a parameter or a result is annotated.

    Attributes:
        kind: Class of the frame.
        iterator: Whether the annotation is an ``Iterator`` (or ``Iterable``) of such frames.
        over: Which frame is inside, for narwhals' kinds; Arrow if not stated.
    """

    kind: FrameKind
    iterator: bool = False
    over: FrameKind | None = None

    def __str__(self) -> str:
        """Return the annotation as a user writes it."""
        return f"Iterator[{self.kind}]" if self.iterator else str(self.kind)


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """The Python function of a step.

    Attributes:
        path: File, relative to the project's folder.
        qualname: Name of the function in its module, or a factory's ``make.<locals>.inner``.
        inputs: Tables it reads and the frame in which it wants each, in parameter order.
        returns: The frame it returns.
        parameters: Names and defaults of its settings.
    """

    path: str
    qualname: str
    inputs: tuple[tuple[str, FrameSpec], ...]
    returns: FrameSpec
    parameters: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a step's code is, so that a change of it can be seen.

    Attributes:
        digest: Hex digest over all parts.
        parts: Readable name of each thing that counts and its digest, such as
            ``function orders``, ``helper clean``, ``constant RATE``, ``library numpy``,
            ``contract``: a changed digest tells what changed.
        opaque: Why the code can't be seen wholly; empty if it can. The digest then covers
            all of the project's Python files.
    """

    digest: str
    parts: tuple[tuple[str, str], ...] = ()
    opaque: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step may use; None where nothing is stated.

    Attributes:
        retries: How many times a failed attempt is repeated.
        backoff: Seconds before the first retry; doubled for each further one.
        timeout: Seconds of wall time that one attempt may take.
        memory: Bytes of resident memory that one attempt may use.
    """

    retries: int = 0
    backoff: float = 1.0
    timeout: float | None = None
    memory: int | None = None

    @property
    def isolated(self) -> bool:
        """Whether the step needs a process of its own."""
        return self.timeout is not None or self.memory is not None


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step, as declared.

    Attributes:
        name: Name of the step and of its table.
        location: Where it is declared.
        reads: Names of the tables it reads: parameter order, or order in the SQL.
        mode: How its result becomes its table.
        fingerprint: What its code is.
        sql: The SELECT, for a SQL step.
        function: The function, for a Python step.
        key: Key columns of a merge.
        by: Columns whose groups are passed to the function one by one.
        sort: Columns that order rows, ``-name`` for descending.
        how: How co-groups are joined: inner, left, right, full.
        schema: Declared output schema as an expression; None to infer it.
        tags: Words to select by.
        on: Name of the place.
        limits: Retries, timeout, memory.
        about: First paragraph of the docstring or comment.
        window: Windows in which it sees the rows of the first table that it reads.
        model: ONNX file that it infers with, relative to the project's folder.
    """

    name: str
    location: Location
    reads: tuple[str, ...]
    mode: Mode
    fingerprint: Fingerprint
    sql: str | None = None
    function: FunctionSpec | None = None
    key: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    how: str = "inner"
    schema: str | None = None
    tags: tuple[str, ...] = ()
    on: str = LOCAL
    limits: Limits = field(default_factory=Limits)
    about: str = ""
    window: WindowSpec | None = None
    model: str | None = None

    @property
    def stored(self) -> bool:
        """Whether the step's result is a table in the lake."""
        return self.mode not in (Mode.VIEW, Mode.EFFECT)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source table, as declared under ``[tables.<name>]``.

    Attributes:
        name: Name of the table.
        location: Where it is declared.
        kind: Name of the source kind, such as ``csv``; found from the path if not stated.
        options: What the source kind understands, ``path`` included; secrets still stand in
            it as ``${NAME}``.
        on: Name of the fleet whose nodes read it; ``local`` for one that is read here.
        edge: What a node has to know of it, if nodes read it.
    """

    name: str
    location: Location
    kind: str
    options: Mapping[str, Any]
    on: str = LOCAL
    edge: EdgeSource | None = None


@dataclass(frozen=True, slots=True)
class PlaceSpec:
    """Where steps run.

    Attributes:
        name: Name of the place; ``local`` is always there.
        engine: Name of the engine.
        address: Where the engine is reached; empty for this process.
        threads: Most threads to use; None for all cores.
        memory: Most bytes to use; None for the engine's own choice.
        options: What the engine's own configuration takes, as its documentation names it.
    """

    name: str
    engine: str = "duckdb"
    address: str = ""
    threads: int | None = None
    memory: int | None = None
    options: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectSpec:
    """All that a project's files declare.

    Attributes:
        name: Name of the project.
        root: Folder with ``segue.toml``.
        steps: Steps by name, in the order of the graph (a table before its readers).
        sources: Source tables by name.
        contracts: Contracts by table name.
        places: Places by name.
        parameters: Values that replace the defaults of settings, ``step.name`` to value.
        lake: Folder or URL of the lake, resolved against the root.
        ledger: URL of the ledger; empty for SQLite inside the lake.
        secrets: Names of the environment variables that its files mention as ``${NAME}``.
        lock: Digest of the project's lock file (``uv.lock``, ``requirements.txt``, ...), if any.
        workers: Most steps that run side by side.
        lease: Seconds that a run's heartbeat is good for.
        wait: Longest wait for the ledger's lock, in seconds.
        alerts: Who is told when checks fail.
        fleets: What is declared of fleets, beside their sources and steps.
        sensitive: Columns whose values must not be shown, of each table that has any, rejects
            included: what contracts mark, and what is made of it. Who shows values asks here.
    """

    name: str
    root: Path
    steps: Mapping[str, StepSpec]
    sources: Mapping[str, SourceSpec]
    contracts: Mapping[str, Contract]
    places: Mapping[str, PlaceSpec]
    parameters: Mapping[str, Scalar]
    lake: str
    ledger: str = ""
    secrets: tuple[str, ...] = ()
    lock: str = ""
    workers: int = 4
    lease: float = 15.0
    wait: float = 10.0
    alerts: AlertSpec = field(default_factory=AlertSpec)
    fleets: Fleets = field(default_factory=Fleets)
    sensitive: Mapping[str, Sensitive] = field(default_factory=dict)

    def hidden(self, table: str) -> Sensitive:
        """Return the sensitive columns of a table."""
        return self.sensitive.get(table, NONE)

    def parameters_of(self, step: StepSpec) -> dict[str, Scalar]:
        """Return the values of a step's settings: defaults, then what the project sets."""
        if step.function is None:
            return {}
        return {
            name: self.parameters.get(f"{step.name}.{name}", default)
            for name, default in step.function.parameters
        }
