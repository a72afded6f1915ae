"""Fleets in ``segue.toml``, and steps that run at their nodes: every mistake with its line."""

import pytest

from segue.declare.edge_files import find_imported
from segue.declare.window import read_window
from segue.spec.edge import SpoolSettings, WhenFull, WindowKind, WindowSpec

FLEET = """
[places.shops]
engine = "fleet"
address = "https://hub.example.com:8443"
memory = "1GB"

[places.shops.options]
spool = "1GB"
when_full = "block"
"""
READINGS = """
[tables.readings]
on = "shops"
kind = "tail"
path = "/var/log/*.csv"
format = "csv"
delimiter = ";"
columns = {time = "timestamp", value = "float64"}
"""


@pytest.fixture
def fleet(project):
    project.add_toml(FLEET + READINGS)
    return project


def add(project, text):
    project.add_toml(FLEET + READINGS + text)
    return project


def line(project, text):
    """Return the line of segue.toml that begins with a text."""
    lines = (project.root / "segue.toml").read_text().splitlines()
    return next(number for number, each in enumerate(lines, 1) if each.startswith(text))


def test_a_fleet_and_its_source_reach_the_project(fleet):
    spec = fleet.declare()
    shops = spec.fleets.places["shops"]
    assert shops.spool == SpoolSettings(10**9, WhenFull.BLOCK)
    assert (shops.address, shops.memory) == ("https://hub.example.com:8443", 10**9)
    source = spec.sources["readings"]
    assert (source.on, source.kind) == ("shops", "tail")
    assert source.edge.options == {"path": "/var/log/*.csv"}
    assert source.edge.format_options == {"delimiter": ";"}
    assert str(source.edge.schema) == "time: timestamp, value: float64"


@pytest.mark.parametrize(
    ("old", "new", "code", "told", "hint"),
    [
        ('when_full = "block"\n', "", "missing-key", "'when_full'", "when_full"),
        ('"block"', '"explode"', "bad-value", "when_full", ""),
        ('spool = "1GB"', 'spool = "much"', "bad-value", "not a size", ""),
        ("spool =", "spoool =", "unknown-key", "'spoool'", "'spool'"),
        ("https://hub", "hub", "bad-value", "is no hub", "https://"),
        ('on = "shops"', 'on = "shop"', "unknown-place", "no fleet 'shop'", "'shops'"),
        ('kind = "tail"', 'kind = "tial"', "unknown-kind", "'tial'", "'tail'"),
        ('kind = "tail"\n', "", "missing-key", "'kind'", "tail"),
        ('format = "csv"', 'format = "cvs"', "unknown-kind", "'cvs'", "'csv'"),
        ("delimiter", "delimeter", "unknown-key", "'delimeter'", "'delimiter'"),
        ('path = "/var/log/*.csv"\n', "", "missing-key", "'path'", ""),
        ('"timestamp"', '"timestampp"', "bad-value", "timestampp", ""),
        ("{time", "{_node", "bad-name", "'_node'", "rename"),
    ],
)
def test_mistakes_are_told_with_the_nearest(project, old, new, code, told, hint):
    text = FLEET + READINGS
    assert old in text
    project.add_toml(text.replace(old, new, 1))
    found = [each for each in project.problems() if each.code == code]
    assert any(told in each.message and hint in each.hint for each in found), project.problems()
    assert all(each.location.path == "segue.toml" and each.location.line for each in found)


def test_a_source_that_is_wrong_is_not_told_again_by_what_reads_it(project):
    project.add_toml((FLEET + READINGS).replace('kind = "tail"', 'kind = "tial"'))
    project.write("steps/clean.sql", "-- segue: {on: shops}\nselect * from readings")
    assert [each.code for each in project.problems()] == ["unknown-kind"]


def test_all_problems_come_at_once(project):
    text = (FLEET + READINGS).replace('when_full = "block"\n', "").replace('"csv"', '"cvs"')
    project.add_toml(text + '[destinations.x]\nkind = "s4"\ntables = ["readings"]\n')
    codes = {each.code for each in project.problems()}
    assert {"missing-key", "unknown-kind"} <= codes
    assert len(project.problems()) >= 3


def test_secrets_of_nodes_need_not_be_here(project, monkeypatch):
    monkeypatch.delenv("TOKEN_OF_NODES", raising=False)
    text = READINGS.replace("/var/log", "/${TOKEN_OF_NODES}/log")
    project.add_toml(FLEET + text)
    assert project.declare().secrets == ()


