"""Secrets: `${NAME}` in the options of sources, never in what is written."""

import pytest

from segue.errors import SegueError
from tests.flow.building import TOML, lines, source

CANARY = "hunter2-canary"


@pytest.fixture
def guarded(make_project, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", CANARY)
    return make_project(
        {
            "segue.toml": TOML + source("raw", "in/${SHOP_TOKEN}/a.csv"),
            f"in/{CANARY}/a.csv": lines("n", "1", "0"),
            "steps/made.sql": "select n from raw",
        }
    )


def everything_written(project):
    project.close()
    lake = project.root / "lake"
    return b"".join(path.read_bytes() for path in lake.rglob("*") if path.is_file())


def test_secret_is_filled_in_and_left_out_of_all_that_is_written(guarded):
    guarded.run()
    assert guarded.rows("made") == [(0,), (1,)]
    assert CANARY.encode() not in everything_written(guarded)


def test_secret_stays_out_of_failures(guarded):
    guarded.edit("steps/made.sql", "select n", "select error('in ' || n::text)::int as n")
    error = guarded.run_error()
    assert guarded.project.record()["status"] == "failed"
    guarded.write(
        {
            "steps/made.sql": None,
            "steps/made.py": "import os\nfrom segue import step\n\n\n@step\n"
            "def made(raw: list[dict]) -> list[dict]:\n"
            "    raise OSError('no login with ' + os.environ['SHOP_TOKEN'])\n",
        }
    )
    guarded.run()
    assert "${SHOP_TOKEN}" in guarded.project.record()["error"]
    assert CANARY.encode() not in everything_written(guarded)
    assert CANARY not in error


def test_secret_stays_out_of_a_bad_sources_error(guarded):
    guarded.write({f"in/{CANARY}/a.csv": b"n\n1\n2,3\n"})
    with pytest.raises(SegueError) as raised:
        guarded.project.run()
    assert CANARY not in str(raised.value)
    assert CANARY.encode() not in everything_written(guarded)


def test_append_steps_remember_files_without_the_secret(guarded):
    guarded.write({"steps/made.sql": "-- segue: {mode: append}\nselect n from raw"})
    guarded.edit("segue.toml", "a.csv", "*.csv")
    guarded.run()
    assert CANARY.encode() not in everything_written(guarded)


def test_missing_variable_is_named(guarded, monkeypatch):
    monkeypatch.delenv("SHOP_TOKEN")
    guarded.close()
    with pytest.raises(SegueError, match="SHOP_TOKEN is not set"):
        guarded.run()


def test_another_secret_is_another_source(guarded, monkeypatch):
    guarded.run()
    guarded.write({"in/other/a.csv": lines("n", "5")})
    monkeypatch.setenv("SHOP_TOKEN", "other")
    guarded.run()
    assert guarded.rows("made") == [(5,)]
