"""Files that are broken, odd or huge: a clear error or rejects, and tables as they were."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.process.generations import Site

SETTINGS = """
[project]
name = "poison"

[tables.raw]
path = "data/*"
{options}
"""
GOOD = "id,amount,name\n1,10,ann\n2,20,bob\n3,30,cid\n"
TYPES = 'types = { id = "int64", amount = "int64", name = "string" }'


def cut(content):
    return content[: len(content) // 2]


def parquet(folder):
    path = folder / "made"
    pq.write_table(pa.table({"id": [1, 2], "amount": [3, 4], "name": ["a", "b"]}), path)
    content = path.read_bytes()
    path.unlink()
    return content


def poison(site, name, content):
    for path in (site.folder / "data").iterdir():
        path.unlink()
    data = content if isinstance(content, bytes) else content.encode()
    (site.folder / "data" / name).write_bytes(data)


@pytest.fixture
def shop(tmp_path):
    """A project with one published run over good rows."""
    site = Site(tmp_path / "project")
    site.edit("data/good.csv", GOOD)
    site.edit("segue.toml", SETTINGS.format(options=TYPES))
    site.edit("steps/copy.sql", "select id, amount, name from raw")
    site.edit("steps/total.sql", "select sum(amount)::bigint as amount from copy")
    assert site.ask("run").code == 0
    return site


def totals(site):
    ended = site.ask("query", "select (select count(*) from copy) n, amount from total", "--json")
    assert ended.code == 0, ended
    return ended.out


BROKEN = {
    "corrupt Parquet": ("p.parquet", lambda folder: parquet(folder)[:-20] + b"\0" * 20, None),
    "Parquet cut off": ("p.parquet", lambda folder: cut(parquet(folder)), None),
    "text called Parquet": ("p.parquet", lambda _: GOOD, None),
    "wrong encoding": ("bad.csv", lambda _: b"id,amount,name\n1,10,ann\n2,20,b\xf6b\n", 3),
    "header twice": ("bad.csv", lambda _: GOOD + GOOD, 5),
    "mixed types": ("bad.csv", lambda _: GOOD.replace("20", "many"), 3),
    "ragged lines": ("bad.csv", lambda _: GOOD + "4,40\n", 5),
    "long lines": ("bad.csv", lambda _: GOOD + "4,40,dan,more\n", 5),
    "truncated gzip": ("bad.csv.gz", lambda _: cut(gzip.compress(GOOD.encode() * 50)), None),
    "text called gzip": ("bad.csv.gz", lambda _: GOOD, None),
    "binary noise": ("bad.csv", lambda _: bytes(range(256)) * 40, None),
    "an open quote": ("bad.csv", lambda _: GOOD + '4,40,"dan\n5,50,eve\n', None),
    "a missing column": ("bad.csv", lambda _: "id,name\n1,ann\n", None),
    "broken JSON": ("bad.jsonl", lambda _: '{"id": 1, "amount": 1, "name": "a"}\n{"id": \n', 2),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named_and_changes_nothing(shop, kind):
    name, make, line = BROKEN[kind]
    before = totals(shop)
    poison(shop, name, make(shop.folder))
    ended = shop.ask("run", "--json")
    assert ended.code in (1, 2), ended
    assert "internal" not in ended.error
    assert "Traceback" not in ended.err
    message = json.dumps(ended.document["error"])
    assert name in message, message
    if line:
        assert (
            f"{name}:{line}" in message or f"line {line}" in message or f'"line": {line}' in message
        ), message
    assert totals(shop) == before
    poison(shop, "good.csv", GOOD + "4,40,dan\n")
    again = shop.ask("run", "--json")
    assert again.code == 0, again
    assert '"n": 4' in " ".join(totals(shop).split())


def test_an_empty_file_is_an_error_or_no_rows(shop):
    before = totals(shop)
    poison(shop, "empty.csv", "")
    ended = shop.ask("run", "--json")
    assert ended.code in (1, 2), ended
    assert "empty.csv" in ended.out
    assert totals(shop) == before
    poison(shop, "header.csv", "id,amount,name\n")
    ended = shop.ask("run", "--json")
    assert ended.code == 0, ended
    assert '"n": 0' in " ".join(totals(shop).split())


def test_a_huge_string_is_read_or_refused_whole(shop):
    before = totals(shop)
    poison(shop, "huge.csv", GOOD + "4,40," + "x" * 20_000_000 + "\n")
    ended = shop.ask("run", "--json")
    if ended.code:
        assert "huge.csv" in ended.out
        assert totals(shop) == before
    else:
        found = shop.ask("query", "select max(length(name)) as n from copy", "--json")
        assert "20000000" in found.out


def test_bad_rows_are_set_aside_if_the_contract_says_so(shop):
    shop.edit(
        "contracts.yml", "copy:\n  columns:\n    amount: {between: [0, 25]}\n  rejects: true\n"
    )
    ended = shop.ask("run", "--json", "--force")
    assert ended.code == 0, ended
    assert '"n": 2' in " ".join(totals(shop).split())
    rejects = shop.ask("read", "copy__rejects", "--json")
    assert '"id": 3' in rejects.out
