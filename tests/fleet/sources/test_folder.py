import gzip
import random

import pytest

from segue.errors import SourceError
from tests.fleet.sources.taking import Follower, Shelf, open_source, take_all, take_lines


@pytest.fixture
def folder(tmp_path):
    opened = []

    def open_(cursor=None, **options):
        options = {"path": str(tmp_path / "in/*"), "settle": 0.05, **options}
        reader = open_source("folder", tmp_path / "scratch", cursor, **options)
        opened.append(reader)
        return reader

    (tmp_path / "in").mkdir()
    yield open_
    for reader in opened:
        reader.close()


def test_whole_files_in_the_order_of_their_names(tmp_path, folder):
    (tmp_path / "in/b.csv").write_bytes(b"3\n4")
    (tmp_path / "in/a.csv").write_bytes(b"1\n2")
    (tmp_path / "in/c.csv").touch()
    (tmp_path / "in/d.csv.gz").write_bytes(gzip.compress(b"5\n6"))
    lines, last = take_all(folder())
    assert lines == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert take_all(folder(last.cursor))[0] == []


def test_a_file_that_is_being_written_is_not_read_yet(tmp_path, folder):
    path = tmp_path / "in/a.csv"
    path.write_bytes(b"1\n")
    reader = folder(settle=60)
    assert reader.read(100, 0.3) is None
    reader = folder(settle=0.2)
    assert take_lines(reader, 1) == [b"1"]


@pytest.mark.parametrize("after", ["delete", "move:done", "keep"])
def test_what_comes_after_is_done_once_the_rows_are_kept(tmp_path, folder, after):
    path, done = tmp_path / "in/a.csv", tmp_path / "in/done"
    path.write_bytes(b"1\n")
    after = after.replace("done", str(done))
    reader = folder(after=after)
    chunk = reader.read(100, 5)
    assert path.exists()
    reader.accept([chunk.receipt])
    assert path.exists() is (after == "keep")
    assert (done / "a.csv").exists() is after.startswith("move")
    path.write_bytes(b"2\n")
    assert take_all(folder(chunk.cursor, after=after))[0] == [b"2"]


def test_what_comes_after_is_done_after_a_crash_between(tmp_path, folder):
    path = tmp_path / "in/a.csv"
    path.write_bytes(b"1\n")
    chunk = folder(after="delete").read(100, 5)
    reader = folder(chunk.cursor, after="delete")
    assert not path.exists()
    assert take_all(reader)[0] == []


def test_a_file_is_moved_beside_one_of_its_name(tmp_path, folder):
    for text in (b"1\n", b"2\n"):
        (tmp_path / "in/a.csv").write_bytes(text)
        reader = folder(after=f"move:{tmp_path / 'done'}")
        reader.accept([reader.read(100, 5).receipt])
    assert (tmp_path / "done/a.csv").read_bytes() == b"1\n"
    assert (tmp_path / "done/a.csv.1").read_bytes() == b"2\n"


def test_a_file_that_replaces_another_is_read_too(tmp_path, folder):
    path = tmp_path / "in/a.csv"
    path.write_bytes(b"1\n")
    reader = folder()
    assert take_all(reader)[0] == [b"1"]
    (tmp_path / "new").write_bytes(b"2\n")
    (tmp_path / "new").rename(path)
    assert take_all(reader)[0] == [b"2"]


def test_a_file_in_the_middle_is_gone_on_with(tmp_path, folder):
    (tmp_path / "in/b.csv").write_bytes(b"3\n4\n5\n")
    chunk = folder().read(2, 5)
    (tmp_path / "in/a.csv").write_bytes(b"1\n")
    assert take_all(folder(chunk.cursor))[0] == [b"4", b"5", b"1"]


def test_a_damaged_file_is_named(tmp_path, folder):
    (tmp_path / "in/a.gz").write_bytes(b"no gzip")
    (tmp_path / "in/b").write_bytes(b"1\n")
    reader = folder()
    assert take_lines(reader, 1) == [b"1"]
    with pytest.raises(SourceError, match=r"a\.gz can't be read"):
        reader.read(100, 1)


def test_an_odd_wish_is_refused(folder):
    with pytest.raises(SourceError, match="after must be keep, delete or move:FOLDER"):
        folder(after="burn")


@pytest.mark.parametrize("after", ["keep", "delete", "move"])
def test_each_record_once_while_the_reader_is_killed(tmp_path, after):
    inbox, dice = tmp_path / "in", random.Random(7)
    inbox.mkdir()
    options = {"path": str(inbox / "*.csv"), "settle": 0.05}
    options["after"] = f"move:{tmp_path / 'done'}" if after == "move" else after
    follower, number = Follower("folder", tmp_path, options, chance=0.05), 0
    try:
        for file in range(60):
            lines = [b"%d" % (number + row) for row in range(dice.randint(0, 60))]
            number += len(lines)
            part = tmp_path / "part"
            part.write_bytes(b"".join(line + b"\n" for line in lines))
            part.rename(inbox / f"{file:03}.csv")
            follower.tend()
        shelf = Shelf(tmp_path / "shelf.db")
        follower.wait_for(shelf, number)
        assert sorted(map(int, shelf.lines())) == list(range(number))
        assert follower.kills
    finally:
        follower.close()
