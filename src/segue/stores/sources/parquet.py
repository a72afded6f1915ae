"""Parquet files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from segue.spec.scan import Scan
from segue.stores.sources.files import find_files, observe_files
from segue.stores.sources.options import FileOptions, read_options
from segue.stores.sources.parquet_footer import count_rows
from segue.stores.sources.unpack import unpack_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.scan import SourceState
    from segue.spec.step import SourceSpec

_COUNTED = 64
"""Most files whose footers are read before a plan is made."""


class ParquetOptions(FileOptions):
    """``[tables.<name>]`` of Parquet."""

    union: bool = Field(
        False, description="Whether files may lack columns that others have; they hold nulls."
    )


class ParquetSource:
    """Files of Parquet."""

    suffixes = (".parquet", ".pq")
    options = ParquetOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the files; the number of rows stands in their footers.

        Raises:
            SourceError: There is none.
        """
        options = read_options(ParquetOptions, source)
        state, found = observe_files(source, options, root, self.suffixes)
        if len(found.files) > _COUNTED:
            return state
        counts = [count_rows(path) for path in found.files]
        rows = None if None in counts else sum(count or 0 for count in counts)
        return replace(state, rows=rows)

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read the files.

        Raises:
            SourceError: There is none.
        """
        options = read_options(ParquetOptions, source)
        found = find_files(source, options, root, self.suffixes, only)
        paths = {str(unpack_file(path, found.show(path), scratch)): path for path in found.files}
        return Scan(
            "parquet",
            tuple(paths),
            {
                "union": options.union,
                "shown": {path: found.show(real) for path, real in paths.items()},
            },
            options.column_types,
            hive=found.hive,
        )
