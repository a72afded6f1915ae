import gzip
import os
import time
from itertools import chain

import psutil
import pytest

from segue.errors import SourceError
from tests.fleet.sources.taking import open_source, take_all, take_lines

SCRATCH = "scratch"


@pytest.fixture
def tail(tmp_path):
    opened = []

    def open_(cursor=None, path="app.log", **options):
        options["path"] = str(tmp_path / path)
        reader = open_source("tail", tmp_path / SCRATCH, cursor, **options)
        opened.append(reader)
        return reader

    yield open_
    for reader in opened:
        reader.close()


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def test_an_unfinished_line_waits_for_its_end(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2")
    reader = tail()
    assert take_all(reader)[0] == [b"1"]
    append(log, b"2\n3")
    assert take_all(reader)[0] == [b"22"]
    reader = tail(take_all(tail())[1].cursor)
    append(log, b"\n")
    assert take_all(reader)[0] == [b"3"]


def test_a_file_that_comes_later_and_one_in_a_folder_that_comes_later(tmp_path, tail):
    reader = tail(path="*/app.log")
    assert reader.read(100, 0) is None
    assert reader.exhausted()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "app.log").write_bytes(b"1\n")
    assert take_lines(reader, 1) == [b"1"]


def test_a_line_is_there_at_once(tmp_path, tail):
    log = tmp_path / "app.log"
    log.touch()
    reader = tail()
    assert reader.read(100, 0.1) is None
    for number in range(5):
        append(log, b"%d\n" % number)
        begun = time.monotonic()
        assert reader.read(100, 5).data == b"%d\n" % number
        assert time.monotonic() - begun < 0.5


