"""Which Spark a place, a frame or a session means, and how workers reach this process."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.engines.spark.driver import Driver
from segue.engines.spark.failures import translated
from segue.engines.spark.start import (
    find_odd,
    is_connect,
    load_quietly,
    open_connect,
    set_meaning,
    split_address,
    start_classic,
)
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from pathlib import Path

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def open_driver(place: PlaceSpec, scratch: Path) -> Driver:
    """Start or reach the Spark of a place.

    Raises:
        EngineError: It can't be started or reached.
    """
    if is_connect(place.address):
        spark, owner = open_connect(place), True
        return _make(spark, scratch, connect=True, address=place.address, owner=owner)
    spark, owner = start_classic(place, scratch)
    return _make(spark, scratch, connect=False, address=spark.sparkContext.master, owner=owner)


def find_session(thing: Any) -> Any | None:
    """Return the Spark session that a thing is or belongs to; None if it is neither.

    It imports nothing: what is not loaded can't have made the thing.
    """
    for module in ("pyspark.sql.session", "pyspark.sql.connect.session"):
        if module in sys.modules and isinstance(thing, sys.modules[module].SparkSession):
            return thing
    frames = sys.modules.get("pyspark.sql.dataframe")
    if frames is not None and isinstance(thing, frames.DataFrame):
        return thing.sparkSession
    return None


def attach_driver(thing: Any, scratch: Path) -> Driver:
    """Return the Spark that a frame or session belongs to; closing leaves it running."""
    origin = find_session(thing)
    if origin is None:
        raise TypeError(f"{type(thing).__name__} is no session or frame of Spark")
    load_quietly()
    connect = not hasattr(origin, "_jsparkSession")
    if connect:
        client = origin.client
        address = f"sc://{client.host}"
        driver = _make(origin, scratch, connect=True, address=address, origin=origin)
        driver.odd = find_odd(origin)
        return driver
    spark = origin.newSession()
    set_meaning(spark)
    return _make(spark, scratch, connect=False, address=spark.sparkContext.master, origin=origin)


def _make(
    spark: Any,
    scratch: Path,
    *,
    connect: bool,
    address: str,
    owner: bool = False,
    origin: Any = None,
) -> Driver:
    nearby = split_address(address)[0] in _LOOPBACK if connect else address.startswith("local")
    local = registry.load_local_engine().open(PlaceSpec("local"), scratch)
    driver = Driver(spark, scratch, local, connect, nearby, address, owner=owner, origin=origin)
    driver.lax = connect and overflows(spark)
    return driver


def overflows(spark: Any) -> bool:
    """Return whether a sum that is too large is no error, as on servers that are not Spark."""
    from pyspark.errors import PySparkException

    with translated("reaching the server"):
        try:
            spark.sql("select 2147483647 + 1").collect()
        except PySparkException as error:
            if "OVERFLOW" in str(error):
                return False
            raise
        return True


def reach_back(driver: Driver) -> str:
    """Return the address by which workers reach this process."""
    if driver.nearby:
        return "127.0.0.1"
    if not driver.connect:
        return str(driver.spark.conf.get("spark.driver.host"))
    # a datagram socket that is connected sends nothing, and knows its own address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(split_address(driver.address))
        return str(probe.getsockname()[0])


def move_frame(frame: Any, session: Any) -> Any:
    """Return a frame as one of another session of the same Spark."""
    if frame.sparkSession is session:
        return frame
    if hasattr(session, "_jsparkSession"):
        from pyspark.sql.classic.dataframe import DataFrame

        dataset = session._jvm.org.apache.spark.sql.classic.Dataset  # noqa: SLF001  # no public way
        plan = frame._jdf.logicalPlan()  # noqa: SLF001  # as above
        return DataFrame(dataset.ofRows(session._jsparkSession, plan), session)  # noqa: SLF001
    from pyspark.sql.connect.dataframe import DataFrame as ConnectFrame

    return ConnectFrame(frame._plan, session)  # noqa: SLF001  # no public way
