"""What checks measured over time: one row a measurement, passes included."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from segue.spec.contract import Verdict
from segue.spec.history import Point
from segue.stores.codec import (
    decode_measurement,
    decode_segments,
    dump_json,
    encode_measurement,
    encode_segments,
)
from segue.stores.ledger_tables import measurements, runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from segue.spec.contract import Measurement
    from segue.spec.history import Judged

# in the order of the fields of a point
_TOLD = tuple(
    measurements.c[name]
    for name in (
        *("measured_at", "verdict", "rows", "failing", "value", "run_id"),
        *("number", "code", "seconds", "check_name", "segments"),
    )
)
_VERDICTS = {str(verdict): verdict for verdict in Verdict}
_PAGE = 1000


def find_points(
    connection: Connection, table: str, check: str | None, environment: str, limit: int
) -> tuple[Point, ...]:
    """Return the newest measurements of a table or of one check of it, oldest first."""
    if check is None:
        here = measurements.c.environment == environment
        query = select(*_TOLD).where(measurements.c.name == table, here)
    else:
        series = name_series(environment, table, check)
        query = select(*_TOLD).where(measurements.c.series == series)
    newest = query.order_by(measurements.c.id.desc()).limit(limit)
    found = connection.execute(newest).all()
    return tuple(map(_read_point, reversed(found)))


def _read_point(row: Any) -> Point:
    at, verdict, rows, failing, value, run_id, number, code, seconds, check, segments = row
    parts = decode_segments(json.loads(segments)) if segments else ()
    made = (run_id, number, code or "", seconds, check, parts)
    return Point(at, _VERDICTS[verdict], rows, failing, value, *made)


def measurement_rows(judged: Judged, environment: str, now: str) -> list[dict[str, Any]]:
    """Return what is kept of the measurements of a table."""
    return [
        {
            "run_id": judged.run_id,
            "name": each.table,
            "measured_at": judged.at or now,
            "number": judged.version,
            "measurement": dump_json(encode_measurement(each)),
            **_point_columns(each, environment),
            "code": judged.code,
        }
        for each in judged.report.measurements
    ]


def _point_columns(each: Measurement, environment: str) -> dict[str, Any]:
    segments = encode_segments(each.tracked)
    return {
        "environment": environment,
        "check_name": each.check,
        "series": name_series(environment, each.table, each.check),
        "verdict": str(each.verdict),
        "rows": each.rows,
        "failing": each.failing,
        "value": each.value,
        "seconds": each.seconds,
        "segments": dump_json(segments) if segments else None,
    }


def insert_measurements(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep measurements, if there are some."""
    if rows:
        connection.execute(insert(measurements), rows)


def name_series(environment: str, table: str, check: str) -> str:
    """Return a short name for the history of a check.

    Example:
        >>> name_series("production", "orders", "rows")
        '77fd886f426dc52618e234bbd6218dcd'
    """
    text = f"{environment}\0{table}\0{check}".encode("utf-8", "surrogatepass")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def fill_points(connection: Connection) -> None:
    """Read out of the texts of an older ledger what histories are drawn from."""
    environments = dict(connection.execute(select(runs.c.run_id, runs.c.environment)).all())
    names = (
        "environment",
        "check_name",
        "series",
        "verdict",
        "rows",
        "failing",
        "value",
        "seconds",
    )
    filled = update(measurements).where(measurements.c.id == bindparam("of"))
    filled = filled.values({name: bindparam(name) for name in names})
    texts = select(measurements.c.id, measurements.c.run_id, measurements.c.measurement)
    last = 0
    while page := connection.execute(
        texts.where(measurements.c.id > last).order_by(measurements.c.id).limit(_PAGE)
    ).all():
        rows = []
        for number, run_id, text in page:
            told = decode_measurement(json.loads(text))
            columns = _point_columns(told, environments.get(run_id, "production"))
            rows.append({"of": number, **{name: columns[name] for name in names}})
        connection.execute(filled, rows)
        last = page[-1].id
