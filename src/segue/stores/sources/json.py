"""JSON: one array, one object, or one object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from segue.spec.scan import Scan
from segue.stores.sources.files import find_files, observe_files
from segue.stores.sources.options import FileOptions, read_options
from segue.stores.sources.unpack import unpack_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.spec.scan import SourceState
    from segue.spec.step import SourceSpec

_LINES = (".jsonl", ".ndjson")
_WHOLE = 50_000_000
_SAMPLE = 200_000


class JsonOptions(FileOptions):
    """``[tables.<name>]`` of JSON."""

    lines: bool | None = Field(
        None,
        description="Whether each line is an object of its own; by default for .jsonl and .ndjson.",
    )
    sample: int | Literal["all"] | None = Field(
        None,
        description="Objects that decide about columns and types; by default all of less than "
        "50 MB, else 200,000.",
    )


class JsonSource:
    """Files of JSON."""

    suffixes = (".json", *_LINES)
    options = JsonOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the files without reading them.

        Raises:
            SourceError: There is none.
        """
        return observe_files(source, read_options(JsonOptions, source), root, self.suffixes)[0]

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read the files.

        Raises:
            SourceError: There is none, or one is damaged.
        """
        options = read_options(JsonOptions, source)
        found = find_files(source, options, root, self.suffixes)
        paths = {
            str(unpack_file(path, found.show(path), scratch, native=(".gz", ".zst"))): path
            for path in found.files
        }
        lines = options.lines
        if lines is None:
            lines = all(set(path.suffixes) & set(_LINES) for path in found.files)
        sample = options.sample
        if sample is None:
            whole = sum(path.stat().st_size for path in found.files) < _WHOLE
            sample = "all" if whole else _SAMPLE
        return Scan(
            "json",
            tuple(path for path, real in paths.items() if not only or str(real) in only),
            {
                "layout": "newline_delimited" if lines else "auto",
                "sample": -1 if sample == "all" else sample,
                "shown": {path: found.show(real) for path, real in paths.items()},
            },
            options.column_types,
            hive=found.hive,
            siblings=tuple(path for path, real in paths.items() if only and str(real) not in only),
        )
