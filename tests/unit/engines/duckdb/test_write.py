import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.errors import OutputError, SegueError, SqlError
from segue.frames.arrow_types import conform, from_arrow
from segue.spec.nearest import find_storage
from segue.spec.output import sum_digests
from segue.spec.scan import Scan
from segue.spec.types import TableSchema, parse_schema
from tests.unit.frames.every_type import SCHEMA, cells, make_table

# SQL can't hold two columns that differ only by case, nor durations of nanoseconds
TYPES = TableSchema(tuple(column for column in SCHEMA if column.name != "Text"))


@pytest.fixture
def write(session, tmp_path):
    def write_query(query, stem="part", schema=None):
        (file,) = session.write(
            query, tmp_path, stem, schema or session.describe(query), find_storage
        )
        return file

    return write_query


def digest_of(write, table, stem="part"):
    return write(table if isinstance(table, str) else "from t", stem).digest


def test_every_type_survives_a_file(session, write, tmp_path):
    table = make_table().select(list(TYPES.names))
    session.bind("t", table)
    file = write("from t", schema=TYPES)
    stored = pq.read_schema(tmp_path / file.path)
    assert from_arrow(stored) == TableSchema(
        tuple(type(column)(column.name, find_storage(column.type)) for column in TYPES)
    )
    session.bind("back", Scan("parquet", (str(tmp_path / file.path),), schema=TYPES))
    assert cells(conform(session.fetch("from back"), TYPES)) == cells(table)


def test_the_order_of_rows_survives(session, write, tmp_path):
    file = write("select hash(range) as h, range as a from range(300000) order by h desc")
    hashes = pq.read_table(tmp_path / file.path)["h"].to_pylist()
    assert hashes == sorted(hashes, reverse=True)


def test_what_is_recorded_of_a_file(session, write, tmp_path):
    session.bind(
        "t",
        pa.table(
            {
                "n": pa.array([3, None, 1], pa.int64()),
                "f": [1.5, -0.5, 2.5],
                "nan": [1.0, float("nan"), None],
                "inf": [1.0, float("inf"), None],
                "s": ["b", "a", None],
                "long": ["x" * 500, "y", "z"],
                "d": pa.array([1, None, 0], pa.int32()).cast(pa.date32()),
                "ts": pa.array([1_500_000, None, 0], pa.timestamp("us")),
                "tz": pa.array([1_500_000, None, 0], pa.timestamp("us", "UTC")),
                "dec": [Decimal("1.25"), None, Decimal("-1.00")],
                "flag": [True, None, False],
                "list": [[1], None, []],
                "none": pa.nulls(3),
            }
        ),
    )
    file = write("from t")
    assert (file.path, file.rows) == ("part-0.parquet", 3)
    assert file.bytes == (tmp_path / file.path).stat().st_size
    stats = json.loads(json.dumps(file.stats, allow_nan=False))
    assert stats == {
        "minValues": {
            "n": 1,
            "f": -0.5,
            "inf": 1.0,
            "s": "a",
            "d": "1970-01-01",
            "ts": "1970-01-01T00:00:00",
            "tz": "1970-01-01T00:00:00Z",
            "dec": -1.0,
        },
        "maxValues": {
            "n": 3,
            "f": 2.5,
            "s": "b",
            "d": "1970-01-02",
            "ts": "1970-01-01T00:00:01.5",
            "tz": "1970-01-01T00:00:01.5Z",
            "dec": 1.25,
        }
        | ({"long": "z"} if "long" in stats["maxValues"] else {}),
        "nullCount": {
            "n": 1,
            "f": 0,
            "nan": 1,
            "inf": 1,
            "s": 1,
            "long": 0,
            "d": 1,
            "ts": 1,
            "tz": 1,
            "dec": 1,
            "flag": 1,
            "none": 3,
        },
    }


def test_no_rows_leave_one_file_with_the_schema(session, write, tmp_path):
    file = write("select 1 as a, 'x' as b where false")
    assert file.rows == 0
    assert pq.read_schema(tmp_path / file.path).names == ["a", "b"]
    assert int(file.digest, 16) == 0


def test_progress_ends_with_all_rows(session, tmp_path):
    told = []
    query = "select range as a from range(10)"
    session.write(query, tmp_path, "p", session.describe(query), find_storage, told.append)
    assert told[-1] == 10


def test_columns_are_put_into_the_order_of_the_schema(session, write, tmp_path):
    file = write("select 1 as b, 'x' as a", schema=parse_schema("a: string, b: int64"))
    assert pq.read_schema(tmp_path / file.path).names == ["a", "b"]


