"""The tables and keys of ``segue.toml``, with their types, defaults and help.

This is the one place that says what can be set; the reference page of the
documentation is generated from it. Sizes are numbers of bytes or texts such as
``"2GB"``; durations are seconds or texts such as ``"90s"``, ``"5m"``, ``"2h"``, ``"1d"``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SECRET = re.compile(r"\$\{(\w+)\}")


def parse_size(value: int | str) -> int:
    """Return a number of bytes.

    Args:
        value: A number, or a text with a unit: KB, MB, GB, TB (powers of 1000) or KiB, MiB,
            GiB, TiB (powers of 1024).

    Raises:
        ValueError: It is not a size.

    Example:
        >>> parse_size("1.5GB")
        1500000000
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(value))
    if match is None or match[2].upper() not in _UNITS:
        raise ValueError(f"{value!r} is not a size: write it as 500MB or 2GB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_duration(value: float | str) -> float:
    """Return a number of seconds.

    Args:
        value: A number of seconds, or a text with a unit: ms, s, m, h, d.

    Raises:
        ValueError: It is not a duration.

    Example:
        >>> parse_duration("1.5m")
        90.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", str(value))
    if match is None:
        raise ValueError(f"{value!r} is not a duration: write it as 90s, 5m or 2h")
    return float(match[1]) * _SECONDS[match[2]]


def expand_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with each ``${NAME}`` replaced from the environment.

    Raises:
        KeyError: A name is not set.

    Example:
        >>> expand_secrets("${USER_}@db", {"USER_": "reader"})
        'reader@db'
    """
    return _SECRET.sub(lambda match: environ[match[1]], text)


def find_secrets(text: str) -> tuple[str, ...]:
    """Return the names that stand in `text` as ``${NAME}``."""
    return tuple(_SECRET.findall(text))


def redact(text: str, names: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return `text` without the values of the secrets called `names`.

    Example:
        >>> redact("login hunter2 failed", ["PASSWORD"], {"PASSWORD": "hunter2"})
        'login ${PASSWORD} failed'
    """
    for name in names:
        if value := environ.get(name):
            text = text.replace(value, f"${{{name}}}")
    return text


def redact_all(value: Any, names: Iterable[str], environ: Mapping[str, str]) -> Any:
    """Return plain values, such as a JSON document, without the values of secrets in any text.

    Example:
        >>> redact_all({"x": ["at hunter2"]}, ["PASSWORD"], {"PASSWORD": "hunter2"})
        {'x': ['at ${PASSWORD}']}
    """
    if isinstance(value, str):
        return redact(value, names, environ)
    if isinstance(value, dict):
        return {
            redact_all(name, names, environ): redact_all(part, names, environ)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_all(part, names, environ) for part in value]
    return value


Size = Annotated[int, BeforeValidator(parse_size)]
Duration = Annotated[float, BeforeValidator(parse_duration)]


class Table(BaseModel):
    """A table of ``segue.toml``: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProjectSettings(Table):
    """``[project]``."""

    name: str = Field(description="Name of the project, as records and pages show it.")
    workers: int | None = Field(
        None,
        ge=1,
        description="Most steps that run side by side; one per core, 4 at most, if not stated.",
    )


class LakeSettings(Table):
    """``[lake]``."""

    path: str = Field("lake", description="Folder of the published tables.")
    ledger: str = Field(
        "", description="URL of the ledger; SQLite inside the lake's folder if not stated."
    )
    lease: Duration = Field(
        15.0,
        gt=0,
        description="How long a run may be silent before others may take it for lost.",
    )
    wait: Duration = Field(
        10.0,
        ge=0,
        description="Longest wait for another program that keeps the ledger locked.",
    )


class PlaceSettings(Table):
    """``[places.<name>]``."""

    engine: str = Field(
        "duckdb",
        description="Engine: duckdb, spark, ray, dask, or one that a package adds; fleet for nodes"
        " that work where data is born.",
    )
    address: str = Field(
        "",
        description="Where the engine is reached: sc://…, ray://…, tcp://…; else it starts here."
        " Of a fleet, its hub: https://….",
    )
    threads: int | None = Field(None, ge=1, description="Most threads; all cores if not stated.")
    memory: Size | None = Field(
        None, description="Most memory; what does not fit goes to temporary files."
    )
    options: dict[str, bool | int | float | str] = Field(
        default_factory=dict,
        description="What the engine's own configuration takes, such as spark.executor.memory.",
    )


class FleetSettings(Table):
    """``[places.<name>.options]`` of a place with ``engine = "fleet"``."""

    spool: Size = Field(gt=0, description="Most bytes on a node's disk that wait to be sent.")
    when_full: Literal["block", "drop-oldest", "drop-newest"] = Field(
        description="What a node does at that limit: read no further, or drop the oldest or the"
        " newest rows; what is dropped is declared in `<table>__gaps`."
    )
    keep: Size = Field(
        64 * 2**20,
        ge=0,
        description="Bytes of sent rows that a node keeps, to refill a hub that was restored.",
    )
    memory: Size | None = Field(None, gt=0, description="Most memory of a node's worker.")
    cpu: float | None = Field(
        None, gt=0, description="Most of a core that a node's worker takes, such as 0.5."
    )
    batch_rows: int = Field(50_000, ge=1, description="Most rows of a micro-batch.")
    batch_bytes: Size = Field(
        8 * 2**20, gt=0, description="Most bytes of raw data of a micro-batch."
    )
    linger: Duration = Field(
        0.2, ge=0, le=60, description="How long rows wait for more to be a micro-batch with them."
    )


class ConnectionSettings(Table):
    """``[connections.<name>]``."""

    url: str = Field(
        description="Address of the database, such as `postgresql://reader:${PASSWORD}@host/db` or"
        " `sqlite:///shop.db`."
    )


class StepSettings(Table):
    """``[steps.<name>]``: each key replaces what the step's own code says."""

    on: str | None = Field(None, description="Place where the step runs.")
    retries: int | None = Field(None, ge=0, description="How often a failed attempt is repeated.")
    backoff: Duration | None = Field(
        None, ge=0, description="Wait before the first retry; doubles with each further one."
    )
    timeout: Duration | None = Field(None, gt=0, description="Longest time of one attempt.")
    memory: Size | None = Field(None, gt=0, description="Most memory of one attempt.")
    tags: tuple[str, ...] | None = Field(None, description="Words to select the step by.")


class ChannelSettings(Table):
    """``[alerts.channels.<name>]``."""

    url: str = Field(
        description="Where messages go, as Apprise writes it: mailtos://…, slack://…, json://…;"
        " {owner} stands for the owner of the tables."
    )
    owners: tuple[str, ...] = Field(
        (), description='Owners whose tables it takes; `*` fits anything: "*@example.com".'
    )
    tables: tuple[str, ...] = Field((), description='Tables that it takes, likewise: "pay_*".')
    verdicts: tuple[Literal["warn", "fail", "error"], ...] = Field(
        ("fail", "error"), min_length=1, description="Verdicts that it takes."
    )
    fallback: bool = Field(
        default=False, description="Whether it takes only what no other channel takes."
    )


class AlertSettings(Table):
    """``[alerts]``."""

    timeout: Duration = Field(
        10.0, gt=0, le=600, description="Longest wait for all channels of a run together."
    )
    channels: dict[str, ChannelSettings] = Field(
        default_factory=dict, description="Where alerts go."
    )


class StreamAlertSettings(Table):
    """``[stream_alerts.<name>]``."""

    table: str = Field(description="Table of a fleet whose rows are watched at each node.")
    condition: str = Field(description='SQL that is true of rows that matter: "value > 90".')
    at_least: int = Field(1, ge=1, description="How many rows, or distinct values, raise it.")
    distinct: str = Field("", description="Column whose distinct values are counted, not rows.")
    within: Duration = Field(
        60.0, gt=0, description="Span of time in which they are counted, back from the newest row."
    )
    column: str = Field(
        "", description="Column of the event time; the time of arrival if not stated."
    )
    send: tuple[str, ...] = Field(
        min_length=1,
        description="Who is told: Apprise's URLs, pagerduty://…, sqs://…, mqtt://…, https://….",
    )
    message: str = Field(
        "", description="Text of the message; `{column}` stands for the newest row's value."
    )
    quiet: Duration = Field(
        300.0, ge=0, description="How long nothing must matter for an episode to be over."
    )


class Settings(Table):
    """All of ``segue.toml``."""

    project: ProjectSettings
    lake: LakeSettings = Field(default_factory=LakeSettings)
    tables: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Source tables; the keys depend on the kind of source.",
    )
    connections: dict[str, ConnectionSettings] = Field(
        default_factory=dict,
        description="Databases: source tables and `segue check` read them by name.",
    )
    places: dict[str, PlaceSettings] = Field(
        default_factory=dict, description="Where steps can run; `local` is always there."
    )
    steps: dict[str, StepSettings] = Field(
        default_factory=dict, description="Settings of single steps."
    )
    alerts: AlertSettings = Field(
        default_factory=AlertSettings, description="Who is told when checks fail."
    )
    destinations: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Where tables of a fleet go besides the lake: `kind`, `tables`, and keys that"
        " depend on the kind.",
    )
    stream_alerts: dict[str, StreamAlertSettings] = Field(
        default_factory=dict, description="What nodes of a fleet raise an alarm about."
    )
    params: dict[str, dict[str, bool | int | float | str]] = Field(
        default_factory=dict,
        description="Values of step parameters: [params.<step>] with name = value.",
    )
