"""Samples and explanations of rows in files: a few are read by their numbers, all are counted."""

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import segue
from segue.judge.measure import measure_table
from segue.spec.scan import Scan
from tests.unit.judge.judging import make_check, make_contract

ROWS = 3000
AMOUNT = make_check("between", [0, 9], ["amount"])


def make_rows(bad, start=0):
    numbers = range(start, start + ROWS)
    return pa.table(
        {
            "id": list(numbers),
            "carrier": ["XX" if n % 10 == 0 else "UA" if n % 2 else "DL" for n in numbers],
            "open": [n % 3 == 0 for n in numbers],
            "amount": [-1.5 - n if bad(n) else 1.0 for n in numbers],
        }
    )


@pytest.fixture
def measure(session, tmp_path):
    """Measure files of rows; of Parquet."""

    def call(tables, *checks, **rest):
        paths = [tmp_path / f"part {at}.parquet" for at in range(len(tables))]
        for table, path in zip(tables, paths, strict=True):
            pq.write_table(table, path)
        session.bind("orders", Scan("parquet", tuple(map(str, paths))))
        schema = session.describe("select * from orders")
        contract = make_contract(*(checks or (AMOUNT,)), **rest)
        return measure_table(session, "orders", contract, schema).measurements

    return call


def test_a_few_rows_of_a_large_file_are_read_by_their_numbers(measure, session):
    [found] = measure([make_rows(lambda n: n % 10 == 0)])

    assert found.shared == ("all of them have carrier = 'XX' (10% of all rows)",)
    assert [row["id"] for row in found.sample] == [0, 10, 20, 30, 40]
    assert list(found.sample[0]) == ["amount", "id", "carrier", "open"]
    read = [query for query in session.queries if "__segue_row in (" in query]
    assert len(read) == 1
    assert not [query for query in session.queries if "grouping sets" in query]


def test_random_failures_cost_no_second_count_of_failing_rows(measure, session):
    [found] = measure([make_rows(lambda n: n * 7919 % 101 == 0)])

    assert found.shared == ()
    assert not [query for query in session.queries if "__segue_f0 and" in query]


def make_parts():
    return [make_rows(lambda n, at=at: at == 2 and n % 9 == 0, at * ROWS) for at in range(4)]


def test_the_file_that_failing_rows_came_in_is_told(measure):
    [found] = measure(make_parts())

    assert "all of them came in the file part 2.parquet (25% of all rows)" in found.shared
    assert {row["id"] // ROWS for row in found.sample} == {2}


def test_the_file_is_told_of_texts_as_well(tmp_path):
    for at, table in enumerate(make_parts()):
        pa_csv.write_csv(table, tmp_path / f"part {at}.csv")

    report = segue.check(str(tmp_path / "*.csv"), {"columns": {"amount": {"between": [0, 9]}}})

    [found] = report.measurements
    assert "all of them came in the file part 2.csv (25% of all rows)" in found.shared


def test_rows_of_the_same_number_in_other_files_are_not_taken_for_them(measure):
    tables = [make_rows(lambda n, at=at: n == at * ROWS + 5, at * ROWS) for at in range(3)]

    [found] = measure(tables)

    assert [row["id"] for row in found.sample] == [5, ROWS + 5, 2 * ROWS + 5]


def test_keys_and_conditions_are_told_by_number_as_well(measure):
    rows = make_rows(lambda n: False)
    twice = pa.concat_tables(
        [rows, rows.slice(0, 400).filter(pa.compute.equal(rows["carrier"][:400], "XX"))]
    )

    [found] = measure([twice], make_check("unique", True, ["id"]))

    assert (found.failing, len(found.sample)) == (80, 5)
    assert found.shared == ("all of them have carrier = 'XX' (11% of all rows)",)


def test_sensitive_values_stay_hidden(measure):
    [found] = measure([make_rows(lambda n: n % 10 == 0)], sensitive=("carrier", "id"))

    assert found.shared == ()
    assert {row["carrier"] for row in found.sample} == {"***"}


def test_a_column_that_is_called_like_a_place_is_no_trouble(measure):
    rows = make_rows(lambda n: n % 10 == 0).rename_columns(
        ["filename", "carrier", "open", "amount"]
    )

    [found] = measure([rows])

    assert found.shared == ("all of them have carrier = 'XX' (10% of all rows)",)
    assert found.sample[0]["filename"] == 0
