"""PostgreSQL's types as segue's, and segue's in PostgreSQL's SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import UnsupportedError
from segue.spec.types import MAX_PRECISION, DataType

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = {
    "bool": DataType("bool"),
    "int2": DataType("int16"),
    "int4": DataType("int32"),
    "int8": DataType("int64"),
    "oid": DataType("int64"),
    "float4": DataType("float32"),
    "float8": DataType("float64"),
    "bytea": DataType("binary"),
    "date": DataType("date"),
    "time": DataType("time"),
    "timestamp": DataType("timestamp", ("us",)),
    "timestamptz": DataType("timestamp", ("us", "UTC")),
}
TEXT = DataType("string")

_NAMES = {
    "null": "text",
    "bool": "boolean",
    "int8": "smallint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "integer",
    "uint32": "bigint",
    "uint64": "numeric(20,0)",
    "float32": "real",
    "float64": "double precision",
    "string": "text",
    "categorical": "text",
    "binary": "bytea",
    "date": "date",
    "time": "time",
    "duration": "interval",
}


@dataclass(frozen=True, slots=True)
class Extent:
    """What numbers of a column without declared digits need.

    Attributes:
        whole: Most digits before the point.
        scale: Most digits behind it.
        odd: Whether one of them is NaN or infinite.
    """

    whole: int
    scale: int
    odd: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A column as the catalogue tells it.

    Attributes:
        name: Its name.
        type: Name of its type in ``pg_type``; domains are followed to what they are of.
        modifier: What the type is limited to: a numeric's digits; -1 without limits.
        item: Name of the type of an array's items; empty for what is none.
    """

    name: str
    type: str
    modifier: int
    item: str = ""

    @property
    def digits(self) -> tuple[int, int] | None:
        """Precision and scale of a numeric; None if it has none, or too many for a decimal."""
        if self.type != "numeric" or self.modifier < 0:
            return None
        packed = self.modifier - 4
        precision, scale = packed >> 16 & 0xFFFF, (packed & 0x7FF ^ 1024) - 1024
        if scale < 0:  # the last digits of whole numbers are zeros
            precision, scale = precision - scale, 0
        precision = max(precision, scale)
        return (precision, scale) if precision <= MAX_PRECISION else None

    @property
    def is_open(self) -> bool:
        """Whether only the rows tell how many digits there are."""
        return self.type == "money" or (self.type == "numeric" and self.digits is None)


def read_column(found: Found, quoted: str, extent: Extent | None) -> tuple[str, DataType]:
    """Return the SQL by which queries see a column, and its type in segue.

    Texts are compared letter for letter, and types that segue lacks are texts. A NaN among
    numbers that can't be one for segue is an error when it is read.

    Args:
        found: The column.
        quoted: Its name, quoted.
        extent: What its rows need, for a numeric without digits.

    Raises:
        UnsupportedError: Its numbers have too many digits.
    """
    if found.is_open:
        if extent is None or extent.odd:
            return f"{quoted}::double precision", DataType("float64")
        precision = max(extent.whole + extent.scale, 1)
        if precision > MAX_PRECISION:
            raise UnsupportedError(
                f"column {found.name!r} holds numbers of {precision} digits, and segue's have at "
                f"most {MAX_PRECISION}",
                hint="check a query that casts it: select x::double precision …",
            )
        digits = MAX_PRECISION, extent.scale
        return f"{quoted}::numeric({digits[0]},{digits[1]})", DataType("decimal", digits)
    if found.digits is not None:
        problem = f"'a NaN in a numeric: ' || {quoted}::text"
        guarded = f"case when {quoted} = 'NaN' then ({problem})::numeric else {quoted} end"
        return guarded, DataType("decimal", found.digits)
    if found.item:
        inner = _KINDS.get(found.item)
        plain = quoted if inner else f"{quoted}::text[]"
        return plain, DataType("list", (), (("item", inner or TEXT),))
    if found.type in _KINDS:
        plain = f"{quoted}::bigint" if found.type == "oid" else quoted
        return plain, _KINDS[found.type]
    return f'{quoted}::text collate "C"', TEXT


def sql_type(type_: DataType) -> str:
    """Return PostgreSQL's name of the type that holds a type's values.

    Raises:
        UnsupportedError: It has none.

    Example:
        >>> from segue.spec.types import parse_type
        >>> sql_type(parse_type("timestamp(us, UTC)")), sql_type(parse_type("list<uint8>"))
        ('timestamptz', 'smallint[]')
    """
    if type_.kind == "timestamp" and type_.arguments[0] != "ns":
        return "timestamptz" if len(type_.arguments) > 1 else "timestamp"
    if type_.kind == "decimal":
        return "numeric({},{})".format(*type_.arguments)
    if type_.kind == "list" and not type_.fields[0][1].fields:
        return f"{sql_type(type_.fields[0][1])}[]"
    if type_.kind not in _NAMES:
        raise UnsupportedError(
            f"values of type {type_} can't be carried by PostgreSQL", hint="cast them: x::varchar"
        )
    return _NAMES[type_.kind]


def measure_extents(table: str, columns: Sequence[str]) -> str:
    """Return the SELECT that tells the extents of numbers, three values for each column.

    Args:
        table: The table, quoted.
        columns: Names of the columns, quoted.
    """
    parts = []
    for column in columns:
        number = f"{column}::numeric"
        odd = f"{number} in ('NaN', 'Infinity', '-Infinity')"
        whole = f"case when {odd} then 0 else length(trunc(abs({number}))::text) end"
        parts += [
            f"coalesce(bool_or({odd}), false)",
            f"coalesce(max({whole}), 1)",
            f"coalesce(max(scale({number})), 0)",
        ]
    return f"select {', '.join(parts)} from {table}"
