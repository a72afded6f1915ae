"""Values of a database's driver as typed rows, and as JSON for the cursor."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from segue.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from segue.spec.types import Column, DataType, TableSchema


def write_value(value: Any) -> list[Any]:
    """Return a value as JSON that `read_value` understands.

    Example:
        >>> read_value(write_value(date(2024, 2, 29)))
        datetime.date(2024, 2, 29)
    """
    if value is None or isinstance(value, bool | int | float | str):
        return ["plain", value]
    if isinstance(value, datetime):
        return ["timestamp", value.isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    return ["plain", str(value)]  # such as an UUID


def read_value(written: Sequence[Any]) -> Any:
    """Return a value of `write_value`."""
    kind, value = written
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    return Decimal(value) if kind == "decimal" else value


def make_rows(
    schema: TableSchema, names: Sequence[str], rows: Sequence[Sequence[Any]], where: str
) -> tuple[pa.Table, Counter[str]]:
    """Return rows with a source's columns.

    Args:
        schema: The columns.
        names: Columns of the rows; more than those of the source are left out.
        rows: The rows.
        where: Whose they are, for errors.

    Returns:
        The rows that fit, and how many don't, by reason.

    Raises:
        SourceError: A column is missing.
    """
    import pyarrow as pa

    from segue.frames.arrow_types import to_arrow_type

    columns = []
    bad: dict[int, str] = {}
    for column in schema:
        if column.name not in names:
            raise SourceError(f"{where}: the rows have no column {column.name!r}")
        place = names.index(column.name)
        array, wrong = _make_column(column, [row[place] for row in rows])
        columns.append(array)
        bad |= {row: f"column {column.name} is no {column.type}" for row in wrong if row not in bad}
    arrow = pa.schema([(column.name, to_arrow_type(column.type)) for column in schema])
    table = pa.Table.from_arrays(columns, schema=arrow)
    if bad:
        table = table.filter(pa.array([row not in bad for row in range(len(rows))]))
    return table, Counter(bad.values())


def _make_column(column: Column, values: list[Any]) -> tuple[pa.Array, list[int]]:
    """Return values as a column, and the places of those that don't fit, which become null."""
    import pyarrow as pa

    from segue.frames.arrow_types import to_arrow_type

    arrow = to_arrow_type(column.type)
    plain, wrong = [], []
    for place, value in enumerate(values):
        try:
            plain.append(None if value is None else _fit(value, column.type))
        except (ValueError, TypeError, InvalidOperation):
            plain.append(None)
            wrong.append(place)
    try:
        return _make_array(plain, arrow), wrong
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    for place, value in enumerate(plain):
        try:
            _make_array([value], arrow)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            plain[place] = None
            wrong.append(place)
    return _make_array(plain, arrow), wrong


def _make_array(values: list[Any], arrow: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_dictionary(arrow):
        return pa.array(values, arrow.value_type).dictionary_encode().cast(arrow)
    return pa.array(values, arrow)


def _fit(value: Any, type_: DataType) -> Any:  # noqa: PLR0911  # one for each type
    """Return a value as its column has it; databases without such a type write others."""
    kind = type_.kind
    if kind == "bool" and value in (0, 1):
        return bool(value)
    if kind == "timestamp":
        return _place(datetime.fromisoformat(value) if isinstance(value, str) else value, type_)
    if kind == "date" and isinstance(value, str):
        return date.fromisoformat(value)
    if kind == "decimal":
        return value if isinstance(value, Decimal) else Decimal(str(value))
    if type_.is_float and isinstance(value, Decimal):
        return float(value)
    if kind == "string" and not isinstance(value, str):
        return _spell(value)
    return value


def _place(moment: Any, type_: DataType) -> datetime:
    """Return a time in the column's zone; one without a zone is taken for UTC there."""
    if not isinstance(moment, datetime):
        raise TypeError
    zoned = len(type_.arguments) > 1
    if zoned:
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _spell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value.decode() if isinstance(value, bytes) else str(value)
