"""A ledger's faults are named, and change nothing."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from segue.errors import LedgerBusyError, LedgerDamagedError, StorageError, StorageFullError
from segue.spec.contract import Report
from segue.spec.run import StepOutcome, StepStatus
from segue.stores.ledger_sql import SqlLedger
from tests.publications import MEASURED, open_site, outcome


@pytest.fixture
def site(tmp_path):
    made = open_site(tmp_path, wait_seconds=0.05)
    yield made
    made.ledger.close()


def change(site, statement):
    connection = sqlite3.connect(site.url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute(statement)
    return connection


def test_every_commit_is_brought_to_the_disk(site):
    with site.ledger._engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]


def test_a_lock_is_waited_for_and_then_told(site):
    other = change(site, "begin immediate")
    with pytest.raises(LedgerBusyError, match=r"ledger\.db is locked"):
        site.begin()
    assert site.ledger.runs() == (), "readers go on"
    other.execute("rollback")
    site.begin()
    other.close()


def test_a_short_lock_is_only_waited_for(tmp_path):
    site = open_site(tmp_path, wait_seconds=30)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    begun = threading.Thread(target=site.begin)
    begun.start()
    other.execute("commit")
    begun.join()
    assert len(site.ledger.runs()) == 1
    site.ledger.close()
    other.close()


def test_a_full_disk_is_told_and_nothing_is_half_written(site):
    lease = site.begin()
    with site.ledger._engine.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    many = [StepOutcome(f"step {n}" * 20, StepStatus.DONE, started_at="x") for n in range(500)]
    with pytest.raises(StorageFullError, match=r"ledger\.db"):
        site.ledger.note(lease, many)
    assert site.ledger.run("last").steps == {}
    with site.ledger._engine.connect() as connection:
        connection.exec_driver_sql("pragma max_page_count = 100000")
    site.ledger.note(lease, many)
    assert site.ledger.run("last").steps == {"done": 500}


def test_a_ledger_of_a_newer_segue_is_refused(site):
    change(site, "update segue_meta set value = '99'").close()
    with pytest.raises(StorageError, match="newer segue") as caught:
        SqlLedger(site.url)
    assert caught.value.code == "storage"


def test_an_older_ledger_is_brought_forward(site, monkeypatch):
    from segue.stores import ledger_connect

    site.publish_rows(a=[(1, "x")])
    change(site, "update segue_meta set value = '0'").close()
    steps = {0: ("create table added (x int)", "insert into added values (1)"), 1: (), 2: ()}
    monkeypatch.setattr(ledger_connect, "MIGRATIONS", steps)
    for _ in range(2):
        SqlLedger(site.url).close()
    assert change(site, "select 1").execute("select count(*) from added").fetchone() == (1,)
    assert change(site, "select 1").execute("select value from segue_meta").fetchone() == ("3",)


def test_measurements_of_the_first_ledgers_have_a_history(site):
    staged = site.stage("a", [(1, "x")])
    site.publish(outcome(staged, report=Report("a", 3, (MEASURED,))))
    site.ledger.close()
    columns = "environment check_name series verdict rows failing value seconds code segments"
    change(site, "drop index segue_measurements_series").close()
    for name in columns.split():
        change(site, f"alter table segue_measurements drop column {name}").close()
    change(site, "update segue_meta set value = '1'").close()
    ledger = SqlLedger(site.url)
    (point,) = ledger.history("a", MEASURED.check)
    assert (str(point.verdict), point.rows, point.failing) == ("fail", 3, 1)
    assert (point.version, point.run_id) == (1, ledger.run("last").run_id)
    ledger.close()


def test_ledgers_without_alerts_get_them(site):
    site.publish_rows(a=[(1, "x")])
    site.ledger.close()
    change(site, "drop table segue_alerts").close()
    change(site, "update segue_meta set value = '2'").close()
    ledger = SqlLedger(site.url)
    assert ledger.episodes() == ()
    ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "drop table segue_memories",
        "drop table segue_meta",
        "update segue_memories set memory = '{'",
        "update segue_versions set schema = cast(x'ff' as text)",
    ],
)
def test_damage_inside_is_named(site, statement):
    site.publish_rows(a=[(1, "x")])
    change(site, statement).close()

    def read():
        ledger = SqlLedger(site.url)
        ledger.memories()
        ledger.snapshot()

    with pytest.raises(LedgerDamagedError, match=r"ledger\.db") as caught:
        read()
    assert "--rebuild" in caught.value.hint


def test_a_whole_ledger_passes_the_long_check(site):
    site.publish_rows(a=[(1, "x")])
    site.ledger.check_integrity()


def test_a_folder_is_no_ledger(tmp_path):
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(StorageError, match="can't be used"):
        open_site(tmp_path)


def test_damaged_ledgers_are_set_aside_side_by_side(site, tmp_path):
    site.ledger.close()
    assert SqlLedger.set_aside(site.url) == str(tmp_path / "ledger.db.damaged-1")
    assert SqlLedger.set_aside(site.url) == ""
    SqlLedger(site.url).close()
    assert SqlLedger.set_aside(site.url) == str(tmp_path / "ledger.db.damaged-2")
    with pytest.raises(StorageError):
        SqlLedger.set_aside("postgresql://u:secret@host/db")


def test_several_may_make_the_ledger_at_once(tmp_path):
    start = threading.Barrier(4)

    def make(table):
        start.wait()
        site = open_site(tmp_path)
        site.publish_rows(**{table: [(1, "x")]})
        site.ledger.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, "abcd"))
    site = open_site(tmp_path)
    assert set(site.ledger.snapshot().versions) == set("abcd")
    site.ledger.close()
