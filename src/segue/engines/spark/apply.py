"""Work on bound data: one shuffle and one sort bring rows together, workers do the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.engines.spark.bound import (
    Bound,
    carried_names,
    carried_struct,
    cast_between,
)
from segue.engines.spark.collect import count_rows
from segue.engines.spark.types import quote, write_type
from segue.engines.spark.worker import MARK, Runner
from segue.errors import UnsupportedError
from segue.frames.packing import pack_work
from segue.spec.layout import INPUT, key_name, row_name
from segue.spec.nearest import find_storage
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.spark.driver import Driver
    from segue.protocols import Work
    from segue.spec.layout import Layout


LIGHT = 128 * 2**20
"""Bytes of rows that one worker may hold, should all of them come to it."""


def apply_work(driver: Driver, inputs: Sequence[Bound], work: Work, layout: Layout) -> Bound:
    """Return what work gives on bound data, computed when it is asked for.

    Args:
        driver: Spark.
        inputs: What to work on.
        work: What to do.
        layout: How rows are brought together.

    Raises:
        UnsupportedError: Spark can't bring rows together so.
    """
    light = len(inputs) == 1 and _is_light(inputs[0], layout)
    if len(inputs) == 1:
        frame, arriving = _lay_out_one(driver, inputs[0], layout, light=light)
    elif layout.by or layout.whole:
        frame, arriving = _lay_out_many(driver, inputs, layout)
    else:
        raise UnsupportedError(
            "several inputs without keys can't be split in parts", hint="name keys with `by`"
        )
    runner = Runner(
        pack_work(work, "spark"),
        arriving,
        layout.whole,
        layout.part_rows,
        unsorted=light or driver.lax,
    )
    made = frame.mapInArrow(runner, carried_struct(work.schema))
    return Bound(made, work.schema)


def _is_light(bound: Bound, layout: Layout) -> bool:
    """Return whether workers sort groups themselves: they do so much faster than Spark."""
    return bool(layout.by) and bound.weight is not None and bound.weight <= LIGHT


def _lay_out_one(
    driver: Driver, bound: Bound, layout: Layout, *, light: bool
) -> tuple[Any, TableSchema]:
    columns = dict(zip(bound.schema.names, carried_names(len(bound.schema)), strict=False))
    terms = [
        (columns[term.removeprefix("-")], term.startswith("-"))
        for term in layout.order_of(bound.schema)
    ]
    frame = bound.frame
    if layout.whole:
        return _sort(driver, _mark(driver, frame).repartition(1), [], terms), bound.schema
    keys = [_key(columns[each.name], each.type) for each in layout.by]
    spread = _spread(driver, frame, layout, keys)
    return spread if light else _sort(driver, spread, keys, terms), bound.schema


def _spread(driver: Driver, frame: Any, layout: Layout, keys: Sequence[str]) -> Any:
    """Return a frame whose partitions are as many and as full as the layout asks."""
    expressions = [driver.functions.expr(key) for key in keys]
    if keys:
        return frame.repartition(*([layout.parts] if layout.parts else []), *expressions)
    if layout.parts is not None:
        return frame.repartition(layout.parts)
    if layout.even and layout.part_rows is not None:
        return frame.repartition(max(-(-count_rows(frame) // layout.part_rows), 1))
    return frame


def _mark(driver: Driver, frame: Any) -> Any:
    """Return a frame with one row more, without which Spark would not start a worker."""
    struct = frame.schema
    alone = driver.spark.range(1, numPartitions=1).selectExpr(
        f"true as {quote(MARK)}",
        *(f"cast(null as {_ddl(each)}) as {quote(each.name)}" for each in struct.fields),
    )
    return frame.selectExpr(f"false as {quote(MARK)}", *map(quote, frame.columns)).union(alone)


def _ddl(field: Any) -> str:
    from segue.engines.spark.types import read_type

    return write_type(read_type(field.dataType))


def _sort(
    driver: Driver, frame: Any, keys: Sequence[str], terms: Sequence[tuple[str, bool]]
) -> Any:
    """Return a frame sorted inside its partitions: by keys, then by terms with nulls last."""
    functions = driver.functions
    order = [functions.expr(key).asc() for key in keys]
    for expression, descending in terms:
        column = functions.expr(expression)
        order.append(column.desc_nulls_last() if descending else column.asc_nulls_last())
    return frame.sortWithinPartitions(*order) if order else frame


def _key(expression: str, type_: DataType) -> str:
    """Return the SQL of a key by which rows meet: one NaN, and one zero.

    Raises:
        UnsupportedError: Spark can't compare such keys.
    """
    if _has_map(type_):
        raise UnsupportedError(f"Spark can't group by a {type_}", hint="group by a text of it")
    if not type_.is_float:
        return expression
    name = write_type(type_)
    zero = f"cast(0 as {name})"
    return f"if(isnan({expression}), cast('NaN' as {name}), {expression} + {zero})"


def _has_map(type_: DataType) -> bool:
    return type_.kind == "map" or any(_has_map(part) for _, part in type_.fields)


def _lay_out_many(
    driver: Driver, inputs: Sequence[Bound], layout: Layout
) -> tuple[Any, TableSchema]:
    """Return the tagged stream of several inputs; see `segue.spec.layout`."""
    keys = [f"k{number}" for number in range(len(layout.by))]
    rows = [_row_struct(bound) for bound in inputs]
    parts = [_tag(bound, at, keys, rows, layout) for at, bound in enumerate(inputs)]
    frame = parts[0]
    for other in parts[1:]:
        frame = frame.union(other)
    if layout.whole:
        frame = _mark(driver, frame)
    spread = frame.repartition(1) if layout.whole else None
    expressions = [_key(key, column.type) for key, column in zip(keys, layout.by, strict=True)]
    if spread is None:
        spread = _spread(driver, frame, layout, expressions)
    terms = [("tag", False)]
    for at, bound in enumerate(inputs):
        names = dict(zip(bound.schema.names, carried_names(len(bound.schema)), strict=False))
        terms += [
            (f"r{at}.{names[term.removeprefix('-')]}", term.startswith("-"))
            for term in layout.order_of(bound.schema)
        ]
    return _sort(driver, spread, expressions, terms), _tagged_schema(inputs, layout)


def _row_struct(bound: Bound) -> str:
    """Return the Spark type of an input's rows, in which columns are called as they are carried."""
    names = carried_names(len(bound.schema))
    types = [write_type(find_storage(each.type)) for each in bound.schema] or ["int"]
    return f"struct<{', '.join(f'{n}: {t}' for n, t in zip(names, types, strict=True))}>"


