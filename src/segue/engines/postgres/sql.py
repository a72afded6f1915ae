"""SELECTs in DuckDB's dialect as PostgreSQL's, or refused."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segue.engines.dialects.prepare import Translated, prepare_query, refusing
from segue.engines.dialects.refusal import refuse_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import TableSchema


def translate_query(query: str, schemas: Mapping[str, TableSchema]) -> Translated:
    """Return a SELECT as PostgreSQL's.

    Args:
        query: A SELECT that DuckDB has bound.
        schemas: Columns of its tables, in the types that SQL sees.

    Raises:
        UnsupportedError: It can't be carried over so that it means the same.
    """
    from segue.engines.postgres.sql_nodes import convert

    refuse = partial(refuse_for, "PostgreSQL")
    with refusing(refuse):
        prepared = prepare_query(query, schemas, refuse)
        return prepared.write(convert(prepared.tree), "postgres", '"')
