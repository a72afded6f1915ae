"""Torn ends and flipped bits: the readable rest is delivered, the loss declared exactly."""

import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from segue.agent.spool import Entry, Spool
from segue.agent.spool.facts import Facts
from segue.agent.spool.pages import Pages
from segue.spec.edge import SpoolSettings, WhenFull

SETTINGS = SpoolSettings(cap=50_000_000, when_full=WhenFull.BLOCK, keep=10**6)
SEED = int(os.environ.get("SEGUE_FAULTS_SEED", "2026"))
PAGE = 512
FILES = ("spool.db", "spool.db-wal")


@dataclass
class Made:
    """What was appended: payloads by stream, each with as many rows as its number."""

    payloads: dict = field(default_factory=dict)

    def entries(self, stream, number, size):
        payload = f"{stream}:{number}:".encode().ljust(size, bytes([number % 251]))
        self.payloads[stream, number] = payload
        return Entry(stream, number, payload)


def fill(spool, made, begin, count, *, cursor=True):
    for number in range(begin, begin + count):
        entries = [made.entries(stream, number, 40 + 30 * number) for stream in ("a", "b")]
        cursors = {"source": {"at": number}} if cursor else {}
        spool.commit(entries, cursors, {"window": b"w%d" % number})


def freeze(spool, folder):
    """Copy the files as a power cut leaves them: the journal is not brought home."""
    folder.mkdir()
    for path in spool.path.parent.iterdir():
        if not path.name.endswith("-shm"):
            shutil.copy(path, folder)
    return folder


def thaw(frozen, folder):
    shutil.copytree(frozen, folder)
    return folder / "spool.db"


def drain(spool):
    """Return rows that arrived by (stream, number), and rows declared lost by stream."""
    arrived, lost, gaps = {}, {"a": 0, "b": 0}, []
    for each in spool.streams("lake"):
        at = each.acknowledged
        while records := spool.read("lake", each.stream, each.epoch, at, 2_000):
            for header, payload in records:
                assert header.first == at + 1
                at = header.last
                if header.kind == "gap":
                    gaps.append(header)
                    lost[each.stream] += header.rows
                else:
                    number = int(payload.split(b":")[1])
                    assert (each.stream, number) not in arrived
                    arrived[each.stream, number] = bytes(payload)
            spool.acknowledge("lake", each.stream, each.epoch, at)
        assert at == each.last
    return arrived, lost, gaps


def settle(spool, made, upto):
    """Drain, and hold it against what was made; return the gaps."""
    arrived, lost, gaps = drain(spool)
    for key, payload in arrived.items():
        assert made.payloads[key] == payload
    for stream in ("a", "b"):
        rows = sum(number for name, number in arrived if name == stream)
        assert rows + lost[stream] == sum(range(1, upto + 1)), (lost, sorted(arrived), gaps)
    return gaps


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: these tests write thousands of files."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def filled(folder):
    """A spool with an end that is in its journal only, and what is in it."""
    made = Made()
    with_journal = folder / "made"
    with_journal.mkdir()
    spool = Spool(with_journal / "spool.db", SETTINGS, PAGE)
    fill(spool, made, 1, 9)
    spool._file.connection.execute("pragma wal_checkpoint(truncate)")
    fill(spool, made, 10, 4)
    frozen = freeze(spool, folder / "frozen")
    yield made, frozen, spool
    spool.close()


def test_an_end_torn_off_at_any_byte(filled, folder):
    made, _, spool = filled
    before = (spool.path.parent / "spool.db-wal").stat().st_size
    known = Facts(spool._file.connection).head().batch
    fill(spool, made, 14, 1)
    frozen = freeze(spool, folder / "whole")
    size = (frozen / "spool.db-wal").stat().st_size
    assert size > before
    (folder / "torn").mkdir()
    found = {read_torn(frozen, folder / "torn", cut) for cut in range(before, size)}
    assert len(found) == 1, "all that is left is what the commit before has left"
    assert {batch for batch, _ in found} == {known}
    # what comes of it depends on nothing else: tried at and around the end of every frame
    ends = range(before, size + 1, PAGE + 24)
    for cut in {cut for end in ends for cut in (end - 1, end, end + 1, end + 30)}:
        if before <= cut < size:
            open_torn(thaw(frozen, folder / f"torn{cut}"), cut, made, spool.epoch)


