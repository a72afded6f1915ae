"""What was about to be sent is known after any crash: torn copies are passed over."""

from contextlib import closing

import pytest

from segue.agent.destinations.intents import Intents

KEY = ("clean", "e1")


def test_the_newest_whole_copy_counts(tmp_path):
    path = tmp_path / "base.intents"
    with closing(Intents(path)) as intents:
        for last in range(1, 6):
            intents.write(KEY, 1, last)
    content = path.read_bytes()
    half = len(content) // 2
    newest = content.index(b"[4, [[")
    for at in (newest, newest + 3, newest - newest % half + 2):
        path.write_bytes(content[:at] + b"\xff" + content[at + 1 :])
        with closing(Intents(path)) as intents:
            assert intents.find(KEY) == (1, 4)
            intents.write(KEY, 1, 9)
        with closing(Intents(path)) as intents:
            assert intents.find(KEY) == (1, 9)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 32768])
def test_a_damaged_file_is_an_empty_one(tmp_path, content):
    path = tmp_path / "base.intents"
    path.write_bytes(content)
    with closing(Intents(path)) as intents:
        assert intents.find(KEY) is None
        intents.write(KEY, 1, 2)
    with closing(Intents(path)) as intents:
        assert intents.find(KEY) == (1, 2)


def test_a_great_many_streams_leave_the_oldest_out(tmp_path):
    with closing(Intents(tmp_path / "base.intents")) as intents:
        for number in range(2000):
            intents.write((f"table_{number}", "0" * 16), 1, 2)
        assert intents.find(("table_0", "0" * 16)) is None
        assert intents.find(("table_1999", "0" * 16)) == (1, 2)
    assert (tmp_path / "base.intents").stat().st_size == 32768
