"""Types of a database's columns as Arrow has them, and rows as tables of these types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy.types import TypeEngine

_WIDEST = 38
"""Most digits of a decimal."""


def find_arrow_type(declared: TypeEngine[Any], *, wide: bool) -> pa.DataType | None:
    """Return the type in which a column's values are read; None to learn it from the values.

    Args:
        declared: What the database says of the column.
        wide: Whether every integer of the database may have 64 bits, as in SQLite.
    """
    import pyarrow as pa
    from sqlalchemy import types

    if isinstance(declared, types.Numeric) and not isinstance(declared, types.Float):
        digits, scale = declared.precision, declared.scale
        stated = digits is not None and scale is not None and digits <= _WIDEST
        return pa.decimal128(digits, scale) if stated else None
    if isinstance(declared, types.DateTime):
        return pa.timestamp("us", tz="UTC" if declared.timezone else None)
    narrow = pa.int64() if wide else pa.int32()
    known: list[tuple[type[TypeEngine[Any]], pa.DataType]] = [
        (types.Boolean, pa.bool_()),
        (types.SmallInteger, pa.int64() if wide else pa.int16()),
        (types.BigInteger, pa.int64()),
        (types.Integer, narrow),
        (types.Float, pa.float64()),
        (types.Date, pa.date32()),
        (types.Time, pa.time64("us")),
        (types.LargeBinary, pa.binary()),
        (types.String, pa.string()),
        (types.Enum, pa.string()),
    ]
    return next((arrow for kind, arrow in known if isinstance(declared, kind)), None)


def make_table(
    table: str, names: Sequence[str], rows: Iterable[Any], types: Mapping[str, pa.DataType]
) -> pa.Table:
    """Return rows as a table; types that are not told are learned from the values.

    Args:
        table: How errors name the table.
        names: Its columns.
        rows: Its rows.
        types: Types that are known, by column.

    Raises:
        SourceError: A column holds values that have no type in common; none of them is shown.
    """
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    arrays = []
    for name, values in zip(names, columns, strict=True):
        try:
            arrays.append(pa.array([_plain(each) for each in values], type=types.get(name)))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            kinds = sorted({type(each).__name__ for each in values if each is not None})
            stated = f" as {types[name]}, as it is declared," if name in types else ""
            raise SourceError(
                f"table {table!r}: column {name!r} can't be read{stated}: "
                f"it holds values of type {', '.join(kinds)}",
                hint=f"read it by a query that casts it: cast({name} as varchar)",
            ) from None
    return pa.table(arrays, names=list(names))


def _plain(value: Any) -> Any:
    """Return a value that Arrow knows; identifiers and documents are texts."""
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def unify_schemas(table: str, schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the columns that all parts of a table fit into; what is always null is a text.

    Raises:
        SourceError: There are none.
    """
    import pyarrow as pa

    try:
        unified = pa.unify_schemas(list(schemas), promote_options="permissive")
    except pa.ArrowException:
        names = schemas[0].names
        clash = next(n for n in names if len({str(s.field(n).type) for s in schemas}) > 1)
        raise SourceError(
            f"table {table!r}: column {clash!r} holds values of types that don't go together",
            hint=f"read it by a query that casts it: cast({clash} as varchar)",
        ) from None
    fields = [
        field.with_type(pa.string()) if pa.types.is_null(field.type) else field for field in unified
    ]
    return pa.schema(fields)
