"""Whether workers run what this process runs: functions can't travel otherwise."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from segue.engines.spark.failures import translated
from segue.errors import EngineError, VersionClashError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from segue.engines.spark.driver import Driver

_PACKAGES = ("segue", "pyarrow", "cloudpickle", "duckdb")


def read_versions() -> dict[str, str]:
    """Return the versions of this process that those of workers are compared with."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def prove_workers(driver: Driver) -> None:
    """Make sure, once, that workers run what this process runs.

    Raises:
        VersionClashError: They don't.
        EngineError: No worker answers.
    """
    if not driver.proven:
        refuse_clash(driver.spark)
        driver.proven = True


def refuse_clash(spark: Any) -> None:
    """Ask one worker for its versions.

    Raises:
        VersionClashError: They are not those of this process.
        EngineError: No worker answers.
    """
    with translated("asking workers for their versions"):
        frame = spark.range(1, numPartitions=1).mapInArrow(make_probe(), "versions string")
        rows = frame.collect()
    if not rows:
        raise EngineError("no worker of Spark told its versions")
    compare_versions(read_versions(), json.loads(rows[0][0]))


def compare_versions(here: dict[str, str], there: dict[str, str]) -> None:
    """Compare versions: Python to its minor one, libraries to their major one, segue wholly.

    Raises:
        VersionClashError: They differ so that functions can't travel.

    Example:
        >>> compare_versions({"pyarrow": "26.0.0"}, {"pyarrow": "26.1.0"})
        >>> compare_versions({"segue": "1.0"}, {"segue": ""})
        Traceback (most recent call last):
        segue.errors.VersionClashError: Spark's workers have no segue, this process has 1.0
          hint: install the same versions on workers as here
    """
    for name, mine in here.items():
        theirs = there.get(name, "")
        strict = name in ("Python", "segue")
        same = theirs == mine if strict else theirs.split(".")[0] == mine.split(".")[0]
        if not same:
            found = f"run {name} {theirs}" if theirs else f"have no {name}"
            raise VersionClashError(
                f"Spark's workers {found}, this process has {mine}",
                hint="install the same versions on workers as here",
            )


def make_probe() -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function that travels by value, so that workers without segue run it too."""
    packages = _PACKAGES

    def probe(batches: Any) -> Any:
        import json
        import platform
        from importlib.metadata import PackageNotFoundError, version

        import pyarrow as pa

        found = {"Python": ".".join(platform.python_version_tuple()[:2])}
        for name in packages:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = ""
        for _ in batches:
            yield pa.record_batch([pa.array([json.dumps(found)])], ["versions"])

    return probe
