"""What was read of SQL files is read from the cache the next time, and means the same."""

import json

import pytest

from segue.declare.cache import VARIABLE, find_cache
from segue.declare.problems import Problems
from segue.declare.sql import read_sql_step
from segue.declare.sql_cache import SqlCache

TEXTS = {
    "plain": "select * from a",
    "header": "-- What is sold.\n-- segue: {mode: merge, key: [a, b], tags: [slow], on: far,"
    " retries: 2, timeout: 5m, memory: 1GB, schema: 'a: int64, b: string'}\nselect 1 as a;\n",
    "within": "-- select 1\nselect 1",
    "windowed": "-- segue: {window: {column: at, size: 1m}}\nselect window_start from a",
}


def read_all(cache):
    problems = Problems()
    steps = [cache.read(name, text, f"steps/{name}.sql", problems) for name, text in TEXTS.items()]
    cache.keep()
    return steps, problems.sorted()


def test_the_cache_gives_what_reading_gives(tmp_path):
    wanted = [
        read_sql_step(name, text, f"steps/{name}.sql", Problems()) for name, text in TEXTS.items()
    ]
    for _ in range(2):
        assert read_all(SqlCache(tmp_path, tmp_path / "cache")) == (wanted, ())
    (file,) = (tmp_path / "cache" / "sql").iterdir()
    assert len(json.loads(file.read_text())[1]) == len(TEXTS) - 1  # windows are read anew


def test_a_changed_text_is_read_again_and_the_old_one_forgotten(tmp_path):
    read_all(SqlCache(tmp_path, tmp_path / "cache"))
    cache = SqlCache(tmp_path, tmp_path / "cache")
    assert cache.read("plain", "select * from b", "steps/plain.sql", Problems()).reads == ("b",)
    cache.keep()
    (file,) = (tmp_path / "cache" / "sql").iterdir()
    assert len(json.loads(file.read_text())[1]) == 1


def test_problems_are_told_each_time(tmp_path):
    for _ in range(2):
        problems = Problems()
        cache = SqlCache(tmp_path, tmp_path / "cache")
        cache.read("bad", "-- segue: {mode: no}\nselect 1", "steps/bad.sql", problems)
        cache.read("worse", "select from", "steps/worse.sql", problems)
        cache.keep()
        assert len(problems.sorted()) == 2


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "3", "[[]]", '["x", 1]', '{"maker": [], "steps": 1}']
)
def test_a_damaged_cache_is_read_anew(tmp_path, damage):
    first = read_all(SqlCache(tmp_path, tmp_path / "cache"))
    (file,) = (tmp_path / "cache" / "sql").iterdir()
    file.write_text(damage)
    assert read_all(SqlCache(tmp_path, tmp_path / "cache")) == first


def test_a_folder_that_can_not_be_written_is_no_cache(tmp_path):
    (tmp_path / "cache").write_text("a file")
    steps, problems = read_all(SqlCache(tmp_path, tmp_path / "cache"))
    assert len(steps) == len(TEXTS)
    assert problems == ()


def test_the_folder_is_the_users_own_unless_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert find_cache() == tmp_path
    monkeypatch.setenv(VARIABLE, "")
    assert find_cache() is None
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "kept"))
    assert find_cache() == tmp_path / "kept" / "segue"