@pytest.mark.parametrize(
    ("files", "told", "hint"),
    [
        ({"a.sql": "-- segue: {on: shops}\nselect * from raw"}, "reads no table of it", "shops"),
        (
            {
                "a.sql": "-- segue: {on: shops}\nselect * from readings",
                "b.sql": "-- segue: {on: shops}\nselect * from a join readings using (time)",
            },
            "reads one stream",
            "join them in a step that runs here",
        ),
        (
            {"a.sql": "-- segue: {on: shops, mode: merge, key: [time]}\nselect * from readings"},
            "has mode merge",
            "merge them here",
        ),
        (
            {"a.sql": "-- segue: {on: shops}\nselect * from readings join other using (time)"},
            "nodes of one fleet do not see another's rows",
            "",
        ),
        (
            {"a.sql": "-- segue: {on: shops}\nselect * from readings__gaps"},
            "nodes do not have",
            "here",
        ),
        (
            {
                "a.sql": "-- segue: {on: shops, window: {column: time, size: 1m}}\n"
                "select * from raw, readings"
            },
            "the window of 'a' is over 'raw'",
            "read 'readings' first",
        ),
        (
            {
                "v.sql": "-- segue: {mode: view}\nselect * from raw",
                "a.sql": "-- segue: {window: {column: id, size: 1m}}\nselect * from raw, v",
            },
            "reads it without one by the view 'v'",
            "table",
        ),
    ],
)
def test_steps_that_can_not_run_at_nodes_are_refused(project, files, told, hint):
    other = FLEET.replace("shops", "ships") + READINGS.replace("shops", "ships").replace(
        "readings", "other"
    )
    add(project, other)
    for name, text in files.items():
        project.write(f"steps/{name}", text)
    problem = next(p for p in project.problems() if told in p.message + p.hint)
    assert hint in problem.hint
    assert problem.location.path.startswith("steps/")


def test_views_are_inlined_for_sql_only(fleet):
    fleet.write("steps/v.sql", "-- segue: {mode: view}\nselect * from readings")
    fleet.write(
        "steps/a.py",
        "import pyarrow as pa\nfrom segue import step\n\n\n"
        "@step(on='shops', schema='*')\ndef a(v: pa.Table) -> pa.Table:\n    return v\n",
    )
    problem = fleet.problem()
    assert "the view 'v', which only SQL steps can" in problem.message


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ('[destinations.x]\nkind = "s3"\ntables = ["reading"]', "no fleet has a table", "readings"),
        ('[destinations.x]\nkind = "kafak"\ntables = ["readings"]', "'kafak'", "'kafka'"),
        ("[destinations.x]\ntables = ['readings']", "'kind'", "s3"),
        (
            '[stream_alerts.hot]\ntable = "readings"\ncondition = "value >"\nsend = ["mqtt://x"]',
            "condition",
            "",
        ),
        (
            '[stream_alerts.hot]\ntable = "readings"\ncondition = "value > 1"\nsend = ["x"]',
            "no address",
            "mqtt://",
        ),
        (
            '[stream_alerts.hot]\ntable = "readings"\ncondtion = "value > 1"\nsend = ["a://x"]',
            "stream_alerts.hot.condtion",
            "'condition'",
        ),
    ],
)
def test_destinations_and_alerts_are_checked(project, text, told, hint):
    add(project, text + "\n")
    found = project.problems()
    assert any(told in each.message and hint in each.hint for each in found), found


ALERT = """
[stream_alerts.hot]
table = "readings"
condition = "value > 90"
at_least = 4
distinct = "time"
within = "1m"
send = ["https://example.com/hook"]
"""


def test_an_alert_reaches_the_project(project):
    add(project, ALERT)
    (alert,) = project.declare().fleets.alerts
    assert (alert.spec.at_least, alert.spec.within) == (4, 60_000_000)
    assert alert.location.line == line(project, "[stream_alerts.hot]")


@pytest.mark.parametrize(
    ("raw", "window"),
    [
        ({"size": "1m"}, WindowSpec(WindowKind.TUMBLING, "at", 60_000_000, 60_000_000)),
        (
            {"size": "1m", "every": "10s", "late": 30},
            WindowSpec(WindowKind.SLIDING, "at", 60_000_000, 10_000_000, 30_000_000),
        ),
        (
            {"session": "10m", "by": "sensor"},
            WindowSpec(WindowKind.SESSION, "at", 600_000_000, 600_000_000, 0, ("sensor",)),
        ),
    ],
)
def test_windows_are_read(raw, window):
    assert read_window({"column": "at", **raw}) == window


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (5, "no window"),
        ({"size": "1m"}, "column of the event time"),
        ({"column": "at"}, "size or is a session"),
        ({"column": "at", "size": "1m", "session": "1m"}, "size or is a session"),
        ({"column": "at", "size": "10s", "every": "1m"}, "longer than size"),
        ({"column": "at", "size": "0s"}, "longer than 0"),
        ({"column": "at", "size": "1m", "late": "-1s"}, "not a duration"),
        ({"column": "at", "session": "1m", "every": "1s"}, "every means nothing"),
        ({"column": "at", "size": "1m", "by": "x"}, "by is for sessions"),
        ({"column": "at", "sise": "1m"}, "did you mean 'size'"),
        ({"column": 3, "size": "1m"}, "name of a column"),
    ],
)
def test_other_windows_are_refused(raw, told):
    with pytest.raises(ValueError, match=told):
        read_window(raw)


def test_imported_files_are_found(tmp_path):
    texts = {
        "steps/a.py": "import helpers.one\nfrom models import heat\n",
        "helpers/__init__.py": "",
        "helpers/one.py": "from . import two\nfrom .deep.three import x\n",
        "helpers/two.py": "def f():\n    import late\n",
        "helpers/deep/three.py": "import json, numpy\nx = 1\n",
        "models/heat.py": "",
        "late.py": "",
        "other.py": "import steps.a\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert set(find_imported(tmp_path, ["steps/a.py"])) == texts.keys() - {"other.py"}
