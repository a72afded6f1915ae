"""How DuckDB reads delimited text.

The source has said how the files are written (delimiter, quotes, header); DuckDB's own
guesses about that are switched off, for it prefers an odd reading of a broken file to an
error. Types are inferred once and stated from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from segue.engines.duckdb.file_failures import refuse_unknown_types
from segue.engines.duckdb.hive import find_hive_names, hive_arguments
from segue.engines.duckdb.types import (
    list_arguments,
    quote_pairs,
    quote_path,
    quote_value,
    sql_type,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.scan import Scan

_ARGUMENTS = {
    "delimiter": "delim",
    "quote": "quote",
    "escape": "escape",
    "comment": "comment",
    "skip": "skip",
    "header": "header",
    "decimal": "decimal_separator",
    "date_format": "dateformat",
    "timestamp_format": "timestampformat",
    "ragged": "null_padding",
    "encoding": "encoding",
}
"""Options of a scan, and what `read_csv` calls them."""

_LONGEST_LINE = 64 * 2**20
_DATES = ("DATE", "TIMESTAMP")


def csv_sql(connection: duckdb.DuckDBPyConnection, scan: Scan) -> str:
    """Return the SELECT that reads delimited files; files of one header are read at once."""
    named: dict[str, Sequence[str]] = scan.options["names"]
    names_of_all = {name for names in named.values() for name in names}
    refuse_unknown_types(scan, [*names_of_all, *find_hive_names(scan)])
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in (*scan.paths, *scan.siblings):
        groups.setdefault(tuple(named[path]), []).append(path)
    stated = _state_arguments(scan)
    known: dict[str, str] = {}
    parts = {}
    # files without a row come last, when the types of what they share with others are known
    bare = scan.options.get("bare", ())
    for names, paths in sorted(groups.items(), key=lambda each: set(each[1]) <= set(bare)):
        telling = [path for path in paths if path not in bare]
        if telling:
            types, formats = _infer(connection, scan, names, telling, stated)
            known |= types
        else:
            types, formats = {name: known.get(name) or _recall(scan, name) for name in names}, {}
        types |= {name: sql_type(type_) for name, type_ in scan.types.items() if name in types}
        parts[names] = _read_group(scan, paths, formats | stated, types)
    return " union all by name ".join(parts[names] for names in sorted(parts))


def _state_arguments(scan: Scan) -> dict[str, str]:
    """Return all that is known of how the files are written, as `read_csv` takes it."""
    stated = {
        ours: quote_value(scan.options[name])
        for name, ours in _ARGUMENTS.items()
        if scan.options.get(name) not in (None, "")
    }
    stated["nullstr"] = quote_value(["", *scan.options.get("nulls", ())])
    # what these two readings have in common with the plain one is all that is stated
    return stated | {"strict_mode": "true", "max_line_size": str(_LONGEST_LINE)}


def _recall(scan: Scan, name: str) -> str:
    """Return the type of a column that no row tells: the one that it had when it was read last."""
    column = scan.remembered.find(name) if scan.remembered else None
    return sql_type(column.type) if column else "VARCHAR"


def _read_group(
    scan: Scan, paths: Sequence[str], stated: Mapping[str, str], types: Mapping[str, str]
) -> str:
    read = [path for path in paths if path not in scan.siblings]
    further = {"auto_detect": "false", "columns": quote_pairs(types.items())}
    final = {**stated, **hive_arguments(scan), **further}
    query = f"select * from read_csv({list_arguments(read or paths, final, hive=scan.hive)})"
    # files that are not read may still have columns of their own
    return query if read else f"({query} limit 0)"


def _infer(
    connection: duckdb.DuckDBPyConnection,
    scan: Scan,
    names: Sequence[str],
    paths: Sequence[str],
    stated: dict[str, str],
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the types of the columns, and the formats of dates that are not ISO's."""
    text = dict.fromkeys(names, "VARCHAR")
    if all(name in scan.types for name in names):
        return text, {}
    sample = {"sample_size": str(scan.options.get("sample", -1)), "names": quote_value(names)}
    arguments = stated | sample
    try:
        if len(paths) == 1:
            found, formats = _sniff(connection, paths[0], arguments)
        else:
            relation = connection.sql(f"from read_csv({list_arguments(paths, arguments)})")
            found = dict(zip(relation.columns, map(str, relation.types), strict=True))
            dated = any(type_.startswith(_DATES) for type_ in found.values())
            formats = _sniff(connection, paths[0], arguments)[1] if dated else {}
    except duckdb.Error:
        # reading it as text meets the same fault, and then says in which line it is
        return text, {}
    return (found, formats) if tuple(found) == tuple(names) else (text, {})


def _sniff(
    connection: duckdb.DuckDBPyConnection, path: str, arguments: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what DuckDB finds in one file: types of columns, and formats of dates."""
    rest = ", ".join(f"{name}={value}" for name, value in arguments.items())
    columns, *formats = connection.sql(
        f"select Columns, DateFormat, TimestampFormat from sniff_csv({quote_path(path)}, {rest})"
    ).fetchall()[0]
    found = zip(("dateformat", "timestampformat"), formats, strict=True)
    return (
        {column["name"]: column["type"] for column in columns},
        {name: quote_value(value) for name, value in found if value},
    )
