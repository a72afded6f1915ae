"""How DuckDB reads JSON: types are inferred once, over the scan's sample, and then stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.engines.duckdb.file_failures import refuse_unknown_types, show_file
from segue.engines.duckdb.hive import find_hive_names, hive_arguments
from segue.engines.duckdb.types import (
    list_arguments,
    quote_pairs,
    select_nothing,
    sql_type,
)
from segue.errors import Location, SourceError
from segue.spec.sql import quote_identifier
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    import duckdb

    from segue.spec.scan import Scan


def json_sql(connection: duckdb.DuckDBPyConnection, scan: Scan) -> str:
    """Return the SELECT that reads JSON files."""
    stated = {"format": f"'{scan.options.get('layout', 'auto')}'"}
    sample = {"sample_size": str(scan.options.get("sample", -1)), "union_by_name": "true"}
    arguments = list_arguments((*scan.paths, *scan.siblings), stated | sample)
    relation = connection.sql(f"from read_json({arguments})")
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    if types == {"json": "JSON"}:
        if known := _find_known(scan):
            return select_nothing(known)
        raise SourceError(
            "there is no object in it, so it has no columns",
            location=Location(show_file(scan, scan.paths[0])),
            hint="state its columns as `types`, or leave the file out",
        )
    folders = find_hive_names(scan)
    refuse_unknown_types(scan, [*relation.columns, *folders])
    # a column of numbers and texts is JSON to DuckDB; to us it is text, without JSON's quotes
    mixed = [name for name, type_ in types.items() if type_ == "JSON" and name not in scan.types]
    types |= {name: sql_type(type_) for name, type_ in scan.types.items() if name not in folders}
    final = stated | hive_arguments(scan) | {"columns": quote_pairs(types.items())}
    texts = ", ".join(
        f"{quote_identifier(name)} ->> '$' as {quote_identifier(name)}" for name in mixed
    )
    columns = f"* replace ({texts})" if texts else "*"
    return f"select {columns} from read_json({list_arguments(scan.paths, final, hive=scan.hive)})"


def _find_known(scan: Scan) -> TableSchema | None:
    """Return the columns of files without objects: those that were read last, and stated ones."""
    remembered = scan.remembered or TableSchema(())
    types = {column.name: column.type for column in remembered} | dict(scan.types)
    return TableSchema(tuple(Column(*pair) for pair in types.items())) if types else None
