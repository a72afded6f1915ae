"""Rows with the places in files that they come from."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from segue.errors import SegueError
from segue.spec.scan import Located
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.engines.duckdb.session import DuckDBSession
    from segue.spec.scan import Scan

_BEGIN = "select "
_FILED = ("csv", "json", "parquet")
"""Formats whose reader tells the file of each row."""


def bind_located(
    session: DuckDBSession, name: str, scan: Scan | None, files: Mapping[str, str]
) -> Located | None:
    """Bind the rows of a scan once more, with their places; None where they can't be told.

    Args:
        session: Where the scan is bound.
        name: Its name.
        scan: What the name stands for, if that is files.
        files: How files are shown, by path.
    """
    query = session.bound_queries().get(name, "")
    if scan is None or scan.format not in _FILED or not query.startswith(_BEGIN):
        return None
    numbered = scan.format == "parquet"
    places = {Located.FILE: "filename"}
    if numbered:
        places |= {Located.PART: "file_index", Located.ROW: "file_row_number"}
    listed = ", ".join(f"{column} as {quote_identifier(alias)}" for alias, column in places.items())
    located = f"{name}__located"
    try:
        session.bind(located, f"{_BEGIN}{listed}, {query.removeprefix(_BEGIN)}")
    except SegueError:  # the files have a column of that name, or several readers are joined
        return None
    shown = {path: files.get(path, path) for path in scan.paths}
    return Located(located, {path: _shorten(each) for path, each in shown.items()}, numbered)


def _shorten(path: str) -> str:
    """Return a path's last part, which is enough to know a table's files apart, mostly."""
    return PurePosixPath(path).name or path