@pytest.mark.parametrize("query", ["select 1 as a", "select 1 as a, 2 as b, 3 as c"])
def test_other_columns_than_the_schemas_are_refused(write, query):
    with pytest.raises(OutputError, match="column"):
        write(query, schema=parse_schema("a: int64, b: int64"))


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("1.5::double", "int64"),
        ("1.25::decimal(3,2)", "decimal(3,1)"),
        ("timestamp '2020-01-01 10:00:00'", "date"),
        ("timestamp_ns '2020-01-01 00:00:00.000000001'", "timestamp"),
        ("300", "int8"),
        ("'x'", "int64"),
        ("interval 1 month", "duration(us)"),
        ("interval 1500 milliseconds", "duration(s)"),
    ],
)
def test_a_cast_that_loses_something_is_refused_and_leaves_no_file(
    write, tmp_path, expression, type_
):
    with pytest.raises(SegueError):
        write(f"select {expression} as a", "lossy", parse_schema(f"a: {type_}"))
    assert not (tmp_path / "lossy-0.parquet").exists()


def test_names_that_differ_only_by_case_are_refused(write):
    with pytest.raises(SqlError, match="can't tell apart"):
        write('select 1 as a, 2 as "A"')


def test_the_digest_is_free_of_order_and_files(session, write, tmp_path):
    whole = write("select range as a, 'x' || range as b from range(1000)", "whole")
    turned = write("select range as a, 'x' || range as b from range(1000) order by 1 desc", "turn")
    parts = tuple(
        write(f"select range as a, 'x' || range as b from range({start}, {start + 500})", name)
        for start, name in ((0, "left"), (500, "right"))
    )
    assert whole.digest == turned.digest == sum_digests(parts)
    scan = Scan("parquet", tuple(str(tmp_path / part.path) for part in parts))
    assert [file.digest for file in session.digest(scan)] == [part.digest for part in parts]


DIFFERENT = [
    "select 0 as a where false",
    "select 0 as a",
    "select 1 as a",
    "select null::int as a",
    "select unnest([0, 0]) as a",
    "select 0 as a, 1 as b",
    "select 1 as a, 0 as b",
    "select null as a, 1 as b",
    "select 1 as a, null as b",
    "select 'a' as a, 'bc' as b",
    "select 'ab' as a, 'c' as b",
    "select '' as a",
    "select 'nan'::double as a",
    "select 'inf'::double as a",
    "select [] as a",
    "select [null] as a",
    "select [[], [1, 2]] as a",
    "select [[1], [2]] as a",
    "select [[1, 2]] as a",
    "select ['NULL'] as a",
    "select {'a': null} as a",
    "select {'a': {'a': null}} as a",
    "select map {} as a",
    "select map {'a': null} as a",
    "select unnest(['a', 'b']) as a, unnest(['c', 'd']) as b",
    "select unnest(['a', 'b']) as a, unnest(['d', 'c']) as b",
]


def test_different_rows_have_different_digests(write):
    digests = [write(query, f"d{number}").digest for number, query in enumerate(DIFFERENT)]
    assert len(set(digests)) == len(DIFFERENT)


@pytest.mark.parametrize(
    "same",
    [
        ("select 0.0::double as a", "select -0.0::double as a"),
        ("select 'nan'::double as a", "select -'nan'::double as a"),
        ("select 1::int as a", "select 1::bigint as a"),
    ],
)
def test_equal_values_have_equal_digests(write, same):
    first, second = (write(query, f"e{number}") for number, query in enumerate(same))
    assert first.digest == second.digest


def test_files_of_others_are_digested_alike(session, write, tmp_path):
    table = pa.table({"a": [1, 2, None], "b": ["x", None, "z"], "c": [0.5, float("nan"), None]})
    session.bind("t", table)
    ours = write("from t")
    pq.write_table(table, tmp_path / "theirs.parquet", row_group_size=1)
    (theirs,) = session.digest(Scan("parquet", (str(tmp_path / "theirs.parquet"),)))
    assert (theirs.path, theirs.rows, theirs.digest) == ("theirs.parquet", 3, ours.digest)
    assert theirs.stats["minValues"] == {"a": 1, "b": "x"}
    assert theirs.stats["maxValues"] == {"a": 2, "b": "z"}
    assert theirs.stats["nullCount"] == {"a": 1, "b": 1, "c": 1}


def test_a_scan_without_files_has_its_columns(session):
    session.bind("t", Scan("parquet", (), schema=TYPES))
    assert session.describe("from t").names == TYPES.names
    assert session.fetch("from t").num_rows == 0
    assert session.digest(Scan("parquet", ())) == ()
