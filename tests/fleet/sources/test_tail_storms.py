"""Each record once, while files are rotated under the reader and the reader is killed."""

import gzip
import os
import random
import shutil

import pytest

from tests.fleet.sources.taking import Follower, Shelf

LINES = 4000


def rotate_by_name(folder, number):
    (folder / "app.log").rename(folder / f"app.log.{number}")


def rotate_and_compress(folder, number):
    rotate_by_name(folder, number)
    old = folder / f"app.log.{number - 2}"
    if old.exists():
        packed = old.with_name(old.name + ".gz")
        with old.open("rb") as plain, gzip.open(packed, "wb") as out:
            shutil.copyfileobj(plain, out)
        old.unlink()


def copy_and_truncate(folder, number):
    shutil.copyfile(folder / "app.log", folder / f"app.log.{number}")
    os.truncate(folder / "app.log", 0)


def write_storm(folder, follower, rotate, seed, seen):
    """Write lines and rotate now and then, as far as `seen` lets it; returns how many."""
    dice = random.Random(seed)
    log, number, rotations = (folder / "app.log").open("ab", buffering=0), 0, 0
    begun = 0
    while number < LINES:
        for _ in range(dice.randint(1, 40)):
            line = b'{"n":%d,"pad":"%s"}\n' % (number, b"x" * dice.randint(0, 200))
            cut = dice.randint(0, len(line))
            log.write(line[:cut])
            log.write(line[cut:])
            number += 1
        if dice.random() < 0.1:
            seen(begun + 1)
            begun = number
            rotations += 1
            rotate(folder, rotations)
            log.close()
            log = (folder / "app.log").open("ab", buffering=0)
        if dice.random() < 0.3:
            follower.tend()
    log.close()
    return number


def check(tmp_path, follower, written):
    shelf = Shelf(tmp_path / "shelf.db")
    follower.wait_for(shelf, written)
    found = [int(line.split(b",")[0][5:]) for line in shelf.lines()]
    assert sorted(found) == list(range(written)), (written, len(found), follower.kills)
    assert follower.kills > 3


@pytest.mark.parametrize("rotate", [rotate_by_name, rotate_and_compress, copy_and_truncate])
def test_every_record_once_where_the_pattern_finds_rotated_files(tmp_path, rotate):
    logs = tmp_path / "logs"
    logs.mkdir()
    options = {"path": str(logs / "app.log*"), "compressed": rotate is rotate_and_compress}
    follower = Follower("tail", tmp_path, options, chance=0.03)
    shelf = Shelf(tmp_path / "shelf.db")
    # a copy whose original nobody ever looked at can't be told from a file of its own
    copied = rotate is copy_and_truncate
    try:
        seen = (lambda count: follower.wait_for(shelf, count)) if copied else (lambda count: None)
        written = write_storm(logs, follower, rotate, rotate.__name__, seen)
        check(tmp_path, follower, written)
    finally:
        follower.close()


@pytest.mark.parametrize("rotate", [rotate_by_name, rotate_and_compress, copy_and_truncate])
def test_every_record_once_where_the_pattern_finds_one_file(tmp_path, rotate):
    logs = tmp_path / "logs"
    logs.mkdir()
    follower = Follower("tail", tmp_path, {"path": str(logs / "app.log")}, chance=0.03)
    shelf = Shelf(tmp_path / "shelf.db")
    try:
        seen = lambda count: follower.wait_for(shelf, count)  # noqa: E731
        written = write_storm(logs, follower, rotate, rotate.__name__, seen)
        check(tmp_path, follower, written)
    finally:
        follower.close()
