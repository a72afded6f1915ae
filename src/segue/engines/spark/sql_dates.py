"""Functions of dates and timestamps that mean on Spark what they mean in DuckDB."""

from __future__ import annotations

from sqlglot import exp

from segue.engines.dialects.families import MOMENTS, family, set_type, show
from segue.engines.spark.sql_template import fill
from segue.engines.spark.sql_types import refuse

_PARTS = {
    "YEAR": "year(:x)",
    "MONTH": "month(:x)",
    "DAY": "day(:x)",
    "HOUR": "hour(:x)",
    "MINUTE": "minute(:x)",
    "SECOND": "second(:x)",
    "QUARTER": "quarter(:x)",
    "WEEK": "weekofyear(:x)",
    "DOW": "dayofweek(:x) - 1",
    "DAYOFWEEK": "dayofweek(:x) - 1",
    "ISODOW": "weekday(:x) + 1",
    "DAYOFWEEKISO": "weekday(:x) + 1",
    "DOY": "dayofyear(:x)",
    "DAYOFYEAR": "dayofyear(:x)",
    "DAYOFMONTH": "day(:x)",
    "WEEKOFYEAR": "weekofyear(:x)",
}

_TRUNCATED = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")

_MICROS = "unix_micros(cast({} as timestamp))"
_COUNTED = {
    "DAY": "datediff(cast({} as date), date '1970-01-01')",
    "MONTH": "year({0}) * 12 + month({0})",
    "QUARTER": "year({0}) * 4 + quarter({0})",
    "YEAR": "year({})",
    "HOUR": f"({_MICROS} - pmod({_MICROS}, 3600000000)) div 3600000000".replace("{}", "{0}"),
    "MINUTE": f"({_MICROS} - pmod({_MICROS}, 60000000)) div 60000000".replace("{}", "{0}"),
    "SECOND": f"({_MICROS} - pmod({_MICROS}, 1000000)) div 1000000".replace("{}", "{0}"),
}
"""Number of the year, month, ... of a moment, counted from anywhere."""

_FRACTIONS = {
    "EPOCH": ("cast(unix_micros(cast(:x as timestamp)) as double) / 1000000", "DOUBLE"),
    "MILLISECOND": ("pmod(unix_micros(cast(:x as timestamp)), 60000000) div 1000", "BIGINT"),
    "MICROSECOND": ("pmod(unix_micros(cast(:x as timestamp)), 60000000)", "BIGINT"),
    "ISOYEAR": ("cast(extract(yearofweek from :x) as bigint)", "BIGINT"),
}


def _need_moment(node: exp.Expr, *parts: exp.Expr) -> None:
    for part in parts:
        if family(part) not in MOMENTS:
            raise refuse(f"{show(node)} of a {family(part)}", "cast it: x::timestamp")


def convert_date_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a moment as a number."""
    if isinstance(node, exp.Extract):
        name, value = node.this.name.upper(), node.expression
    else:
        name, value = type(node).__name__.upper(), node.this
    return _read_part(node, name, value)


def convert_named_part(node: exp.Expr) -> exp.Expr:
    """Return a part of a moment that a function is asked for, by the part's name."""
    if len(node.expressions) == 1:
        return _read_part(node, node.name.upper(), node.expressions[0])
    name, value = node.expressions
    if not isinstance(name, exp.Literal):
        raise refuse(show(node), "write out the part: date_part('year', x)")
    return _read_part(node, name.name.upper(), value)


def _read_part(node: exp.Expr, name: str, value: exp.Expr) -> exp.Expr:
    _need_moment(node, value)
    name = name if name in _PARTS else name.removesuffix("S")
    if name in _FRACTIONS:
        text, kind = _FRACTIONS[name]
        return set_type(fill(text, x=value), kind)
    if name not in _PARTS:
        raise refuse(show(node))
    return set_type(fill(f"cast({_PARTS[name]} as bigint)", x=value), "BIGINT")


def convert_epoch(node: exp.Expr) -> exp.Expr:
    """Return the seconds since 1970, with fractions."""
    _need_moment(node, node.this)
    micros = "cast(unix_micros(cast(:x as timestamp)) as double) / 1000000"
    return set_type(fill(micros, x=node.this), "DOUBLE")


def convert_truncated(node: exp.Expr) -> exp.Expr:
    """Return the beginning of the year, month, ... of a moment."""
    _need_moment(node, node.this)
    unit = node.text("unit").upper()
    if unit not in _TRUNCATED:
        raise refuse(show(node))
    zoned = family(node.this) == "zoned"
    name = "timestamp" if zoned else "timestamp_ntz"
    made = fill(f"cast(date_trunc('{unit}', :x) as {name})", x=node.this)
    return set_type(made, "TIMESTAMPTZ" if zoned else "TIMESTAMP")


