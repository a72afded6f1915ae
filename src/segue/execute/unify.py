"""One schema for results that come in parts."""

from __future__ import annotations

from segue.spec.types import MAX_PRECISION, UNITS, Column, DataType, TableSchema


def unify_types(first: DataType, second: DataType) -> DataType | None:
    """Return the narrowest type that holds the values of both, None if there is none.

    Integers and floats meet in ``float64``; whether each integer is exact there is seen
    when values are cast. Nothing turns into text.

    Example:
        >>> from segue.spec.types import parse_type
        >>> str(unify_types(parse_type("int32"), parse_type("float64")))
        'float64'
        >>> unify_types(parse_type("int32"), parse_type("string"))
    """
    if first == second or "null" in (first.kind, second.kind):
        return second if first.kind == "null" else first
    if is_number(first) and is_number(second):
        integers = first.is_integer and second.is_integer
        return _unify_integers(first, second) if integers else _unify_numbers(first, second)
    if first.kind == second.kind:
        return _unify_parts(first, second)
    texts = {first.kind, second.kind} == {"categorical", "string"}
    return DataType("string") if texts else None


def is_number(type_: DataType) -> bool:
    """Return whether values of the type are numbers."""
    return type_.is_integer or type_.is_float or type_.kind == "decimal"


def _unify_integers(first: DataType, second: DataType) -> DataType:
    signed = [type_ for type_ in (first, second) if not type_.kind.startswith("u")]
    bits = [int(type_.kind.strip("uint")) for type_ in (first, second)]
    if len(signed) == 1:
        # one more bit for the sign; what does not fit in 64 is seen when values are cast
        unsigned = next(type_ for type_ in (first, second) if type_.kind.startswith("u"))
        bits.append(min(2 * int(unsigned.kind.strip("uint")), 64))
    return DataType(f"{'int' if signed else 'uint'}{max(bits)}")


def _unify_numbers(first: DataType, second: DataType) -> DataType:
    if first.is_float or second.is_float:
        return DataType("float64")
    sizes = [_digits(type_) for type_ in (first, second)]
    scale = max(scale for _, scale in sizes)
    whole = max(precision - scale for precision, scale in sizes)
    return DataType("decimal", (min(whole + scale, MAX_PRECISION), scale))


def _digits(type_: DataType) -> tuple[int, int]:
    if type_.kind == "decimal":
        return int(type_.arguments[0]), int(type_.arguments[1])
    return {8: 3, 16: 5, 32: 10}.get(int(type_.kind.strip("uint")), 20), 0


def _unify_parts(first: DataType, second: DataType) -> DataType | None:
    """Unify two types of the same kind: units, zones, parts."""
    if first.kind in ("timestamp", "duration"):
        if first.arguments[1:] != second.arguments[1:]:
            return None
        unit = max(first.arguments[0], second.arguments[0], key=lambda u: UNITS.index(str(u)))
        return DataType(first.kind, (unit, *first.arguments[1:]))
    parts = dict(second.fields)
    if [name for name, _ in first.fields if name not in parts] or len(parts) != len(first.fields):
        return None
    fields = [(name, unify_types(type_, parts[name])) for name, type_ in first.fields]
    whole = tuple((name, type_) for name, type_ in fields if type_ is not None)
    return DataType(first.kind, first.arguments, whole) if len(whole) == len(fields) else None


def unify_schemas(first: TableSchema, second: TableSchema) -> TableSchema:
    """Return the schema that holds the rows of both, its columns in the order of `first`.

    Raises:
        ValueError: A column is in one of them only, or its two types have nothing in common.
    """
    missing = [name for name in first.names if second.find(name) is None]
    excess = [name for name in second.names if first.find(name) is None]
    if missing or excess:
        parts = [f"lacks {', '.join(map(repr, missing))}"] if missing else []
        parts += [f"has {', '.join(map(repr, excess))} besides"] if excess else []
        raise ValueError(f"it {' and '.join(parts)}")
    columns = []
    for column in first:
        other = second.find(column.name)
        type_ = unify_types(column.type, other.type) if other is not None else None
        if other is None or type_ is None:
            raise ValueError(f"column {column.name!r} is {other and other.type}, not {column.type}")
        columns.append(Column(column.name, type_))
    return TableSchema(tuple(columns))
