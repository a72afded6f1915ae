"""How Spark is started or reached."""

from __future__ import annotations

import logging
import os
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from segue.engines.spark.failures import translated, without_warnings
from segue.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from segue.spec.step import PlaceSpec, Scalar

MEANING = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.session.timeZone": "UTC",
}
"""Settings on which it depends what a query means."""

_UTC = ("Etc/UTC", "Etc/UCT", "GMT", "Z", "+00:00")
"""Other names of the time zone in which segue computes."""

_SPEED = {
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
}
"""Settings of a session that change nothing else."""

_LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.maxResultSize": "0",
    "spark.driver.memory": "2g",
}
"""Settings of a Spark that is started in this process, on this machine."""


_QUIET = {
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Settings without which Spark writes to the terminal and listens on a port."""


_PORT = 15002
"""Port of a Spark Connect server, unless its address tells."""

_PATIENCE = 10.0
"""Seconds to wait for an answer of a server."""

_RETRIES = 5
"""How often PySpark asks again, in some seconds, when a server does not answer any more."""

_LOUD = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""PySpark's loggers of errors, which it raises as well."""


def load_quietly() -> None:
    """Import PySpark, and let it raise errors without printing them as well."""
    with without_warnings():
        import pyspark.sql.functions
        import pyspark.sql.pandas.functions  # noqa: F401  # what imports this later is silent
    for name in _LOUD:
        logging.getLogger(name).disabled = True


def is_connect(address: str) -> bool:
    """Return whether an address is one of Spark Connect."""
    return address.startswith("sc://")


def open_connect(place: PlaceSpec) -> Any:
    """Return a new session of a Spark Connect server.

    Raises:
        EngineError: It can't be reached, or refuses a setting.
    """
    _refuse_silence(place.address)
    load_quietly()
    with translated(f"reaching {place.address}"):
        from pyspark.sql.connect.client.retries import DefaultPolicy
        from pyspark.sql.connect.session import SparkSession

        session = SparkSession.builder.remote(place.address).create()
        session.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
        set_meaning(session, place.options)
    return session


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of a Spark Connect server.

    Example:
        >>> split_address("sc://[::1]:1502/;token=x"), split_address("sc://spark.example")
        (('::1', 1502), ('spark.example', 15002))
    """
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or _PORT


def _refuse_silence(address: str) -> None:
    """Raise an `EngineError` where nobody listens: PySpark would try for ten minutes."""
    try:
        with socket.create_connection(split_address(address), _PATIENCE):
            pass
    except (OSError, ValueError) as error:
        raise EngineError(
            f"reaching {address.partition(';')[0]} failed: {getattr(error, 'strerror', error)}",
            hint="is the server up, and the address right? sc://host:port",
        ) from None


def set_meaning(session: Any, options: Mapping[str, Scalar] | None = None) -> None:
    """Give a session of our own the settings that decide what a query means.

    Args:
        session: A session that nobody else uses.
        options: Further settings; those of Spark itself are left out, for they are read once.
    """
    texts = _write_options(options or {})
    asked = {key: text for key, text in texts.items() if key.startswith("spark.sql.")}
    for key, text in (_SPEED | asked | MEANING).items():
        session.conf.set(key, text)


def find_odd(session: Any) -> dict[str, str]:
    """Return the settings of a user's session that give some queries another meaning."""
    with translated("reading the session's settings"):
        found = {key: str(session.conf.get(key)) for key in MEANING}
    return {
        key: text
        for key, text in found.items()
        if text.lower() != MEANING[key].lower() and text not in _UTC
    }


def start_classic(place: PlaceSpec, scratch: Path) -> tuple[Any, bool]:
    """Return a classic session, and whether Spark was started for it.

    What this process has started already is used again.

    Raises:
        EngineError: It can't be started.
    """
    load_quietly()
    from pyspark.core.context import SparkContext
    from pyspark.sql.session import SparkSession

    running = SparkContext._active_spark_context  # noqa: SLF001  # the public way would start one
    with translated("starting Spark"):
        context = running or _start_context(place, scratch)
        session = SparkSession(context).newSession()
        set_meaning(session, place.options)
    return session, running is None


def _start_context(place: PlaceSpec, scratch: Path) -> Any:
    from pyspark.conf import SparkConf
    from pyspark.core.context import SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    launch: Any = launch_gateway  # it has no types
    conf = SparkConf().setAll(sorted(_configure(place, scratch).items()))
    local = conf.get("spark.master", "").startswith("local")
    scratch.mkdir(parents=True, exist_ok=True)
    log = scratch / "spark.log"
    # a running Java is used again; what it says otherwise goes to the terminal
    if SparkContext._gateway is None:  # noqa: SLF001  # the argument exists for this
        with log.open("ab") as file:
            try:
                gateway = launch(conf, {"stdout": file, "stderr": file})
            except PySparkRuntimeError:
                raise _explain_java(log.read_text(errors="replace")) from None
    else:
        gateway = None
    with _workers_run(sys.executable if local else None):
        return SparkContext(conf=conf, gateway=gateway)


def _configure(place: PlaceSpec, scratch: Path) -> dict[str, str]:
    threads = place.threads or os.cpu_count() or 1
    master = place.address or f"local[{place.threads or '*'}]"
    told = {"spark.master": master, "spark.app.name": f"segue {place.name}"}
    if place.memory is not None:
        told["spark.driver.memory"] = f"{max(place.memory >> 20, 512)}m"
    if master.startswith("local"):
        # pieces that turn out small are put together again while a query runs
        told["spark.sql.shuffle.partitions"] = str(max(4 * threads, 8))
        told["spark.local.dir"] = str(scratch)
        told = _LOCAL | told
    return _QUIET | _SPEED | told | _write_options(place.options) | MEANING


def _write_options(options: Mapping[str, Scalar]) -> dict[str, str]:
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in options.items()
        if value is not None
    }


@contextmanager
def _workers_run(python: str | None) -> Iterator[None]:
    """Let workers of a Spark that starts now run a Python; without one, what Spark chooses."""
    before = os.environ.get("PYSPARK_PYTHON")
    if python is not None:
        os.environ["PYSPARK_PYTHON"] = python
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYSPARK_PYTHON", None)
        else:
            os.environ["PYSPARK_PYTHON"] = before


def _explain_java(log: str) -> EngineError:
    lines = [line for line in log.splitlines() if line.strip()]
    said = f": {lines[-1].strip()}" if lines else ""
    return EngineError(
        f"Spark's Java did not start{said}",
        hint="Spark needs Java 17 or newer: install it, or set JAVA_HOME",
    )