def convert_apart(node: exp.Expr) -> exp.Expr:
    """Return how many days, months, hours, ... begin between two moments."""
    _need_moment(node, node.this, node.expression)
    unit = node.text("unit").upper().removesuffix("S")
    if unit not in _COUNTED:
        raise refuse(show(node))
    later, earlier = (_COUNTED[unit].format(place) for place in (":b", ":a"))
    made = fill(f"cast(({later}) - ({earlier}) as bigint)", a=node.expression, b=node.this)
    return set_type(made, "BIGINT")


def convert_made_date(node: exp.Expr) -> exp.Expr:
    """Return the date of a year, month and day."""
    parts = [node.args[name] for name in ("year", "month", "day")]
    if any(family(part) != "integer" for part in parts):
        raise refuse(show(node))
    year, month, day = parts
    ints = "cast(:y as int), cast(:m as int), cast(:d as int)"
    return set_type(fill(f"make_date({ints})", y=year, m=month, d=day), "DATE")


def convert_interval(node: exp.Expr) -> exp.Expr:
    """Return an interval beside a moment or a width; alone it can't be carried over."""
    if not isinstance(node.parent, (exp.Add, exp.Sub, exp.DateAdd, exp.DateBin, exp.WindowSpec)):
        raise refuse(show(node))
    return set_type(node, "INTERVAL")


def convert_count(node: exp.Expr) -> exp.Expr:
    """Return the moment that a number counts since 1970, or the number of a moment."""
    scale = node.args.get("scale")
    if scale is None and family(node.this) == "integer":
        return set_type(fill("timestamp_seconds(:x)", x=node.this), "TIMESTAMPTZ")
    if scale is None or scale.name != "3" or family(node.this) not in MOMENTS:
        raise refuse(show(node))
    micros = "unix_micros(cast(:x as timestamp))"
    return set_type(fill(f"{micros} div 1000", x=node.this), "BIGINT")


def convert_micros(node: exp.Expr) -> exp.Expr:
    """Return the microseconds since 1970."""
    (value,) = node.expressions
    _need_moment(node, value)
    return set_type(fill("unix_micros(cast(:x as timestamp))", x=value), "BIGINT")


def convert_last_day(node: exp.Expr) -> exp.Expr:
    """Return the last day of the month."""
    _need_moment(node, node.this)
    if node.args.get("unit"):
        raise refuse(show(node))
    return set_type(fill("last_day(cast(:x as date))", x=node.this), "DATE")


def convert_name(node: exp.Expr) -> exp.Expr:
    """Return the English name of the month or of the day of the week."""
    _need_moment(node, node.this)
    letters = "MMMM" if isinstance(node, exp.Monthname) else "EEEE"
    return set_type(fill(f"date_format(:x, '{letters}')", x=node.this), "VARCHAR")


def convert_bucket(node: exp.Expr) -> exp.Expr:
    """Return the beginning of the span of a fixed length that a moment is in."""
    value = node.expression
    width = read_width(node.this)
    if width is None or node.args.get("zone") or node.args.get("origin"):
        raise refuse(show(node), "write out a width in days, hours, minutes or seconds")
    if family(value) not in ("timestamp", "zoned"):
        raise refuse(f"{show(node)} of a {family(value)}", "cast it: x::timestamp")
    name = "timestamp_ntz" if family(value) == "timestamp" else "timestamp"
    micros = "unix_micros(cast(:x as timestamp))"
    made = fill(
        f"cast(timestamp_micros({micros} - pmod({micros} - {_ORIGIN}, {width})) as {name})",
        x=value,
    )
    made.type = value.type
    return made


_ORIGIN = 946_857_600_000_000
"""Microseconds from 1970 to Monday, 3 January 2000, from which DuckDB counts."""
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}


def read_width(node: exp.Expr) -> int | None:
    """Return the microseconds of an interval that is written out; None if they vary."""
    if not isinstance(node, exp.Interval) or not isinstance(node.this, exp.Literal):
        return None
    unit = node.text("unit").upper().removesuffix("S")
    if unit not in _SECONDS or not node.this.name.isdigit() or not int(node.this.name):
        return None
    return int(node.this.name) * _SECONDS[unit] * 1_000_000


def convert_zone(node: exp.Expr) -> exp.Expr:
    """Return the moment that clocks of a zone show, or what they show at a moment.

    An hour that comes twice is the later one.
    """
    zone, found = node.args["zone"], family(node.this)
    if not isinstance(zone, exp.Literal) or ("/" not in zone.name and zone.name != "UTC"):
        raise refuse(show(node), "write out the zone: 'Europe/Brussels'")
    if found == "zoned":
        text = "convert_timezone('UTC', :z, cast(:x as timestamp_ntz))"
        return set_type(fill(text, x=node.this, z=zone), "TIMESTAMP")
    if found != "timestamp":
        raise refuse(f"{show(node)} of a {found}", "cast it: x::timestamp")
    once = "convert_timezone(:z, 'UTC', :x)"
    later = f"{once} + interval '1' hour"
    twice = f"convert_timezone('UTC', :z, {later}) = :x"
    made = fill(f"cast(if({twice}, {later}, {once}) as timestamp)", x=node.this, z=zone)
    return set_type(made, "TIMESTAMPTZ")
