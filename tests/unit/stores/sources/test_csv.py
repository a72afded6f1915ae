import bz2
import datetime as dt
import gzip
import lzma
import os
import zipfile

import pyarrow as pa
import pytest

from segue.errors import SourceError


def test_types_are_inferred_and_can_be_stated(world):
    world.put("a.csv", "id,day,amount,name\n7,2020-01-01,1.5,x\n8,2020-01-02,,y\n")
    assert world.types("csv", path="a.csv") == (
        "id: int64, day: date, amount: float64, name: string"
    )
    stated = {"id": "string", "amount": "decimal(10,2)"}
    assert world.types("csv", path="a.csv", types=stated) == (
        "id: string, day: date, amount: decimal(10,2), name: string"
    )
    assert world.read("csv", path="a.csv", types=stated)["id"].to_pylist() == ["7", "8"]


def test_numbers_that_begin_with_zeros_are_text(world):
    world.put("a.csv", "zip\n00184\n20121\n")
    assert world.read("csv", path="a.csv")["zip"].to_pylist() == ["00184", "20121"]


def test_a_late_text_among_numbers_makes_a_text_column(world):
    rows = "".join(f"{number},1\n" for number in range(30_000))
    world.put("late.csv", f"a,b\n{rows}x,1\n")
    assert world.types("csv", path="late.csv") == "a: string, b: int64"


def test_a_quote_that_first_stands_late_is_a_quote(world):
    rows = "".join(f"{number},x\n" for number in range(30_000))
    world.put("quote.csv", f'a,b\n{rows}1,"p, ""q"""\n')
    assert world.read("csv", path="quote.csv")["b"][-1].as_py() == 'p, "q"'


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.csv", "a,b\n1,x\n", {}),
        ("a.csv", "a;b\n1;x\n", {}),
        ("a.csv", "a|b\n1|x\n", {}),
        ("a.csv", "a::b\n1::x\n", {"delimiter": "::"}),
        ("a.tsv", "a\tb\n1\tx\n", {}),
        ("a.csv", "a,b\r\n1,x\r\n", {}),
        ("a.csv", "\ufeffa,b\n1,x\n", {}),
        ("a.csv", "'a','b'\n1,'x'\n", {"quote": "'"}),
        ("a.csv", "# note\na,b\n# note\n1,x\n", {"comment": "#"}),
        ("a.csv", "title\n\na,b\n1,x\n", {"skip": 2}),
        ("a.csv", "1,x\n", {"columns": ("a", "b")}),
        ("a.csv", "p,q\n1,x\n", {"columns": ("a", "b")}),
        ("a.csv", '"a","b"\n1,"x"\n', {}),
    ],
)
def test_ways_to_write_one_table(world, name, text, options):
    world.put(name, text)
    table = world.read("csv", path=name, **options)
    assert table.to_pylist() == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "cp850"])
def test_encodings(world, encoding):
    world.put("a.csv", "name,b\nè,1\n".encode(encoding))
    table = world.read("csv", path="a.csv", encoding=encoding)
    assert table.to_pylist() == [{"name": "è", "b": 1}]


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
def test_compressed_files(world, ending, pack):
    world.put(f"a.csv.{ending}", pack(b"a,b\n1,2\n"))
    assert world.read("csv", path=f"a.csv.{ending}").to_pylist() == [{"a": 1, "b": 2}]


def test_an_archive_holds_one_file(world):
    with zipfile.ZipFile(world.root / "a.csv.zip", "w") as archive:
        archive.writestr("inner.csv", "a,b\n1,2\n")
    assert world.read("csv", path="a.csv.zip").to_pylist() == [{"a": 1, "b": 2}]
    with zipfile.ZipFile(world.root / "a.csv.zip", "a") as archive:
        archive.writestr("other.csv", "a,b\n1,2\n")
    with pytest.raises(SourceError, match="2 files"):
        world.read("csv", path="a.csv.zip")


def test_nulls_decimals_and_dates(world):
    world.put("a.csv", "a;b;c\n1,5;NA;31/12/2020\n-;x;01/12/2020\n")
    table = world.read("csv", path="a.csv", decimal=",", nulls=("NA", "-"))
    assert table.to_pylist() == [
        {"a": 1.5, "b": None, "c": dt.date(2020, 12, 31)},
        {"a": None, "b": "x", "c": dt.date(2020, 12, 1)},
    ]
    world.put("b.csv", "d\n12-31-20\n")
    table = world.read("csv", path="b.csv", types={"d": "date"}, date_format="%m-%d-%y")
    assert table["d"].to_pylist() == [dt.date(2020, 12, 31)]