def read_torn(frozen, folder, cut):
    """Return the last commit that SQLite finds in a torn spool, and a digest of all its pages."""
    path = folder / "spool.db"
    shutil.copyfile(frozen / path.name, path)
    torn = (frozen / "spool.db-wal").read_bytes()[:cut]
    path.with_name("spool.db-wal").write_bytes(torn)
    with closing(Pages(path, PAGE)) as pages:
        content = b"".join(pages.read(number) for number in range(1, pages.count + 1))
    with closing(sqlite3.connect(path)) as connection:
        batch = Facts(connection).head().batch
    return batch, hash(content)


def open_torn(path, cut, made, epoch):
    """Open a spool without its last commit: the cursor went back, so nothing is lost."""
    os.truncate(path.with_name("spool.db-wal"), cut)
    with Spool(path, SETTINGS) as torn:
        assert torn.epoch != epoch
        assert torn.cursor("source") == {"at": 13}
        assert torn.state("window") == b"w13"
        gaps = settle(torn, made, 13)
        assert [(gap.first, gap.last, gap.rows) for gap in gaps] == [(14, 14, 0)] * 2
        assert "its last commits are missing" in torn.usage().alerts[0]
        assert len(torn.usage().damaged) == 1
    shutil.rmtree(path.parent)


def test_an_end_of_rows_that_nobody_can_read_again_is_a_loss(filled, folder):
    made, _, spool = filled
    journal = spool.path.parent / "spool.db-wal"
    before = journal.stat().st_size
    fill(spool, made, 14, 2, cursor=False)
    path = thaw(freeze(spool, folder / "whole"), folder / "torn")
    os.truncate(path.with_name("spool.db-wal"), before + 100)
    with Spool(path, SETTINGS) as torn:
        gaps = settle(torn, made, 15)
        assert [(gap.first, gap.last, gap.rows) for gap in gaps] == [(14, 15, 29)] * 2


def bits(frozen, draw, each):
    """Name bits of every page of the file and every frame of the journal."""
    for name in FILES:
        size = (frozen / name).stat().st_size
        unit = PAGE if name == "spool.db" else PAGE + 24
        for begin in range(0, size, unit):
            end = min(begin + unit, size)
            places = {
                begin,
                begin + 4,
                begin + 8,
                *(draw.randrange(begin, end) for _ in range(each)),
            }
            for at in places:
                if at < size:
                    yield name, at, draw.randrange(8)


def flip(path, at, bit):
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def test_a_flipped_bit_anywhere(filled, folder):
    made, frozen, spool = filled
    epoch, total, harmed = spool.epoch, 0, 0
    for number, (name, at, bit) in enumerate(bits(frozen, random.Random(SEED), 1)):
        path = thaw(frozen, folder / f"flip{number}")
        flip(path.with_name(name), at, bit)
        total += 1
        with Spool(path, SETTINGS) as flipped:
            place = f"{name} at {at}, bit {bit}"
            assert flipped.cursor("source") == {"at": 13}, place
            assert flipped.state("window") == b"w13", place
            try:
                gaps = settle(flipped, made, 13)
            except AssertionError as error:
                raise AssertionError(f"{place}: {error}") from error
            if gaps or flipped.usage().damaged:
                harmed += 1
                assert flipped.epoch != epoch, place
                assert flipped.usage().alerts, place
            assert len(gaps) <= 5, place
            fill(flipped, Made(), 14, 2)
            assert drain(flipped)[1] == {"a": 0, "b": 0}
        shutil.rmtree(path.parent)
    assert total > 300
    assert harmed > 50
