"""Files of Arrow's own formats: IPC files and streams, and Feather."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from segue.spec.scan import Scan
from segue.stores.sources.files import find_files, observe_files
from segue.stores.sources.options import FileOptions, read_options
from segue.stores.sources.unpack import unpack_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.scan import SourceState
    from segue.spec.step import SourceSpec


class ArrowOptions(FileOptions):
    """``[tables.<name>]`` of Arrow files."""

    union: bool = Field(
        False, description="Whether files may lack columns that others have; they hold nulls."
    )

    @field_validator("hive")
    @classmethod
    def _refuse_hive(cls, value: object) -> object:
        if value:
            raise ValueError("folders are no columns for Arrow files; write Parquet instead")
        return value


class ArrowSource:
    """Arrow files."""

    suffixes = (".arrow", ".feather", ".ipc", ".arrows")
    options = ArrowOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the files without reading them.

        Raises:
            SourceError: There is none.
        """
        return observe_files(source, read_options(ArrowOptions, source), root, self.suffixes)[0]

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read the files.

        Raises:
            SourceError: There is none.
        """
        options = read_options(ArrowOptions, source)
        found = find_files(source, options, root, self.suffixes, only)
        paths = {str(unpack_file(path, found.show(path), scratch)): path for path in found.files}
        shown = {path: found.show(real) for path, real in paths.items()}
        return Scan(
            "arrow", tuple(paths), {"union": options.union, "shown": shown}, options.column_types
        )
