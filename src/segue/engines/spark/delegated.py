"""Delegated expressions as functions of Spark's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlglot import exp

from segue.engines.dialects.delegate import read_type
from segue.engines.dialects.families import SHOWN
from segue.engines.spark.delegated_work import DelegatedWork
from segue.engines.spark.sql_template import fill
from segue.engines.spark.types import write_columns, write_type
from segue.spec.nearest import find_storage, find_storages
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.engines.dialects.delegate import Argument, Convert, Delegated, Delegation
    from segue.engines.spark.driver import Driver


def delegate(delegation: Delegation, node: exp.Expr, convert: Convert) -> exp.Expr | None:
    """Return the call of a function that computes an expression; None if none can.

    The function gives the value or an error, and SQL raises the errors of rows that it comes to.

    Args:
        delegation: What is delegated of the query.
        node: The expression.
        convert: Carries an argument over.

    Raises:
        UnsupportedError: An argument can't be carried over.
    """
    taken = delegation.take(node)
    if taken is None:
        return None
    made, arguments = taken
    values = [_give(each, convert(delegation.copy(each))) for each in arguments]
    call = exp.Anonymous(this=made.name, expressions=values or [exp.Literal.number(0)])
    value, error = (
        exp.Dot(this=call.copy(), expression=exp.to_identifier(name)) for name in _PARTS
    )
    found = fill("if(:e is null, :v, raise_error(:e))", e=error, v=value)
    found.type = read_type(made.result)
    found.meta[SHOWN] = made.shown
    return found


_PARTS = ("value", "error")


def _give(argument: Argument, value: exp.Expr) -> exp.Expr:
    """Return an argument in the type that carries its own."""
    if argument.exact:
        return value
    return fill(f"cast(:x as {write_type(find_storage(argument.told.type))})", x=value)


@contextmanager
def registered(driver: Driver, delegated: Sequence[Delegated]) -> Iterator[None]:
    """Let Spark's SQL know functions while a frame is made.

    Frames of a classic session keep what they were made with; those of Spark Connect look it up
    whenever they are computed, so that functions stay: the same expression has the same name.
    """
    if not delegated:
        yield
        return
    from pyspark.sql.pandas.functions import arrow_udf

    with driver.lock:  # forks share the session, and nobody is to take away what another needs
        for each in delegated:
            driver.spark.udf.register(each.name, arrow_udf(_make(each), _struct(each)))
        try:
            yield
        finally:
            if not driver.connect:
                for each in delegated:
                    driver.spark.sql(f"drop temporary function if exists {each.name}")


def _make(delegated: Delegated) -> Any:
    """Return a function that tells by its hints what kind it is of."""
    columns = [
        f'"segue{at}"::{each.name} as "segue{at}"' for at, each in enumerate(delegated.arguments)
    ]
    text = delegated.text
    if delegated.result.name in ("HUGEINT", "UHUGEINT"):
        text = f"({text})::bigint"  # here, so that rows that are too large are told one by one
    work = DelegatedWork(
        text,
        f"select {', '.join(columns) or '1'} from rows",
        delegated.shown,
        delegated.names,
        tuple(each.type for each in delegated.arguments),
        delegated.result.type,
    )

    def compute(*arrays: pa.Array) -> pa.Array:
        return work(*arrays)

    compute.__annotations__ = {"arrays": pa.Array, "return": pa.Array}
    return compute


def _struct(delegated: Delegated) -> Any:
    columns = (Column("value", delegated.result.type), Column("error", DataType("string")))
    return write_columns(find_storages(TableSchema(columns)))
