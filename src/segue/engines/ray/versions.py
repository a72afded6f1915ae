"""Whether workers can do what this process asks: the same Python, segue and Arrow."""

from __future__ import annotations

from typing import Any

from segue.errors import EngineError, VersionClashError

_PATIENCE = 60.0
"""Seconds in which each machine has to answer."""

_ASKED = ("segue", "pyarrow", "duckdb", "cloudpickle")
_MAJOR = ("pyarrow", "cloudpickle")
"""Libraries of which releases with the same first number understand each other. DuckDB is none:
workers must agree on its hashes, which part rows."""


def tell_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of packages; it runs where segue may not be."""
    from importlib import metadata as found
    from platform import python_version

    versions = {"Python": python_version()}
    for name in names:
        try:
            versions[name] = found.version(name)
        except found.PackageNotFoundError:
            versions[name] = ""
    return versions


def list_nodes() -> list[dict[str, Any]]:
    """Return what Ray tells of the machines that live."""
    import ray

    untyped: Any = ray.nodes
    return [node for node in untyped() if node["Alive"]]


def refuse_other_versions() -> None:
    """Ask one worker on each machine, before any work starts.

    Raises:
        EngineError: A machine does not answer.
        VersionClashError: Versions differ.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(_without_module(tell_versions))
    own = tell_versions(_ASKED)
    hosts = {n["NodeID"]: n["NodeManagerAddress"] for n in list_nodes()}
    answers = [
        ask.options(
            num_cpus=0,
            max_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        ).remote(_ASKED)
        for node in hosts
    ]
    try:
        found = ray.get(answers, timeout=_PATIENCE)
    except (ray.exceptions.RayError, TimeoutError) as error:
        raise EngineError(
            f"a worker of Ray can't start: {str(error).strip().splitlines()[0]}",
            hint="its log is in /tmp/ray/session_latest/logs on its machine",
        ) from None
    for host, versions in zip(hosts.values(), found, strict=True):
        compare_versions(own, versions, host)


def compare_versions(own: dict[str, str], other: dict[str, str], host: str) -> None:
    """Refuse a worker whose versions do not fit.

    Args:
        own: Versions of this process.
        other: Versions of the worker; empty for what is not installed.
        host: Where the worker is.

    Raises:
        VersionClashError: They do not.

    Example:
        >>> compare_versions({"pyarrow": "26.0.0"}, {"pyarrow": "26.1.0"}, "10.0.0.1")
        >>> compare_versions({"segue": "0.2"}, {"segue": "0.1"}, "10.0.0.1")
        Traceback (most recent call last):
        segue.errors.VersionClashError: Ray's worker on 10.0.0.1 has segue 0.1, this process 0.2
          hint: install the same versions on both, or run this process with the worker's
    """
    for name, version in own.items():
        theirs = other.get(name, "")
        if _significant(name, theirs) == _significant(name, version):
            continue
        shown = f"{name} {theirs}" if theirs else f"no {name}"
        raise VersionClashError(
            f"Ray's worker on {host} has {shown}, this process {version}",
            hint="install the same versions on both, or run this process with the worker's",
        )


def _significant(name: str, version: str) -> str:
    if name == "Python":
        return ".".join(version.split(".")[:2])
    return version.split(".", maxsplit=1)[0] if name in _MAJOR else version


def _without_module(function: Any) -> Any:
    """Return a function that travels by value, so that workers need not have its module."""
    from types import FunctionType

    free = FunctionType(function.__code__, {"__builtins__": __builtins__}, function.__name__)
    free.__module__ = "__main__"
    return free
