"""The past of a table's checks: what runs measure, what `segue check` measures, what is unusual."""

import json
import re

import pytest

from segue.cli.main import run_command
from tests.flow.building import TOML, lines, source

CONTRACT = """\
orders:
  columns:
    id: {required: true}
  rows: {min: 1, anomaly: true}
  checks:
    - {name: orders per store, rows: {min: 1}, by: store, severity: warn, anomaly: true}
"""


@pytest.fixture
def shop(make_project):
    """Return a project whose table has eight versions, of 30 to 34 rows each."""
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": make_rows(20),
            "steps/orders.sql": "select id, store from raw",
            "contracts.yml": CONTRACT,
        }
    )
    for extra in range(8):
        project.write({"raw.csv": make_rows(20 + extra % 5)})
        assert project.run()["orders"] == "done"
    return project


def make_rows(a, b=10):
    stores = ["a"] * a + ["b"] * b
    return lines("id,store", *(f"{place},{store}" for place, store in enumerate(stores)))


def points(shop, check, table="orders"):
    return shop.project.workspace.ledger.history(table, check)


def test_every_run_is_a_point_with_its_version_and_code(shop):
    found = points(shop, "id required")
    assert [point.version for point in found] == list(range(1, 9))
    assert {point.failing for point in found} == {0}
    assert len({point.run_id for point in found}) == 8
    assert len({point.code for point in found}) == 1
    assert found[0].code
    shop.edit("steps/orders.sql", "from raw", "from raw where id > 0").run()
    assert points(shop, "id required")[-1].code != found[0].code


def test_as_usual_passes_and_says_so(shop):
    shop.write({"raw.csv": make_rows(22)})
    assert shop.run()["orders"] == "done"
    (report,) = shop.project.check("orders", force=True)
    message = next(each.message for each in report.measurements if each.check == "rows")
    assert message.startswith("32 rows, as expected; usual: 21 to 42, ")
    assert message.endswith("median 31.5 of 8 earlier points")


def test_what_is_unusual_is_not_published(shop):
    shop.write({"raw.csv": make_rows(90)})
    error = shop.run_error()
    assert "100 is unusual" in error
    assert shop.versions() == {"orders": 8}
    assert [str(point.verdict) for point in points(shop, "rows")][-1] == "fail"
    # what failed is no example of what is usual
    assert "100 is unusual" in shop.run_error(force=True)
    shop.write({"raw.csv": make_rows(23)})
    assert shop.run()["orders"] == "done"


def test_a_segment_is_held_against_its_own_past(shop):
    shop.write({"raw.csv": make_rows(10, 20)})
    assert shop.run()["orders"] == "done", "the check only warns"
    (report,) = shop.project.check("orders", force=True)
    found = next(each for each in report.measurements if each.check == "orders per store")
    assert str(found.verdict) == "warn"
    assert {(each.key["store"], str(each.verdict)) for each in found.segments} == {
        ("a", "warn"),
        ("b", "warn"),
    }
    assert "2 of 2 unusual: store = 'a': 10 is unusual" in found.message


def test_checks_outside_of_runs_are_kept_and_are_no_past_of_their_own(shop):
    before = points(shop, "rows")
    for _ in range(3):
        (report,) = shop.project.check("orders", force=True)
        message = next(each.message for each in report.measurements if each.check == "rows")
        assert "of 7 earlier points" in message
    found = points(shop, "rows")
    assert len(found) == len(before) + 3
    last = found[-1]
    assert (last.run_id, last.version, last.code) == ("", 8, before[-1].code)
    assert shop.to_do() == set()
    assert len(shop.project.runs()) == 8


def test_many_checks_of_one_version_count_once(shop):
    for _ in range(20):
        shop.project.check("orders", force=True)
    shop.write({"raw.csv": make_rows(21)})
    shop.run()
    (report,) = shop.project.check("orders", force=True)
    message = next(each.message for each in report.measurements if each.check == "rows")
    assert "of 8 earlier points" in message


