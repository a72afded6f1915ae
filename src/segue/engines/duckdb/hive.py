"""Columns that stand in the names of folders, as Hive lays tables out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from segue.engines.duckdb.types import quote_pairs, sql_type

if TYPE_CHECKING:
    from segue.spec.scan import Scan


def find_hive_names(scan: Scan) -> tuple[str, ...]:
    """Return the names of columns that stand in folders."""
    if not scan.hive:
        return ()
    return tuple(dict.fromkeys(re.findall(r"/([^/=]+)=[^/]*(?=/)", scan.paths[0])))


def hive_arguments(scan: Scan) -> dict[str, str]:
    """Return the argument that states the types of such columns, if some are stated."""
    stated = [
        (name, sql_type(scan.types[name])) for name in find_hive_names(scan) if name in scan.types
    ]
    return {"hive_types": quote_pairs(stated)} if stated else {}
