"""DuckDB as an engine: opened in memory, told to reach for nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from segue.engines.duckdb.capabilities import CAPABILITIES
from segue.engines.duckdb.database import Database
from segue.engines.duckdb.session import DuckDBSession
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from pathlib import Path


_AROUND = 350_000_000
"""Bytes that interpreter, libraries and allocator hold around DuckDB, when it uses all it may."""


def share_memory(memory: int) -> int:
    """Return how much DuckDB may count as its own, so that the process keeps within `memory`.

    DuckDB's limit covers its buffers, not what allocations leave unused between them, nor what
    else the process has loaded.

    Example:
        >>> share_memory(1_000_000_000), share_memory(8_000_000_000), share_memory(400_000_000)
        (650000000, 6400000000, 200000000)
    """
    return max(min(memory - _AROUND, memory * 4 // 5), memory // 2)


class DuckDBEngine:
    """The engine called ``duckdb``.

    Example:
        >>> from pathlib import Path
        >>> from segue.spec.step import PlaceSpec
        >>> with DuckDBEngine().open(PlaceSpec("local"), Path("/tmp")) as session:
        ...     session.fetch("select 1 as a").to_pylist()
        [{'a': 1}]
    """

    name = "duckdb"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> DuckDBSession:
        """Start a database in memory.

        Args:
            place: Most threads and memory; with the option `locked` it reaches for no file,
                and no statement can change its limits.
            scratch: Folder for what does not fit in memory.
        """
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(scratch),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,  # Python's variables are not tables
            "errors_as_json": True,
            "preserve_insertion_order": True,
            # reading ahead holds 80 MB more, and local files are no faster for it
            "async_threads": 0,
        }
        if place.threads is not None:
            config["threads"] = place.threads
        if place.memory is not None:
            config["memory_limit"] = f"{share_memory(place.memory)}B"
        connection = duckdb.connect(":memory:", config=config)
        # these belong to extensions, which are not there yet when a configuration is read
        connection.execute("set global TimeZone = 'UTC'")
        connection.execute("set global parquet_metadata_cache = true")
        if place.options.get("locked"):
            connection.execute("set global enable_external_access = false")
            connection.execute("set global lock_configuration = true")
        return DuckDBSession(Database(connection), owner=True)

    def owns(self, thing: Any) -> bool:  # noqa: ARG002  # of the protocol
        """Return False: a relation is a frame that any engine can read, and not a place."""
        return False

    def attach(self, thing: Any, scratch: Path) -> DuckDBSession:  # noqa: ARG002  # of the protocol
        """Return a session of a database of its own."""
        return self.open(PlaceSpec("local"), scratch)