def test_too_little_history_is_said(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": make_rows(20),
            "contracts.yml": "raw:\n  rows: {anomaly: true}\n",
        }
    )
    (report,) = project.project.check("raw")
    (found,) = report.measurements
    assert str(found.verdict) == "pass"
    assert found.message == "30 rows; too little history for `anomaly`: 0 of 7 points"


def command(shop, *arguments):
    return run_command([*arguments, "--project", str(shop.root)])


def test_the_command_line_tells_a_history(shop, capsys):
    assert command(shop, "checks", "history", "orders") == 0
    told = capsys.readouterr().out
    words = set(re.split(r"\s{2,}|\n", told))
    assert {"id required", "rows"} <= words
    assert {"orders per store: store = 'a'", "orders per store: store = 'b'"} <= words
    assert command(shop, "checks", "history", "orders", "rows", "--last", "3") == 0
    told = capsys.readouterr().out
    assert "orders: rows  value, 3 measurements, bounds 1 …" in told
    assert told.count("pass") == 3


def test_the_command_line_tells_a_history_to_programs(shop, capsys):
    shop.write({"raw.csv": make_rows(90)}).run()
    shop.close()
    assert command(shop, "checks", "history", "orders", "rows", "--json") == 0
    (check,) = json.loads(capsys.readouterr().out)["checks"]
    last, before = check["points"][-1], check["points"][-2]
    assert (last["verdict"], last["value"], last["version"]) == ("fail", 100.0, None)
    assert last["unusual"]
    assert last["usual"][0] < 31 < last["usual"][1] < 100
    assert (before["unusual"], before["version"]) == (False, 8)
    assert before["run_id"] in {run.run_id for run in shop.project.runs()}


def test_a_history_is_drawn_into_a_file(shop, capsys, tmp_path):
    picture = tmp_path / "orders.svg"
    assert command(shop, "checks", "history", "orders", "--svg", str(picture)) == 0
    assert "Written:" in capsys.readouterr().out
    assert picture.read_text(encoding="utf-8").count('class="frame"') == 4
    gone = tmp_path / "no" / "orders.svg"
    assert command(shop, "checks", "history", "orders", "--svg", str(gone)) == 2
    assert "can't be written" in capsys.readouterr().err


def test_names_that_are_wrong(shop, capsys):
    assert command(shop, "checks", "history", "orders", "rowz") == 2
    assert "did you mean 'rows'" in capsys.readouterr().err
    assert command(shop, "checks", "history", "ordres") == 2
    assert "did you mean 'orders'" in capsys.readouterr().err
    arguments = ("checks", "history", "orders", "--json", "--svg", "x.svg")
    assert command(shop, *arguments) == 2


def test_checks_that_the_contract_has_no_more_keep_their_history(shop):
    shop.edit("contracts.yml", "    id: {required: true}\n", "    id: {type: int64}\n")
    names = [series.check for series in shop.project.check_history("orders")]
    assert names == ["id type", "rows", *["orders per store"] * 2, "id required"]
    by_name = {series.check: series for series in shop.project.check_history("orders")}
    assert len(by_name["id required"].points) == 8
    assert by_name["id type"].points == ()


def test_a_lost_ledger_gets_its_history_back(shop):
    before = points(shop, "rows")
    shop.close()
    for path in (shop.root / "lake").glob("ledger.db*"):
        path.unlink()
    rebuilt = shop.project.rebuild()
    assert rebuilt.remarks[-1].startswith("histories of checks: 24 measurements from ")
    found = points(shop, "rows")
    assert [(p.run_id, p.version, p.value, p.verdict, p.code) for p in found] == [
        (p.run_id, p.version, p.value, p.verdict, p.code) for p in before
    ]
    assert [p.at for p in found] == sorted(p.at for p in found)
    shop.write({"raw.csv": make_rows(90)})
    assert "100 is unusual" in shop.run_error()
