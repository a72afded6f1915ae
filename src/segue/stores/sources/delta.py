"""Delta tables that others write."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from pydantic import Field

from segue.errors import SourceError
from segue.settings import Table
from segue.spec.scan import Scan, SourceFile, SourceState
from segue.spec.types import parse_type
from segue.stores.sources.files import resolve_path
from segue.stores.sources.options import TypeName, read_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.step import SourceSpec

_COMMIT = re.compile(r"(\d{20})\.(?:checkpoint.*\.parquet|json)")


class DeltaOptions(Table):
    """``[tables.<name>]`` of a Delta table."""

    path: str = Field(description="Folder of the table, relative to the project's folder.")
    version: int | None = Field(
        None, ge=0, description="Version to read; the newest if not stated."
    )
    types: dict[str, TypeName] = Field(
        default_factory=dict, description="Types of columns, in place of the table's own."
    )


class DeltaSource:
    """Delta tables."""

    suffixes = (".delta",)
    options = DeltaOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the newest version in the table's log; no library is needed for that.

        Raises:
            SourceError: There is no table, or no such version.
        """
        options = read_options(DeltaOptions, source)
        folder = _find_table(source, options, root)
        commits: dict[int, Path] = {}
        for path in sorted((folder / "_delta_log").iterdir()):
            match = _COMMIT.fullmatch(path.name)
            if match:
                commits[int(match[1])] = path
        newest = max(commits, default=-1)
        version = newest if options.version is None else options.version
        if version > newest or newest < 0:
            raise SourceError(
                f"table {source.name!r}: its log has no version {max(version, 0)}",
                location=source.location,
                hint=f"its newest version is {newest}" if newest >= 0 else "",
            )
        # a table that was made anew under the same name has another commit of that number
        seen = commits[min((each for each in commits if each >= version), default=newest)].stat()
        stamp = f"{version}-{seen.st_size}-{seen.st_mtime_ns}"
        identity = hashlib.sha256(f"{stamp}\0{sorted(source.options.items())}".encode())
        files = (SourceFile(str(folder), 0, stamp),)
        return SourceState(source.name, identity.hexdigest(), files)

    def scan(
        self,
        source: SourceSpec,
        root: Path,
        scratch: Path,
        only: Sequence[str] = (),  # noqa: ARG002 - a table is read whole
    ) -> Scan:
        """Return how to read the table: by its files, or by a copy where files do not tell all.

        Raises:
            SourceError: It can't be read.
        """
        import deltalake
        from deltalake.exceptions import DeltaError

        options = read_options(DeltaOptions, source)
        folder = _find_table(source, options, root)
        try:
            table = deltalake.DeltaTable(folder, version=options.version)
            paths = _list_files(table) if _is_plain(table) else _copy(table, scratch)
        except (DeltaError, OSError, ValueError) as error:
            raise SourceError(
                f"table {source.name!r}: the Delta table can't be read: {error}",
                location=source.location,
            ) from None
        if not paths:
            paths = _copy(table, scratch)
        types = {name: parse_type(text) for name, text in options.types.items()}
        shown = {path: f"{options.path}/{Path(path).name}" for path in paths}
        return Scan("parquet", paths, {"union": True, "shown": shown}, types)


def _find_table(source: SourceSpec, options: DeltaOptions, root: Path) -> Path:
    folder = resolve_path(source, options.path, root)
    if not (folder / "_delta_log").is_dir():
        raise SourceError(
            f"table {source.name!r}: there is no Delta table in {options.path}",
            location=source.location,
            hint="name the folder that holds _delta_log",
        )
    return folder


def _is_plain(table: Any) -> bool:
    """Return whether the rows are those of its files, under the names of the files' columns."""
    metadata = table.metadata()
    mode = metadata.configuration.get("delta.columnMapping.mode", "none")
    features = table.protocol().reader_features or ()
    return mode == "none" and "deletionVectors" not in features and not metadata.partition_columns


def _list_files(table: Any) -> tuple[str, ...]:
    return tuple(
        sorted(
            unquote(urlparse(uri).path) if uri.startswith("file:") else uri
            for uri in table.file_uris()
        )
    )


def _copy(table: Any, scratch: Path) -> tuple[str, ...]:
    """Copy the rows into a Parquet file; delta-rs applies what files alone do not tell."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from deltalake import QueryBuilder

    name = f"{table.metadata().id}-{table.version()}.parquet"
    target = scratch / name
    scratch.mkdir(parents=True, exist_ok=True)
    reader = pa.RecordBatchReader.from_stream(
        QueryBuilder().register("source", table).execute("select * from source")
    )
    with pq.ParquetWriter(target, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
    return (str(target),)
