"""PostgreSQL as a destination: a real server, and processes that are killed."""

import pyarrow as pa
import pytest

from segue.errors import DestinationError
from segue.spec.edge import DestinationSpec
from tests.fleet.destinations.drain import drain
from tests.fleet.destinations.killing import POINTS, drain_killed
from tests.fleet.destinations.spools import add, fill


@pytest.fixture
def base(live_postgres):
    return live_postgres.address(live_postgres.make_database())


def ask(address, query):
    import psycopg

    with psycopg.connect(address) as connection:
        return connection.execute(query).fetchall()


def spec(base, **options):
    return DestinationSpec("base", "postgres", {"url": base, **options})


def test_rows_arrive_with_provenance_in_a_table_that_is_made(tmp_path, base):
    fill(tmp_path / "spool.db")
    (status,) = drain(tmp_path / "spool.db", [spec(base)])
    assert status == {"name": "base", "kind": "postgres", "unsent": 0, "refused": 0, "error": ""}
    assert ask(base, "select n, text from clean order by n") == [(n, f"t{n}") for n in range(50)]
    assert ask(base, "select distinct _node, _deployment, _schema, _clock, _labels from clean") == [
        ("node-1", 1, "5c4e3a", "ok", {"role": "shop"})
    ]
    assert ask(base, "select _sequence, count(*) from clean group by 1 order by 1") == [
        (sequence, 5) for sequence in range(1, 11)
    ]
    assert ask(base, "select node, stream, last from segue_cursors") == [("node-1", "clean", 10)]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_each_point_rows_stand_there_once(tmp_path, base, point):
    numbers = drain_killed(tmp_path / "spool.db", spec(base), point)
    assert [n for (n,) in ask(base, "select n from clean order by n")] == numbers


def test_a_row_that_is_refused_becomes_a_gap_there_and_the_others_flow(tmp_path, base):
    path = tmp_path / "spool.db"
    fill(path, batches=3)
    add(path, "clean", pa.table({"n": [100], "text": ["a\0b"]}))
    add(path, "other", pa.table({"n": [1]}))
    fill(path, batches=3, begin=3)
    (status,) = drain(path, [spec(base)])
    assert status["refused"] == 1
    assert [n for (n,) in ask(base, "select n from clean order by n")] == [*range(30)]
    assert ask(base, "select n from other") == [(1,)]
    ((first, last, rows, reason),) = ask(
        base, "select first_sequence, last_sequence, rows, reason from clean__gaps"
    )
    assert (first, last, rows) == (4, 4, 1)
    assert "0x00" in reason


def test_a_declared_gap_and_a_new_column_arrive(tmp_path, base):
    path = tmp_path / "spool.db"
    fill(path, batches=2)
    add(path, "clean", None, rows=25, reason="spool full")
    more = pa.table({"n": [50], "text": ["t"], "unit": ["C"]})
    add(path, "clean", more, schema="6d5f4b")
    drain(path, [spec(base)])
    assert ask(base, "select first_sequence, last_sequence, rows, reason from clean__gaps") == [
        (3, 3, 25, "spool full")
    ]
    assert ask(base, "select n, unit from clean where _sequence = 4") == [(50, "C")]


def test_every_type_arrives(tmp_path, base):
    from datetime import UTC, date, datetime, time, timedelta
    from decimal import Decimal

    values = {
        "u64": (2**64 - 1, pa.uint64(), Decimal(2**64 - 1)),
        "i8": (-1, pa.int8(), -1),
        "f": (float("inf"), pa.float64(), float("inf")),
        "yes": (True, pa.bool_(), True),
        "day": (date(2024, 2, 29), pa.date32(), date(2024, 2, 29)),
        "clock": (time(1, 2, 3), pa.time64("us"), time(1, 2, 3)),
        "at": (
            datetime(2024, 1, 1, tzinfo=UTC),
            pa.timestamp("us", "UTC"),
            datetime(2024, 1, 1, tzinfo=UTC),
        ),
        "fine": (
            1_700_000_000_123_456_789,
            pa.timestamp("ns"),
            datetime(2023, 11, 14, 22, 13, 20, 123456),  # noqa: DTZ001  # it has no zone
        ),
        "took": (timedelta(seconds=5), pa.duration("us"), timedelta(seconds=5)),
        "money": (Decimal("1.25"), pa.decimal128(18, 2), Decimal("1.25")),
        "raw": (b"\x00\xff", pa.binary(), b"\x00\xff"),
        "list": ([1, None], pa.list_(pa.int64()), [1, None]),
        "map": ([("a", 1.5)], pa.map_(pa.string(), pa.float64()), {"a": 1.5}),
        "part": ({"a": b"\x01"}, pa.struct([("a", pa.binary())]), {"a": "AQ=="}),
        'odd "name"': ("", pa.string(), ""),
        "none": (None, pa.null(), None),
    }
    arrays = {name: pa.array([value], type_) for name, (value, type_, _) in values.items()}
    add(tmp_path / "spool.db", "clean", pa.table(arrays))
    drain(tmp_path / "spool.db", [spec(base)])
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in values)
    assert ask(base, f"select {names} from clean") == [tuple(each for *_, each in values.values())]


def test_a_password_is_not_told(live_postgres):
    from segue.agent.destinations.postgres import PostgresDestination

    address = live_postgres.address().replace("owner:", "nobody:")
    with pytest.raises(DestinationError) as told:
        PostgresDestination().open(DestinationSpec("base", "postgres", {"url": address}))
    assert "nobody" in str(told.value)
    assert "word%2F" not in str(told.value)
    assert "word/" not in str(told.value)
