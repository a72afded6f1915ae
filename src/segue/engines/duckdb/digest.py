"""The hash of a table's rows: free of their order and of how they lie in files.

Each row's columns are hashed together, hashed once more so that every bit counts, and
summed modulo 2**128. A nested value is hashed as text, for DuckDB's own hash takes an
empty list, a list of null and null for the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from segue.engines.duckdb.capabilities import HASH_IDENTITY
from segue.errors import RunError
from segue.spec.output import HASH_MODULUS
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

_VECTORS = """
select sum(hash(hash(7, b, i, d, s, dt, ts, m, x, n))) from (values
    (true, 1::bigint, 1.5::double, 'segue', date '2020-02-29',
     timestamp '2020-02-29 12:34:56.789012', 12.34::decimal(18,2), '\\x00\\xFF'::blob,
     null::integer),
    (false, -1, 'nan'::double, 'a text of more than twelve bytes, è', date '1900-01-01',
     null, -0.01, ''::blob, 0)
) t(b, i, d, s, dt, ts, m, x, n)
"""
_EXPECTED = 25252433511732610314


def prove_hash(connection: duckdb.DuckDBPyConnection) -> None:
    """Make sure that this DuckDB hashes as all that is recorded was hashed.

    Raises:
        RunError: It does not.
    """
    found = connection.execute(_VECTORS).fetchall()[0][0]
    if found != _EXPECTED:
        raise RunError(
            f"DuckDB {duckdb.__version__} hashes rows differently from {HASH_IDENTITY}, so "
            "contents could not be compared with what is recorded",
            hint="install the version of duckdb that segue's requirements name",
        )


def hash_rows(columns: Iterable[tuple[str, bool]]) -> str:
    """Return the SQL aggregate that sums the hashes of rows.

    Args:
        columns: Names of the columns in the order of the table, and whether each is nested.

    Example:
        >>> hash_rows([("a", False), ("b", True)])
        'coalesce(sum(hash(hash(7, "a", "b"::varchar))), 0)'
    """
    parts = [
        f"{quote_identifier(name)}::varchar" if nested else quote_identifier(name)
        for name, nested in columns
    ]
    # a constant first: a row that holds only 0 must not hash to 0
    return f"coalesce(sum(hash(hash(7, {', '.join(parts)}))), 0)"


def format_digest(total: int) -> str:
    """Return a sum of hashes as 32 hex digits.

    Example:
        >>> format_digest(255)
        '000000000000000000000000000000ff'
    """
    return f"{total % HASH_MODULUS:032x}"
