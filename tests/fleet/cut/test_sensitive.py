"""Sensitive columns at nodes, and in what comes from them."""

import pyarrow as pa
import pytest

from segue.cli.main import run_command
from segue.project.edge import cut
from segue.spec.edge_codec import read_edge, write_edge

CANARY = "HUNTER2CANARY"
ON = "-- segue: {on: shops}\n"
STEPS = {
    "steps/clean.sql": f'{ON}select "time", upper(sensor) as who, value from readings',
    "steps/hot.sql": f"{ON}select who as person, value from clean where value > 1",
    "steps/sums.sql": f"{ON}select value from readings",
    "steps/plain.sql": f'{ON}select "time", value from readings',
    "steps/top.sql": "select max(person) as top, count(*) as n from hot",
}
MARKED = "readings:\n  columns: {sensor: {sensitive: true}}\n"
ALERT = """\
[stream_alerts.hot]
table = "hot"
condition = "value > 1"
send = ["https://example.com"]
message = "{person} has {value}"
"""


@pytest.fixture
def plant(make_fleet):
    return make_fleet({**STEPS, "contracts.yml": MARKED}, ALERT)


def test_the_part_of_nodes_knows_whose_errors_quote_no_values(plant):
    part = cut(plant.root, "shops").part
    assert {*part.private} == {"readings", "clean", "hot", "sums", "plain"}
    assert read_edge(write_edge(part)) == part


def test_nodes_of_before_read_what_has_none(make_fleet):
    part = cut(make_fleet({**STEPS}, ALERT).root, "shops").part
    assert part.private == ()
    assert b"private" not in write_edge(part)
    (alert,) = part.alerts
    assert alert.message == "{person} has {value}"


def test_rejects_of_nodes_are_rows_as_text_and_those_made_here_have_columns(plant):
    spec = plant.project.spec
    assert spec.hidden("hot__rejects").among(["row", "reasons"]) == ("row", "reasons")
    assert spec.hidden("top__rejects").among(["top", "n"]) == ("top",)


def test_alerts_of_nodes_name_no_values(plant):
    (alert,) = cut(plant.root, "shops").part.alerts
    assert alert.message == "*** has {value}"


def test_what_arrives_and_what_is_made_of_it_is_hidden(plant, open_arrivals, capfd):
    hub = open_arrivals(plant)
    hub.send("hot", pa.table({"person": [CANARY], "value": [2.0]}))
    plant.write(
        {
            "contracts.yml": MARKED
            + "hot:\n  columns: {person: {in: [x]}}\n  checks: [{name: v, rule: value < 1}]\n"
            + "top:\n  columns: {top: {in: [x]}}\n"
        }
    )
    root = str(plant.root)
    assert run_command(["run", "--project", root]) == 1
    plant.write({"contracts.yml": MARKED})
    assert run_command(["run", "--project", root]) == 0
    for table in ("hot", "top", "hot__rejects"):
        run_command(["profile", table, "--project", root])
        run_command(["show", table, "--project", root])
    shown = capfd.readouterr()
    told = shown.out + shown.err
    assert CANARY not in told
    assert "***" in told
    assert "from readings.sensor" in told
    assert plant.rows("top") == [(CANARY, 1)]
