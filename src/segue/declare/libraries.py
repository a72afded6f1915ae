"""Which version of a library the code uses."""

from __future__ import annotations

import sys
from functools import cache
from importlib import metadata
from pathlib import Path

from segue.declare.digest import digest_text


@cache
def find_version(module: str) -> str:
    """Return the version of the package that a top-level module belongs to.

    A module that was never installed counts by its content.

    Example:
        >>> find_version("pyarrow") == metadata.version("pyarrow")
        True
    """
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        pass
    stated = getattr(sys.modules.get(module), "__version__", None)
    if isinstance(stated, str):
        return stated
    packages = sorted(set(metadata.packages_distributions().get(module, ())))
    if packages:
        return ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    path = getattr(sys.modules.get(module), "__file__", None)
    if path and Path(path).is_file():
        return digest_text(Path(path).read_text("utf-8", "replace"))
    return ""
