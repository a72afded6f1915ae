from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from segue.errors import LedgerDamagedError
from segue.publish.intent import declare_intent
from segue.publish.rebuild import rebuild_ledger
from segue.publish.recover import recover
from tests.publications import ARROW, OWNER, append, open_site, outcome


@pytest.fixture
def rebuild(site, tmp_path):
    """Lose the ledger and make it anew."""
    opened = []

    def do():
        site.ledger.close()
        told = rebuild_ledger(site.url, site.lake)
        opened.append(open_site(tmp_path))
        return opened[-1], told

    yield do
    for each in opened:
        each.ledger.close()


def state(site):
    versions = site.ledger.snapshot().versions
    memories = site.ledger.memories()
    return (
        {
            name: (version.number, version.identity, sorted(file.path for file in version.files))
            for name, version in versions.items()
        },
        {name: (memory.fingerprint, memory.inputs) for name, memory in memories.items()},
        site.ledger.heads(),
        site.ledger.numbers(),
    )


def test_a_rebuilt_ledger_says_the_same(site, rebuild):
    site.publish_rows(a=[(1, "x")], b=[(1, "x")])
    site.publish(
        outcome(append(site.lake, site.version("a"), [(2, "y")]), seen_files={"raw": ("1",)})
    )
    site.publish(
        outcome(append(site.lake, site.version("a"), [(3, "z")]), seen_files={"raw": ("1", "2")})
    )
    before, runs = state(site), [run.run_id for run in site.ledger.runs()]
    made, told = rebuild()
    assert state(made) == before
    assert made.rows("a") == [(1, "x"), (2, "y"), (3, "z")]
    assert made.ledger.memories()["a"].seen_files == {"raw": ("1", "2")}
    assert [run.run_id for run in made.ledger.runs()] == runs
    assert [version.rows for version in made.ledger.versions("a")] == [1, 2, 3]
    assert (told.tables, told.runs) == (("a", "b"), tuple(reversed(runs)))
    assert Path(told.aside).name == "ledger.db.damaged-1"
    assert recover(made.ledger, made.lake, OWNER) == ()
    made.publish_rows(a=[(9, "new")])
    assert made.rows("a") == [(9, "new")]


def test_half_a_run_stays_invisible(site, rebuild):
    site.publish_rows(a=[(1, "x")], b=[(1, "x")])
    lease = site.begin()
    told = [outcome(site.stage(table, [(2, "y")], lease.run_id)) for table in "ab"]
    intent = site.intend(lease, *told)
    declare_intent(site.ledger, site.lake, lease, intent)
    site.lake.commit(intent.publications[0])
    made, said = rebuild()
    assert (made.rows("a"), made.rows("b")) == ([(1, "x")], [(1, "x")])
    assert any(lease.run_id in remark and "1 of its 2" in remark for remark in said.remarks)
    made.publish_rows(a=[(3, "z")], b=[(3, "z")])
    assert (made.rows("a"), made.rows("b")) == ([(3, "z")], [(3, "z")])


def test_what_can_not_be_rebuilt_is_said(site, rebuild):
    site.publish_rows(a=[(1, "x")])
    site.publish_rows(b=[(1, "x")])
    site.publish_rows(c=[(1, "x")])
    rows = pa.table({"id": [7], "name": ["f"]}, schema=ARROW)
    write_deltalake(site.lake.folder("foreign"), rows)
    write_deltalake(site.lake.folder("b"), rows, mode="append")
    site.lake.loose_files("c")[0].unlink()
    made, told = rebuild()
    said = "\n".join(told.remarks)
    assert "foreign: its log holds no commit of segue's" in said
    assert "b: another writer committed after segue" in said
    assert "c: files of its newest version are gone" in said
    assert set(made.ledger.snapshot().versions) == {"a", "b"}
    assert made.rows("b") == [(1, "x")]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b"no ledger at all" * 100),
        lambda path: path.write_bytes(
            path.read_bytes()[:8192] + b"\xa5" * 4096 + path.read_bytes()[12288:]
        ),
    ],
    ids=["deleted", "emptied", "truncated", "overwritten", "a page flipped"],
)
def test_a_harmed_ledger_is_noticed_and_rebuilt(site, tmp_path, harm):
    site.publish_rows(a=[(1, "x")])
    site.ledger.close()
    harm(tmp_path / "ledger.db")
    with pytest.raises(LedgerDamagedError, match="ledger"):
        recover(open_site(tmp_path).ledger, site.lake, OWNER)
    rebuild_ledger(site.url, site.lake)
    made = open_site(tmp_path)
    assert recover(made.ledger, made.lake, OWNER) == ()
    assert made.rows("a") == [(1, "x")]
    made.ledger.close()


def test_an_empty_lake_gives_an_empty_ledger(site, rebuild):
    made, told = rebuild()
    assert made.ledger.is_empty()
    assert told.tables == ()
