"""Python packages that a deployment has locked: are they here, and if not, are they with it?

Imported only by the process that fills a slot.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segue.agent.slots import SITE
from segue.errors import DeploymentError
from segue.wire.bundle import LOCK, WHEELS

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(\S+)", re.ASCII)
_SECONDS = 600
_TOLD = 600
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Locked:
    """A package that a lock file names.

    Attributes:
        name: Its name, in the form in which names are compared.
        version: Its version.
        line: The requirement, on one line.
    """

    name: str
    version: str
    line: str


def read_lock(text: str) -> list[Locked]:
    """Return the packages of a lock file that this machine needs.

    Args:
        text: Lines ``name==version --hash=sha256:...``, as ``pip-compile`` and ``uv`` write them.

    Raises:
        DeploymentError: A line is something else.

    Example:
        >>> [(each.name, each.version) for each in read_lock("PyYAML==6.0 --hash=sha256:00")]
        [('pyyaml', '6.0')]
    """
    locked = []
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line or line.startswith(("--index-url", "--extra-index-url", "-i ")):
            continue
        requirement, _, marker = line.partition("--hash=")[0].partition(";")
        match = _REQUIREMENT.fullmatch(requirement.replace(" ", ""))
        if match is None:
            raise DeploymentError(
                f"the lock file has a line that is no locked package: {line[:100]!r}",
                hint="lines are name==version --hash=sha256:...",
            )
        if not marker.strip() or _holds(marker):
            locked.append(Locked(_normalize(match[1]), match[2], line))
    return locked


def _holds(marker: str) -> bool:
    """Return whether a marker, such as ``python_version < "3.12"``, is true of this machine."""
    try:
        from pip._vendor.packaging.markers import InvalidMarker, Marker  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise DeploymentError(
            f"the lock file has a marker, and pip, which reads it, is not here: {marker!r}",
            hint="install pip at this node, or lock for one platform",
        ) from None
    try:
        return bool(Marker(marker.strip()).evaluate())
    except InvalidMarker as error:
        raise DeploymentError(f"the lock file has a marker that can't be read: {error}") from None


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def find_missing(locked: Sequence[Locked], site: Path | None = None) -> list[Locked]:
    """Return the packages that are not here in the locked version.

    Args:
        locked: The packages.
        site: A folder of packages that counts before the machine's own.
    """
    path = [*([str(site)] if site else []), *sys.path]
    return [each for each in locked if _find_version(each.name, path) != each.version]


def _find_version(name: str, path: list[str]) -> str | None:
    found = next(iter(importlib.metadata.distributions(name=name, path=path)), None)
    return found.version if found else None


def provide_packages(slot: Path, needs: Sequence[str]) -> None:
    """Make sure that a slot can import what it needs: from the machine, or from its wheels.

    Args:
        slot: Folder of the slot.
        needs: Modules that must be there whatever the lock file says.

    Raises:
        DeploymentError: Something is missing, and is not among the wheels.
    """
    lock = slot / LOCK
    missing = find_missing(read_lock(lock.read_text("utf-8"))) if lock.is_file() else []
    if missing:
        _install(slot, missing)
        missing = find_missing(missing, slot / SITE)
    if missing:
        raise _tell_missing([f"{each.name}=={each.version}" for each in missing], "")
    absent = [name for name in needs if not _can_import(name, slot / SITE)]
    if absent:
        raise _tell_missing(absent, "")


def _can_import(name: str, site: Path) -> bool:
    if (site / name).is_dir() or (site / f"{name}.py").is_file():
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _install(slot: Path, missing: Sequence[Locked]) -> None:
    """Install packages from the bundle's wheels into the slot's own folder, without a network.

    Only wheels, whose installation runs no code of theirs, and only those whose digest the
    lock file names.
    """
    names = [f"{each.name}=={each.version}" for each in missing]
    if not any((slot / WHEELS).glob("*.whl")):
        raise _tell_missing(names, "and the deployment has no wheels")
    if importlib.util.find_spec("pip") is None:
        raise _tell_missing(names, "and there is no pip to install the deployment's wheels")
    wanted = slot / "missing.lock"
    wanted.write_text("".join(f"{each.line}\n" for each in missing), "utf-8")
    command = [sys.executable, "-I", "-m", "pip", "install", "--isolated", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--no-index", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "--find-links", str(slot / WHEELS)]
    command += ["--target", str(slot / SITE), "--requirement", str(wanted)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _tell_missing(names, "and installing them took too long") from None
    finally:
        wanted.unlink(missing_ok=True)
    if done.returncode:
        told = " ".join(done.stderr.split())[:_TOLD]
        raise _tell_missing(names, f"and the deployment's wheels can't be installed: {told}")


def _tell_missing(names: Sequence[str], why: str) -> DeploymentError:
    more = "" if len(names) <= _MOST_NAMED else f" and {len(names) - _MOST_NAMED} more"
    listed = ", ".join(names[:_MOST_NAMED]) + more
    return DeploymentError(
        f"this node lacks {listed}{', ' + why if why else ''}",
        hint="deploy with the wheels: segue deploy --wheels FOLDER, or install them at the node",
    )
