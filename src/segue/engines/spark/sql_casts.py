"""Casts that mean on Spark what they mean in DuckDB, or fail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, NUMBERS, family, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

FLOATS = ("float32", "float64")
_INTEGERS = {"TINYINT": "tinyint", "SMALLINT": "smallint", "INT": "int", "BIGINT": "bigint"}

_DATE = r"^\\s*\\d{1,4}-\\d{1,2}-\\d{1,2}\\s*$"
_MOMENT = r"^\\s*\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?)?"
_ZONE = r"(Z|[+-]\\d{2}:\\d{2})?\\s*$"

_FROM_TEXT = {
    "float32": (
        "if(:x rlike '[0-9.][dDfF]\\\\s*$', cast(concat(:x, '?') as float), cast(:x as float))"
    ),
    "float64": (
        "if(:x rlike '[0-9.][dDfF]\\\\s*$', cast(concat(:x, '?') as double), cast(:x as double))"
    ),
    "bool": "if(:x rlike '\\\\s', cast(concat(:x, '?') as boolean), cast(:x as boolean))",
    "date": f"if(:x rlike '{_DATE}', cast(:x as date), cast(concat(:x, '?') as date))",
    "timestamp": (
        f"if(:x rlike '{_MOMENT}\\\\s*$', cast(:x as timestamp_ntz), "
        "cast(concat(:x, '?') as timestamp_ntz))"
    ),
    "zoned": (
        f"if(:x rlike '{_MOMENT}{_ZONE}', cast(:x as timestamp), "
        "cast(concat(:x, '?') as timestamp))"
    ),
    "string": ":x",
}
"""What texts become; one that DuckDB might read otherwise than Spark is an error."""

_TO_TEXT = {
    "integer": "cast(:x as string)",
    "decimal": "cast(:x as string)",
    "bool": "cast(:x as string)",
    "date": "cast(:x as string)",
    "timestamp": "cast(:x as string)",
    "zoned": "concat(cast(:x as string), '+00')",
    "string": ":x",
}


def convert_cast(node: exp.Expr) -> exp.Expr:
    """Return a cast in Spark's SQL.

    Raises:
        UnsupportedError: Spark can't mean it so.
    """
    value, target = node.this, node.args["to"]
    found, wanted = family(value), family(node)
    if found == "null":
        return fill(f"cast(null as {spell_type(target)})")
    if wanted == "zoned" and isinstance(value, exp.Literal):
        return _read_zoned(node)
    if wanted == "integer" and target.this.value.upper() in _INTEGERS:
        made = _to_integer(value, _INTEGERS[target.this.value.upper()])
    else:
        made = _MAKERS.get(wanted, _make_nothing)(value, target)
    if made is None:
        raise refuse(f"the cast {show(node)}")
    made.type = node.type
    return made


def _read_zoned(node: exp.Expr) -> exp.Expr:
    """Return a moment that is written out, in UTC: Spark knows fewer ways to write a zone."""
    try:
        moment = datetime.fromisoformat(node.this.name.strip())
    except ValueError:
        raise refuse(f"the moment {show(node)}", "write it as: 2026-01-31 23:59:59+00:00") from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    text = zoned.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    made = fill(f"cast('{text}Z' as timestamp)")
    made.type = node.type
    return made


def spell_type(target: exp.DataType) -> str:
    """Return Spark's name of a type.

    Raises:
        UnsupportedError: Spark has no such type.
    """
    probe = exp.Cast(this=exp.null(), to=target.copy())
    probe.type = target
    name = family(probe)
    plain = {
        "bool": "boolean",
        "date": "date",
        "float32": "float",
        "float64": "double",
        "string": "string",
        "timestamp": "timestamp_ntz",
        "zoned": "timestamp",
    }
    if name in plain:
        return plain[name]
    if name == "integer" and target.this.value.upper() in _INTEGERS:
        return _INTEGERS[target.this.value.upper()]
    if name == "decimal":
        return "decimal({}, {})".format(*decimal_sizes(target))
    raise refuse(f"the type {target.sql('duckdb')}")


def decimal_sizes(target: exp.DataType) -> tuple[int, int]:
    """Return how many digits a decimal has, and how many of them behind the point."""
    sizes = [int(each.name) for each in target.expressions]
    if not sizes:
        return 18, 3
    return sizes[0], sizes[1] if len(sizes) > 1 else 0


def _to_integer(value: exp.Expr, name: str) -> exp.Expr | None:
    templates = {
        "integer": f"cast(:x as {name})",
        "unsigned": f"cast(:x as {name})",
        "bool": f"cast(:x as {name})",
        "decimal": f"cast(round(:x, 0) as {name})",
        # DuckDB rounds floats to even, decimals away from zero
        "float32": f"cast(rint(:x) as {name})",
        "float64": f"cast(rint(:x) as {name})",
        "string": (
            f"coalesce(try_cast(:x as {name}), "
            f"cast(round(cast(:x as decimal(38, 10)), 0) as {name}))"
        ),
    }
    template = templates.get(family(value))
    return None if template is None else fill(template, x=value)


def _to_float(value: exp.Expr, target: exp.DataType) -> exp.Expr | None:
    name = spell_type(target)
    found = family(value)
    if found == "string":
        return fill(_FROM_TEXT["float64" if name == "double" else "float32"], x=value)
    if found == "float64" and name == "float":
        return fill(
            "if(abs(:x) > 3.4028234663852886E38D and abs(:x) < cast('Infinity' as double), "
            "raise_error('a number is out of the range of a float'), cast(:x as float))",
            x=value,
        )
    return fill(f"cast(:x as {name})", x=value) if found in (*NUMBERS, "bool") else None


def _to_decimal(value: exp.Expr, target: exp.DataType) -> exp.Expr | None:
    precision, scale = decimal_sizes(target)
    found = family(value)
    if found in ("float32", "float64"):
        factor = f"1E{scale}D"
        return fill(
            # of what is no number Spark makes null
            "if(isnan(:x) or abs(:x) = cast('Infinity' as double), "
            "raise_error(concat('Could not cast value ', cast(:x as string), ' to a decimal')), "
            f"cast(round(cast(:x as double) * {factor}, 0) / {factor} "
            f"as decimal({precision}, {scale})))",
            x=value,
        )
    if found in (*NUMBERS, "string"):
        return fill(f"cast(:x as decimal({precision}, {scale}))", x=value)
    return None


def _to_text(value: exp.Expr, _: exp.DataType) -> exp.Expr | None:
    template = _TO_TEXT.get(family(value))
    if family(value) in FLOATS and _is_read_again(value):
        template = "cast(:x as string)"
    return None if template is None else fill(template, x=value)


def _is_read_again(value: exp.Expr) -> bool:
    """Return whether the text of a number is only there to be read as a number again."""
    around = value.parent.parent if isinstance(value.parent, exp.Cast) else None
    return isinstance(around, exp.Cast) and family(around) in FLOATS


def _to_bool(value: exp.Expr, _: exp.DataType) -> exp.Expr | None:
    found = family(value)
    if found == "string":
        return fill(_FROM_TEXT["bool"], x=value)
    return fill("cast(:x as boolean)", x=value) if found in ("integer", "bool") else None


def _to_moment(value: exp.Expr, target: exp.DataType) -> exp.Expr | None:
    if target.this.value.upper() in ("TIMESTAMP_S", "TIMESTAMP_MS"):
        return None
    name = spell_type(target)
    wanted = {"date": "date", "timestamp_ntz": "timestamp", "timestamp": "zoned"}[name]
    found = family(value)
    if found == "string":
        return fill(_FROM_TEXT[wanted], x=value)
    return fill(f"cast(:x as {name})", x=value) if found in MOMENTS else None


def _make_nothing(value: exp.Expr, target: exp.DataType) -> None:  # noqa: ARG001
    return None


_MAKERS: dict[str, Callable[[exp.Expr, exp.DataType], exp.Expr | None]] = {
    "bool": _to_bool,
    "date": _to_moment,
    "decimal": _to_decimal,
    "float32": _to_float,
    "float64": _to_float,
    "string": _to_text,
    "timestamp": _to_moment,
    "zoned": _to_moment,
}
