"""Ledgers that may only be read: without locks, and never half of one state and half of another."""

import sqlite3
from contextlib import closing

import pytest

from segue.errors import LedgerBusyError, LedgerDamagedError, StorageError
from segue.stores import ledger_connect, ledger_glance
from segue.stores.ledger_readonly import may_only_read, seen_unchanged
from segue.stores.ledger_sql import SqlLedger
from tests.publications import open_site


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return the file of a ledger; root may write anything, so rights are taken by word."""
    open_site(tmp_path).ledger.close()
    for module in (ledger_connect, ledger_glance):
        monkeypatch.setattr(module, "may_only_read", lambda _: True)
    return next(tmp_path.rglob("ledger.db"))


def write(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table if not exists other (a)")
        connection.execute("insert into other values (zeroblob(100000))")
        connection.commit()


def test_it_is_read_and_not_written(path):
    before = {each.name: each.stat().st_mtime_ns for each in path.parent.iterdir()}
    with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
        assert ledger.snapshot().number == 0
        assert ledger.runs() == ()
    assert {each.name: each.stat().st_mtime_ns for each in path.parent.iterdir()} == before


def test_what_was_written_meanwhile_is_read_anew(path):
    with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
        assert ledger.runs() == ()
        write(path)
        assert ledger.runs() == ()


@pytest.mark.parametrize("error", [None, LedgerDamagedError("half of it")])
def test_who_is_overtaken_by_a_writer_is_told(path, error):
    def read():
        with seen_unchanged(path):
            write(path)
            if error is not None:
                raise error

    with pytest.raises(LedgerBusyError, match="was written while it was read"):
        read()


def test_what_goes_wrong_without_a_writer_is_told_as_it_is(path):
    def read():
        with seen_unchanged(path):
            raise LedgerDamagedError("page 7")

    with pytest.raises(LedgerDamagedError, match="page 7"):
        read()


def test_a_writer_whose_journal_is_there_keeps_locks(path):
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("create table other (a)")
        with seen_unchanged(path):
            write(path)
        with closing(SqlLedger(f"sqlite:///{path}")) as ledger:
            assert ledger.runs() == ()


def test_a_ledger_that_goes_meanwhile_is_named(path):
    with pytest.raises(StorageError, match=r"ledger\.db"), seen_unchanged(path):
        path.unlink()


def test_a_ledger_that_is_not_there_may_be_made(tmp_path):
    assert not may_only_read(tmp_path / "ledger.db")
