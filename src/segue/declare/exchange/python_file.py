"""A name in a file of Python."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from segue.errors import Location, UsageError


def load_object(path: Path, name: str) -> Any:
    """Return what a name stands for in a file, which is run for it.

    Args:
        path: The file; its folder can be imported from, as when it is run.
        name: The name.

    Raises:
        UsageError: The file can't be read or run, or has no such name.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"segue_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations are looked up there
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's own file raises
        told = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path}: {told}", location=_locate(path, error)) from error
    finally:
        sys.path.remove(str(path.parent.resolve()))
    if not hasattr(module, name):
        raise UsageError(f"{path} has no {name}")
    return getattr(module, name)


def _locate(path: Path, error: BaseException) -> Location:
    """Return the last line of the file that was at work."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return Location(str(path), lines[-1] if lines else None)