def test_files_of_a_folder_are_one_table(world):
    world.put("m/1.csv", "a,b\n1,2\n")
    world.put("m/2.csv", "b,a\nx,3\n")
    assert world.read("csv", path="m").to_pylist() == [{"a": 1, "b": "2"}, {"a": 3, "b": "x"}]
    third = world.put("m/3.csv", "a,c\n5,6\n")
    with pytest.raises(SourceError, match="columns differ") as caught:
        world.read("csv", path="m/*.csv")
    assert caught.value.location.path == "m/3.csv"
    assert world.types("csv", path="m", union=True) == "a: int64, b: string, c: int64"
    part = world.read("csv", (str(third),), path="m", union=True)
    assert part.to_pylist() == [{"a": 5, "b": None, "c": 6}]


def test_a_beginning_without_names(world):
    world.put("a.csv", "1,x\n2,y\n")
    assert world.types("csv", path="a.csv") == "column1: int64, column2: string"
    world.put("b.csv", "x,y\n1,2\n")
    assert world.read("csv", path="b.csv", header=False).num_rows == 2


def test_only_a_header_is_a_table_without_rows(world):
    world.put("a.csv", "a,b\n")
    table = world.read("csv", path="a.csv")
    assert (table.column_names, table.num_rows) == (["a", "b"], 0)


def test_a_header_that_comes_again_is_a_row(world):
    world.put("a.csv", "a,b\n1,2\na,b\n")
    assert world.types("csv", path="a.csv") == "a: string, b: string"


@pytest.mark.parametrize(
    ("content", "options", "message", "line"),
    [
        (b"a,b\n1,2\n1,2,3\n", {}, "2 fields were expected", 3),
        (b"a,b\n1,2\n1\n", {}, "2 fields were expected", 3),
        (b"a,b\n1,2\nx,2\n", {"types": {"a": "int64"}}, "'x' is not of type int64", 3),
        (b'a,b\n1,"x\n2,y\n', {}, "a quote is not closed", 2),
        (b"a,b\n1,x\n\xe8,y\n", {}, "byte 0xe8 is not UTF-8", 3),
        ("a,b\n1,x\n".encode("utf-16"), {}, "its text is UTF-16", None),
        (b"a,b\n\x83\x41,1\n\xff\xff,2\n", {"encoding": "shift_jis"}, "not shift_jis", 3),
        (b"a,a\n1,2\n", {}, "two columns are called 'a'", 1),
        (b"a,b\n1,2\n", {"columns": ("x",)}, "1 names", 1),
        (b"", {}, "empty", None),
        (b"\n", {}, "empty", None),
        (b"a,b\n1,2\n", {"types": {"zz": "int64"}}, "'zz'", None),
        (b"a,b\n1," + b"x" * (65 << 20) + b"\n", {}, "longer than", 2),
    ],
)
def test_a_bad_line_is_named(world, content, options, message, line):
    world.put("data/bad.csv", content)
    with pytest.raises(SourceError, match=message) as caught:
        world.read("csv", path="data/bad.csv", **options)
    assert str(caught.value.location) == f"data/bad.csv{'' if line is None else f':{line}'}"
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.csv.gz", gzip.compress(os.urandom(9000))[:4000]),
        ("cut.csv.xz", lzma.compress(b"a,b\n" * 9000)[:100]),
        ("fake.csv.gz", b"a,b\n1,2\n"),
        ("fake.csv.zip", b"a,b\n1,2\n"),
    ],
)
def test_a_damaged_archive_is_named(world, name, content):
    world.put(name, content)
    with pytest.raises(SourceError, match="can't be read") as caught:
        world.read("csv", path=name)
    assert caught.value.location.path == name


def test_short_lines_end_in_nulls_if_that_is_asked_for(world):
    world.put("a.csv", "a,b\n1,2\n3\n")
    assert world.read("csv", path="a.csv", ragged=True)["b"].to_pylist() == [2, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ",", "decimal": ","}, "comma"),
        ({"delimiter": '"'}, "can't be the same"),
        ({"encoding": "utf-9"}, "no encoding"),
        ({"types": {"a": "flot"}}, "unknown type"),
        ({"delimeter": ";"}, "delimeter"),
        ({"columns": ("a", "a")}, "twice"),
    ],
)
def test_options_that_make_no_sense(world, options, message):
    world.put("a.csv", "a\n1\n")
    with pytest.raises(SourceError, match=message) as caught:
        world.read("csv", path="a.csv", **options)
    assert caught.value.location.path == "segue.toml"
