"""What travels to workers, with the user's own modules inside."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

_LOCK = Lock()
_SEGUE = Path(os.path.realpath(__file__)).parents[1]


def make_portable(parts: Mapping[str, Any], root: str) -> bytes:
    """Return values as bytes; what a user's own modules define goes with them.

    Args:
        parts: The values, by name.
        root: Folder of the user's files: workers may not have its modules, or others of the
            same name.
    """
    import cloudpickle

    with _LOCK:
        added = []
        try:
            for module in _own_modules(root):
                cloudpickle.register_pickle_by_value(module)
                added.append(module)
            packed: bytes = cloudpickle.dumps(dict(parts))
        finally:
            for module in added:
                cloudpickle.unregister_pickle_by_value(module)
    return packed


def load_portable(make: Callable[..., Any], packed: bytes) -> Any:
    """Return what was packed."""
    import pickle

    return make(**pickle.loads(packed))  # noqa: S301  # it comes from the driver


def _own_modules(root: str) -> Iterator[ModuleType]:
    from cloudpickle import list_registry_pickle_by_value

    from segue.declare.modules import is_project_module

    top, known = Path(os.path.realpath(root)), list_registry_pickle_by_value()
    foreign = (f"{_SEGUE}/", f"{os.path.dirname(os.__file__)}/")  # noqa: PTH120  # to compare
    for name, module in list(sys.modules.items()):
        if name == "__main__" or name in known or getattr(module, "__name__", "") != name:
            continue
        if not is_project_module(module, top):
            continue
        path = getattr(module, "__file__", None)
        if not path or not os.path.realpath(path).startswith(foreign):
            yield module