def _tag(bound: Bound, at: int, keys: Sequence[str], rows: Sequence[str], layout: Layout) -> Any:
    """Return one input's rows as part of the tagged stream."""
    columns = dict(zip(bound.schema.names, carried_names(len(bound.schema)), strict=False))
    expressions = []
    for key, shared in zip(keys, layout.by, strict=True):
        found = bound.schema.find(shared.name)
        assert found is not None, "keys are columns of every input"  # noqa: S101
        cast = cast_between(columns[shared.name], found.type, shared.type)
        expressions.append(f"{cast} as {key}")
    expressions.append(f"{at} as tag")
    inside = ", ".join(f"'{name}', {name}" for name in carried_names(len(bound.schema)))
    for other, struct in enumerate(rows):
        value = f"named_struct({inside})" if other == at else f"cast(null as {struct})"
        expressions.append(f"{value} as r{other}")
    return bound.frame.selectExpr(*expressions)


def _tagged_schema(inputs: Sequence[Bound], layout: Layout) -> TableSchema:
    keys = [Column(key_name(at), each.type) for at, each in enumerate(layout.by)]
    rows = [
        Column(
            row_name(at),
            DataType("struct", (), tuple((each.name, each.type) for each in bound.schema)),
        )
        for at, bound in enumerate(inputs)
    ]
    return TableSchema((*keys, Column(INPUT, DataType("int32")), *rows))
