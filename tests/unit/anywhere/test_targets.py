"""What texts on a command line name."""

import pytest

from segue.anywhere.targets import Target, is_database, name_path, read_address, read_targets
from segue.errors import UnknownNameError, UsageError

CRM = {"crm": "postgresql://me:${PASSWORD}@db/crm"}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["a.csv"], [Target("a", path="a.csv")]),
        (["x=a.csv", "b/*.csv"], [Target("x", path="a.csv"), Target("b", path="b/*.csv")]),
        (["d/day=1/a.csv"], [Target("a", path="d/day=1/a.csv")]),
        (
            ["crm", "public.orders", "s=stores"],
            [
                Target("orders", address=CRM["crm"], table="public.orders"),
                Target("s", address=CRM["crm"], table="stores"),
            ],
        ),
        (["crm"], [Target("t", address=CRM["crm"], table="t")]),
        (
            ["postgresql://h/d?table=a.b&sslmode=require", "x.csv"],
            [
                Target("b", address="postgresql://h/d?sslmode=require", table="a.b"),
                Target("x", path="x.csv"),
            ],
        ),
        (["shop.db", "t"], [Target("t", address="sqlite:///shop.db", table="t")]),
        (["/x/shop.sqlite"], [Target("t", address="sqlite:////x/shop.sqlite", table="t")]),
    ],
    ids=str,
)
def test_texts(texts, found):
    assert list(read_targets(texts, CRM, tables=["t"])) == found


def test_a_query_comes_first():
    (query,) = read_targets(["crm"], CRM, sql="select 1")
    assert query == Target("query", address=CRM["crm"], query="select 1")
    query, other = read_targets(["a.csv"], sql="from a")
    assert (query.address, query.query, other.name) == ("", "from a", "a")


def test_two_of_one_name():
    with pytest.raises(UsageError, match="two of the data are called 'a'"):
        read_targets(["a.csv", "x/a.csv"])


def test_table_and_query_at_once():
    with pytest.raises(UsageError, match="a table and a query"):
        read_address("sqlite:///a.db?table=t&query=select%201")


@pytest.mark.parametrize(
    "text",
    ["ray://head:1", "s3://bucket/a.parquet", "https://x/y.csv", "a.csv", "C:\\a.csv", "a:b"],
)
def test_what_is_no_database(text):
    assert not is_database(text)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "data"), ("*.csv", "data"), ("a.tar.gz", "a"), ("./x/", "x"), ("x/*/y?.csv", "x")],
)
def test_names_of_paths(path, name):
    assert name_path(path) == name


def test_passwords_are_shown_nowhere():
    target = read_address("mysql://me:hunter2@db/x?table=t")
    assert "hunter2" not in f"{target} {target.shown}"


def test_files_that_are_not_there(tmp_path, monkeypatch):
    from segue.anywhere.targets import refuse_missing

    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").touch()
    refuse_missing(read_targets(["orders.csv", "new/*.csv"]))
    with pytest.raises(UnknownNameError, match=r"no file or folder order\.csv") as caught:
        refuse_missing(read_targets(["order.csv"]))
    assert "'orders.csv'" in caught.value.hint
    with pytest.raises(UnknownNameError, match="no file, folder or connection crm"):
        refuse_missing(read_targets(["crm", "public.orders"]))
