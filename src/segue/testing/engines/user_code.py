"""Modules as users write them, in files of their own that no worker can import."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ANNOTATIONS = {
    "pandas": "pandas.DataFrame",
    "polars": "polars.DataFrame",
    "polars-lazy": "polars.LazyFrame",
    "arrow": "pyarrow.Table",
    "relation": "duckdb.DuckDBPyRelation",
    "rows": "list[dict]",
    "narwhals": "narwhals.DataFrame",
    "narwhals-lazy": "narwhals.LazyFrame",
    "narwhals-native": "narwhals.typing.IntoFrameT",
    "batches": "Iterator[pyarrow.RecordBatch]",
    "pandas-iterator": "Iterator[pandas.DataFrame]",
    "polars-iterator": "Iterator[polars.DataFrame]",
    "arrow-iterator": "Iterator[pyarrow.Table]",
    "rows-iterator": "Iterator[list[dict]]",
    "narwhals-iterator": "Iterator[narwhals.DataFrame]",
}
"""What a function may be annotated with."""


class UserCode:
    """Writes and imports a user's modules.

    Args:
        folder: Where they are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []

    def write(self, text: str, imports: str = "pandas") -> ModuleType:
        """Write a module and import it.

        Args:
            text: What it holds; it is dedented.
            imports: Libraries that it imports, with commas.
        """
        name = f"user_code_{id(self)}_{len(self._names)}"
        path = self._folder / f"{name}.py"
        libraries = "".join(f"import {each.strip()}\n" for each in imports.split(",") if each)
        head = f"from collections.abc import Iterator\n{libraries}\n"
        path.write_text(head + textwrap.dedent(text), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} can't be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        self._names.append(name)
        spec.loader.exec_module(module)
        return module

    def write_identity(self, annotation: str) -> ModuleType:
        """Write a function ``through`` that returns what it is given.

        Args:
            annotation: What it takes and returns, a value of `ANNOTATIONS`.
        """
        library = annotation.removeprefix("Iterator[").partition(".")
        body = "yield from given" if annotation.startswith("Iterator") else "return given"
        return self.write(
            f"def through(given: {annotation}) -> {annotation}:\n    {body}\n",
            library[0] if library[1] else "",
        )

    def forget(self) -> None:
        """Let nobody import the modules any more."""
        for name in self._names:
            sys.modules.pop(name, None)


def find_line(module: ModuleType, text: str) -> int:
    """Return the number of the one line of a module that holds a text."""
    with open(str(module.__file__), encoding="utf-8") as file:  # noqa: PTH123  # a module's file
        [number] = [number for number, line in enumerate(file, 1) if text in line]
    return number