def test_truncation_begins_again(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\n3\n")
    reader = tail()
    assert len(take_all(reader)[0]) == 3
    os.truncate(log, 0)
    append(log, b"4\n")
    assert take_all(reader)[0] == [b"4"]


def test_a_file_that_has_grown_again_behind_its_truncation(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\n3\n")
    reader = tail()
    cursor = take_all(reader)[1].cursor
    log.write_bytes(b"4\n5\n6\n7\n")
    assert take_all(reader)[0] == [b"4", b"5", b"6", b"7"]
    assert take_all(tail(cursor))[0] == [b"4", b"5", b"6", b"7"]


def test_an_inode_that_is_used_again_is_another_file(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\n")
    cursor = take_all(tail())[1].cursor
    inode = log.stat().st_ino
    cursor["files"][0][2] = inode
    log.write_bytes(b"3\n4\n")
    assert take_all(tail(cursor))[0] == [b"3", b"4"]


@pytest.mark.parametrize("content", [b"4\n", b"4\n5\n6\n7\n8\n"])
def test_an_inode_that_another_program_uses_again_is_none_of_ours(tmp_path, tail, content):
    log, other = tmp_path / "app.log", tmp_path / "diary.txt"
    log.write_bytes(b"1\n2\n3\n")
    reader = tail()
    cursor = take_all(reader)[1].cursor
    reader.close()
    log.rename(other)
    other.write_bytes(content)
    reader = tail(cursor)
    assert take_all(reader)[0] == []
    log.write_bytes(b"9\n")
    assert take_all(reader)[0] == [b"9"]


def test_a_file_that_was_renamed_out_of_the_pattern_is_read_to_its_end(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\n")
    reader = tail()
    cursor = take_all(reader)[1].cursor
    reader.close()
    append(log, b"3\n")
    log.rename(tmp_path / "old-app.log")
    log.write_bytes(b"4\n")
    assert sorted(take_all(tail(cursor))[0]) == [b"3", b"4"]


def test_a_file_keeps_its_place_where_devices_are_numbered_anew(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\n")
    cursor = take_all(tail())[1].cursor
    cursor["files"][0][1] += 1
    append(log, b"3\n")
    assert take_all(tail(cursor))[0] == [b"3"]


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_before_a_rotation_is_read_after_a_restart(tmp_path, tail, packed):
    log, old = tmp_path / "app.log", tmp_path / "app.log.1"
    log.write_bytes(b"1\n2\n")
    cursor = take_all(tail())[1].cursor
    append(log, b"3\n")
    log.rename(old)
    if packed:
        old.with_suffix(".1.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
    log.write_bytes(b"4\n")
    lines, last = take_all(tail(cursor))
    assert sorted(lines) == [b"3", b"4"]
    assert take_all(tail(last.cursor))[0] == []


def test_a_deleted_file_is_read_to_its_end_and_given_back(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n")
    reader = tail()
    assert take_all(reader)[0] == [b"1"]
    append(log, b"2\n3")
    log.unlink()
    assert take_lines(reader, 2, 3) == [b"2", b"3"]
    held = psutil.Process().open_files()
    assert not any(each.path.startswith(str(log)) for each in held)


def test_two_files_that_begin_alike_are_both_read(tmp_path, tail):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(b"ok\n" * 3)
    assert len(take_all(tail(path="*.log"))[0]) == 6


def test_a_rotated_file_that_begins_as_its_successor_is_read_once_they_differ(tmp_path, tail):
    (tmp_path / "app.log").write_bytes(b"head\n1\n")
    reader = tail(path="app.log*")
    take_all(reader)
    (tmp_path / "app.log.x").write_bytes(b"head\n")
    assert take_all(reader)[0] == []
    append(tmp_path / "app.log.x", b"2\n")
    assert take_all(reader)[0] == [b"head", b"2"]


def test_compressed_files_are_read_only_if_it_is_stated(tmp_path, tail):
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"1\n2"))
    assert take_all(tail(path="app.log*"))[0] == []
    lines, last = take_all(tail(path="app.log*", compressed=True))
    assert lines == [b"1", b"2"]
    assert take_all(tail(last.cursor, path="app.log*", compressed=True))[0] == []


def test_a_record_that_is_too_long_is_left_out_and_counted(tmp_path, tail):
    long = b"x" * 1001
    (tmp_path / "app.log").write_bytes(b"1\n" + b"y" * 1000 + b"\n" + long + b"\n2\n" + long * 3)
    reader, lines, lost = tail(), [], []
    while (chunk := reader.read(100, 0)) is not None or not reader.exhausted():
        if chunk is not None:
            lines += chunk.data.splitlines()
            lost += chunk.lost
    assert lines == [b"1", b"y" * 1000, b"2"]
    assert lost == [(1, "record too long")] * 2
    append(tmp_path / "app.log", b"z\n3\n")
    assert take_all(reader)[0] == [b"3"]


def test_reading_may_begin_at_the_end_and_does_not_forget_where_that_was(tmp_path, tail):
    log = tmp_path / "app.log"
    log.write_bytes(b"1\n2\nhalf")
    assert take_all(tail(start="end"))[0] == []
    append(log, b"-line\n3\n")
    (tmp_path / "app.log.new").write_bytes(b"")
    lines, last = take_all(tail(start="end"))
    assert lines == [b"half-line", b"3"]
    assert take_all(tail(last.cursor, start="end"))[0] == []


def test_excluded_files_are_not_read(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"1\n")
    (tmp_path / "b.log").write_bytes(b"2\n")
    assert take_all(tail(path="*.log", exclude=str(tmp_path / "b*")))[0] == [b"1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_file_is_named_and_the_others_are_read(tmp_path, tail):
    (tmp_path / "a.log").write_bytes(b"1\n")
    (tmp_path / "b.log").write_bytes(b"2\n")
    (tmp_path / "a.log").chmod(0)
    reader = tail(path="*.log")
    assert reader.read(100, 1).data == b"2\n"
    with pytest.raises(SourceError, match=r"a\.log can't be read: Permission denied"):
        reader.read(100, 1)
    (tmp_path / "a.log").chmod(0o600)
    assert reader.read(100, 5).data == b"1\n"


def test_a_damaged_compressed_file_is_named_and_the_others_are_read(tmp_path, tail):
    whole = gzip.compress(os.urandom(3000).hex().encode() + b"\n")
    (tmp_path / "app.log.1.gz").write_bytes(whole[:2000])
    (tmp_path / "app.log").write_bytes(b"2\n")
    reader = tail(path="app.log*", compressed=True)
    assert reader.read(10000, 1).data == b"2\n"
    with pytest.raises(SourceError, match=r"app\.log\.1\.gz can't be read"):
        reader.read(10000, 1)
    (tmp_path / "app.log.1.gz").write_bytes(whole)
    assert len(take_lines(reader, 1)) == 1


def test_many_files_in_small_chunks_and_the_same_from_each_cursor(tmp_path, tail):
    wanted = []
    for number in range(20):
        lines = [b"%d-%d" % (number, row) for row in range(30)]
        (tmp_path / f"f{number:02}.log").write_bytes(b"\n".join(lines) + b"\n")
        wanted += lines
    reader, found, cursors = tail(path="*.log"), [], [None]
    while (chunk := reader.read(64, 0)) is not None or not reader.exhausted():
        if chunk is not None:
            assert len(chunk.data) <= 64
            found.append(chunk.data.splitlines())
            cursors.append(chunk.cursor)
    assert sorted(chain(*found)) == sorted(wanted)
    for at in (0, 1, len(found) // 2, len(found) - 1, len(found)):
        rest = take_all(tail(cursors[at], path="*.log"))[0]
        assert sorted(rest) == sorted(chain(*found[at:]))


def test_an_idle_reader_uses_next_to_nothing(tmp_path, tail):
    for number in range(50):
        (tmp_path / f"f{number}.log").write_bytes(b"1\n")
    reader = tail(path="*.log")
    take_all(reader)
    used, begun = time.thread_time(), time.monotonic()
    assert reader.read(2**20, 3) is None
    assert (time.thread_time() - used) / (time.monotonic() - begun) < 0.01
