"""Which Python packages nodes must have: what the edge part imports, as the project locks it."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from segue.errors import UsageError
from segue.wire.bundle import digest_file

_LARGEST = 16 * 2**20
_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s;]+)", re.ASCII)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_OWN = "segue"


@dataclass(frozen=True, slots=True)
class Pin:
    """A locked package.

    Attributes:
        name: Its name, in the form in which names are compared.
        version: Its version.
        hashes: Digests of files that may be installed, as ``sha256:...``.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the line of a lock file."""
        hashes = "".join(f" --hash={each}" for each in self.hashes)
        return f"{self.name}=={self.version}{hashes}"


def normalize(name: str) -> str:
    """Return the form in which names of packages are compared.

    Example:
        >>> normalize("Foo_Bar.baz")
        'foo-bar-baz'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, Pin]:
    """Return what a lock file locks: ``requirements.txt``, or TOML of uv, Poetry, PDM.

    Raises:
        UsageError: It can't be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than {_LARGEST:,} bytes")
        text = path.read_text("utf-8")
        pins = _read_toml(text) if path.suffix in (".lock", ".toml") else []
        if not pins:
            pins = list(_read_lines(text))
    except (OSError, ValueError) as error:
        raise UsageError(f"the lock file {path} can't be read: {error}") from None
    return {pin.name: pin for pin in pins}


def _read_toml(text: str) -> list[Pin]:
    try:
        packages = tomllib.loads(text).get("package", [])
    except tomllib.TOMLDecodeError:
        return []
    pins = []
    for package in packages if isinstance(packages, list) else []:
        name, version = package.get("name"), package.get("version")
        if isinstance(name, str) and isinstance(version, str):
            files = [*package.get("wheels", ()), *package.get("files", ())]
            hashes = sorted({str(each.get("hash", "")) for each in files})
            pins.append(Pin(normalize(name), version, tuple(filter(_HASH.fullmatch, hashes))))
    return pins


def _read_lines(text: str) -> Iterable[Pin]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        match = _PINNED.match(line.strip())
        if match is not None:
            yield Pin(normalize(match[1]), match[2], tuple(_HASH.findall(line)))


def read_wheels(folder: Path) -> dict[str, Pin]:
    """Return a pin for each package that a folder has wheels of.

    Raises:
        UsageError: There are none, or two versions of one.
    """
    found: dict[str, Pin] = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, *_ = path.name.split("-")
        pin = Pin(normalize(name), version, (f"sha256:{digest_file(path)}",))
        before = found.get(pin.name)
        if before is not None and before.version != version:
            raise UsageError(
                f"{folder} has two versions of {pin.name}: {before.version}, {version}"
            )
        hashes = (*(before.hashes if before else ()), *pin.hashes)
        found[pin.name] = Pin(pin.name, version, hashes)
    if not found:
        raise UsageError(f"{folder} has no wheels", hint="pip download --dest FOLDER PACKAGE")
    return found


def find_imports(files: Iterable[Path]) -> set[str]:
    """Return the top-level modules that Python files import, the standard library's left out."""
    found: set[str] = set()
    for path in files:
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Import):
                    found |= {each.name.partition(".")[0] for each in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {_OWN}


def find_packages(modules: Iterable[str]) -> set[str]:
    """Return the packages that modules come from, and those that these need in turn."""
    homes: Mapping[str, list[str]] = importlib.metadata.packages_distributions()
    waiting = [normalize(name) for module in modules for name in homes.get(module, ())]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found or name == _OWN:
            continue
        found.add(name)
        waiting += _find_needs(name)
    return found


def _find_needs(name: str) -> Iterable[str]:
    try:
        needs = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    plain = [each for each in needs if "extra ==" not in each]
    return [normalize(re.split(r"[\s;<>=!~\[(@]", each, maxsplit=1)[0]) for each in plain]


def write_lock(pins: Iterable[Pin]) -> bytes:
    """Return a lock file; equal pins give equal bytes."""
    return "".join(f"{pin}\n" for pin in sorted(pins, key=lambda pin: pin.name)).encode()
