"""Views and effects: steps that store no table."""

import pytest

from segue.errors import SegueError
from tests.flow.building import TOML, lines, source

VIEW = "-- segue: {mode: view}\n"


@pytest.fixture
def chain(make_project):
    return make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id,v", "1,10", "2,20", "3,30"),
            "steps/big.sql": f"{VIEW}select * from raw where v > 10",
            "steps/bigger.sql": f"{VIEW}select id, v * 2 as v from big",
            "steps/total.sql": "select sum(v)::bigint as v from bigger",
            "steps/listed.py": "from segue import step\n\n\n@step\n"
            "def listed(bigger: list[dict]) -> list[dict]:\n    return bigger\n",
        }
    )


def test_chain_of_views_is_read_in_sql_and_python(chain):
    assert chain.run() == {"raw": "done", "total": "done", "listed": "done"}
    assert chain.rows("total") == [(100,)]
    assert chain.rows("listed") == chain.rows("bigger") == [(2, 40), (3, 60)]
    assert set(chain.versions()) == {"total", "listed"}


def test_change_of_a_view_runs_its_readers_only_if_it_says_something_else(chain):
    chain.run()
    chain.edit("steps/big.sql", "select *", "SELECT  *  -- all\n")
    assert chain.run() == {"total": "up to date", "listed": "up to date"}
    chain.edit("steps/big.sql", "v > 10", "v > 20")
    assert "big" in chain.plan()["total"]
    chain.run()
    assert chain.rows("total") == [(60,)]


def test_selected_view_has_nothing_to_run(chain):
    assert chain.to_do("bigger") == set()
    assert chain.to_do("bigger+") == {"total", "listed"}
    assert chain.run("bigger") == {}


def test_contract_of_a_view_stops_its_readers(chain):
    chain.write({"contracts.yml": "big:\n  columns: {v: {between: [0, 25]}}\n"})
    assert chain.run() == {
        "raw": "done",
        "big": "contract failed",
        "total": "blocked",
        "listed": "blocked",
    }
    assert chain.versions() == {}
    chain.edit("contracts.yml", "25", "30")
    assert chain.run()["total"] == "done"
    assert chain.project.check("big")[0].verdict == "pass"


def test_changed_contract_of_a_view_is_judged_again(chain):
    chain.write({"contracts.yml": "big:\n  columns: {v: {between: [0, 30]}}\n"})
    chain.run()
    chain.edit("contracts.yml", "30", "25")
    assert chain.run()["big"] == "contract failed"
    assert chain.rows("total") == [(100,)]


def test_rejects_of_a_view_are_refused_when_loaded(chain):
    chain.write({"contracts.yml": "big:\n  columns: {v: {between: [0, 25]}}\n  rejects: true\n"})
    with pytest.raises(SegueError, match="rejects"):
        chain.run()


def test_view_of_a_stored_table(chain):
    chain.write({"steps/seen.sql": f"{VIEW}select v + 1 as v from total"})
    chain.run()
    assert chain.rows("seen") == [(101,)]
    assert chain.rows("seen", snapshot=1) == [(101,)]


def test_view_that_nobody_reads_is_bound_too(chain):
    chain.write({"steps/odd.sql": f"{VIEW}select nothing from raw"})
    with pytest.raises(SegueError, match="nothing"):
        chain.run()


EFFECT = """\
from pathlib import Path
from segue import step


@step
def told(total: list[dict]) -> None:
    with Path("told.txt").open("a") as file:
        file.write(f"{total[0]['v']}\\n")
"""


def test_effect_runs_when_its_input_changes(chain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain.write({"steps/told.py": EFFECT})
    assert chain.run()["told"] == "done"
    assert set(chain.run().values()) == {"up to date"}
    chain.write({"raw.csv": lines("id,v", "1,100")})
    chain.run()
    assert (tmp_path / "told.txt").read_text() == "100\n200\n"
    assert "told" not in chain.versions()
    with pytest.raises(SegueError, match="makes no table"):
        chain.rows("told")


def test_effect_of_the_same_rows_is_not_repeated(chain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain.write({"steps/told.py": EFFECT})
    chain.run()
    chain.write({"raw.csv": lines("id,v", "3,30", "2,20", "9,1")})
    assert chain.run()["told"] == "up to date"
    assert (tmp_path / "told.txt").read_text() == "100\n"


def test_failed_effect_publishes_nothing_and_runs_again(chain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain.write({"steps/told.py": EFFECT.replace("told.txt", "no/told.txt")})
    assert chain.run()["told"] == "failed"
    assert chain.versions() == {}
    (tmp_path / "no").mkdir()
    assert chain.run() == {"raw": "done", "total": "reused", "listed": "reused", "told": "done"}


def test_view_that_does_not_fit_what_a_function_made_is_told(make_project):
    project = make_project(
        {
            "segue.toml": TOML,
            "steps/made.py": "from segue import step\n\n\n@step\n"
            "def made() -> list[dict]:\n    return [{'v': 1}]\n",
            "steps/narrow.sql": f"{VIEW}select v,\n  w\nfrom made",
            "steps/wide.sql": f"{VIEW}select v from narrow",
            "steps/total.sql": "select v from wide",
        }
    )
    assert "there is no column called 'w'" in project.run_error()
    project.edit("steps/narrow.sql", "  w\n", "  v as w\n")
    assert project.run()["total"] == "done"
