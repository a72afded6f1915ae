"""What every command reads is read without SQLAlchemy, and means the same."""

import sqlite3

import pytest

from segue.errors import LedgerDamagedError, UnknownNameError
from segue.stores.ledger_glance import open_glance
from segue.stores.ledger_sql import SqlLedger
from segue.stores.ledger_state import SCHEMA_VERSION
from tests.publications import open_site


@pytest.fixture
def site(tmp_path):
    made = open_site(tmp_path, wait_seconds=0.05)
    yield made
    made.ledger.close()


def tell(ledger):
    return (
        ledger.is_empty(),
        ledger.snapshot(),
        ledger.memories(),
        ledger.staged(),
        ledger.heads(),
        ledger.numbers(),
        ledger.pending(),
        ledger.pending(dead_only=True),
        ledger.unsettled(),
    )


def loads_sqlalchemy(ledger):
    return "_engine" in vars(ledger)


def test_a_glance_tells_what_the_ledger_tells(site):
    for generation in (1, 2):
        site.publish_rows(a=[(generation, "x")], b=[(1, "y")])
    again = SqlLedger(site.url)
    assert tell(again) == tell(site.ledger)
    assert again.snapshot(number=1) == site.ledger.snapshot(number=1)
    assert not loads_sqlalchemy(again)
    again.close()


def test_it_sees_what_others_write_afterwards(site):
    site.publish_rows(a=[(1, "x")])
    reader = SqlLedger(site.url)
    before = reader.snapshot()
    site.publish_rows(a=[(2, "x")])
    assert reader.snapshot() == site.ledger.snapshot() != before
    assert not loads_sqlalchemy(reader)
    assert len(reader.runs()) == 2
    assert loads_sqlalchemy(reader)
    reader.close()


def test_an_error_of_the_reader_is_not_a_fault_of_the_ledger(site):
    site.publish_rows(a=[(1, "x")])
    reader = SqlLedger(site.url)
    with pytest.raises(UnknownNameError):
        reader.snapshot(number=77)
    assert not loads_sqlalchemy(reader)
    reader.close()


def test_damage_behind_a_glance_is_told_as_ever(site):
    site.publish_rows(a=[(1, "x")])
    reader = SqlLedger(site.url)
    site.ledger.close()
    with sqlite3.connect(site.url.removeprefix("sqlite:///")) as other:
        other.execute("update segue_memories set memory = '{'")
    other.close()
    with pytest.raises(LedgerDamagedError, match=r"ledger\.db is damaged"):
        reader.memories()
    reader.close()


@pytest.mark.parametrize(
    "url",
    ["sqlite://", "sqlite:///{}/none.db", "sqlite:///{}?mode=ro", "sqlite:///${{X}}", "pg://"],
)
def test_what_is_odd_is_left_to_the_whole_ledger(tmp_path, url):
    assert open_glance(url.format(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_other_versions_and_other_files_are_left_to_it(site, tmp_path):
    path = tmp_path / "other.db"
    path.write_bytes(b"no database at all" * 100)
    assert open_glance(f"sqlite:///{path}") is None
    site.ledger.close()
    glance = open_glance(site.url)
    assert glance is not None
    glance.close()
    with sqlite3.connect(site.url.removeprefix("sqlite:///")) as ledger:
        ledger.execute("update segue_meta set value = ?", [str(SCHEMA_VERSION + 1)])
    ledger.close()
    assert open_glance(site.url) is None
