"""What is cut out of a project for its nodes: steps, tables, checks, and what does not fit."""

import io

import pyarrow as pa
import pytest

from segue.errors import ProjectError, UnknownNameError
from segue.project.edge import cut
from segue.spec.edge_codec import read_edge, write_edge
from tests.fleet.cut.test_arriving import rows

ON = "-- segue: {on: shops}\n"
CLEAN = f'{ON}select "time", sensor, value from readings where value > 0'
HOT = f"{ON}select sensor, value from clean where value > 50"
ALERT = """\
[stream_alerts.hot]
table = "readings"
condition = "value > 1"
send = ["https://example.com"]
"""
TOP = "select sensor, max(value) as top from hot group by all"


def names(part):
    return [each.table for each in part.sent if each.lake]


def test_what_nobody_reads_at_a_node_leaves_it(make_fleet):
    built = make_fleet({"steps/clean.sql": CLEAN, "steps/hot.sql": HOT})
    part = cut(built.root, "shops").part
    assert [step.name for step in part.steps] == ["clean", "hot"]
    assert names(part) == ["hot"]
    assert [step.stream for step in part.steps] == ["readings", "clean"]
    assert read_edge(write_edge(part)) == part


def test_what_is_read_here_leaves_it_too(make_fleet):
    files = {"steps/clean.sql": CLEAN, "steps/hot.sql": HOT, "steps/top.sql": TOP}
    more = {"steps/all.sql": "select count(*) as n from readings"}
    built = make_fleet(files | more)
    assert names(cut(built.root, "shops").part) == ["readings", "hot"]


def test_contracts_here_read_as_steps_do(make_fleet):
    contract = "sums:\n  columns:\n    sensor: {references: clean.sensor}\n"
    files = {"steps/clean.sql": CLEAN, "steps/hot.sql": HOT, "contracts.yml": contract}
    built = make_fleet({**files, "steps/sums.sql": "select sensor from hot"})
    assert names(cut(built.root, "shops").part) == ["clean", "hot"]


def test_contracts_of_what_crosses_are_judged_here(make_fleet):
    contract = "hot:\n  columns:\n    sensor: {references: clean.sensor}\n"
    files = {"steps/clean.sql": CLEAN, "steps/hot.sql": HOT, "contracts.yml": contract}
    built = make_fleet(files)
    part = cut(built.root, "shops").part
    assert names(part) == ["clean", "hot"]
    assert part.checks == ()
    (report,) = built.project.check("hot")
    assert report.verdict == "pass"


def test_a_destination_alone_is_not_the_lake(make_fleet):
    toml = '[destinations.archive]\nkind = "s3"\nbucket = "b"\ntables = ["readings", "hot"]\n'
    built = make_fleet({"steps/clean.sql": CLEAN, "steps/hot.sql": HOT}, toml)
    part = cut(built.root, "shops").part
    assert {each.table: (each.lake, each.destinations) for each in part.sent} == {
        "readings": (False, ("archive",)),
        "hot": (True, ("archive",)),
    }
    assert [each.name for each in part.destinations] == ["archive"]


def test_views_are_inlined_and_read_nothing_here(make_fleet):
    view = "-- segue: {mode: view}\nselect * from readings -- all of them"
    step = f"{ON}with x as (select * from recent) select sensor, _node from x"
    built = make_fleet({"steps/recent.sql": view, "steps/seen.sql": step})
    part = cut(built.root, "shops").part
    (seen,) = part.steps
    assert (seen.stream, seen.reads) == ("readings", ("readings",))
    assert str(seen.schema) == "sensor: string, _node: string"
    assert names(part) == ["seen"]
    (sent,) = part.sent
    assert str(sent.schema) == "sensor: string"
    assert "recent" not in built.project.workspace.project.steps


def test_reference_tables_are_pushed(make_fleet):
    toml = '[tables.sites]\npath = "sites.csv"\n'
    step = f"{ON}select sensor, site from readings join active using (sensor)"
    files = {
        "sites.csv": "sensor,site\nb,2\na,1\n",
        "steps/active.sql": "-- segue: {mode: view}\nselect * from sites",
        "steps/placed.sql": step,
    }
    built = make_fleet(files, toml)
    made = cut(built.root, "shops")
    (reference,) = made.part.references
    assert (reference.table, reference.file) == ("active", "tables/active.arrow")
    with pa.ipc.open_file(io.BytesIO(made.tables[reference.file])) as file:
        assert file.read_all().to_pylist() == [
            {"sensor": "a", "site": 1},
            {"sensor": "b", "site": 2},
        ]
    assert cut(built.root, "shops").part.references == (reference,)


def test_a_reference_that_was_never_published_is_told(make_fleet):
    step = f"{ON}select sensor from readings semi join known using (sensor)"
    built = make_fleet({"steps/known.sql": "select 'a' as sensor", "steps/kept.sql": step})
    with pytest.raises(UnknownNameError, match="never published"):
        cut(built.root, "shops")
    assert built.plan()["known"] == "run: never ran"
    built.run()
    assert cut(built.root, "shops").part.references[0].table == "known"


def test_checks_of_rows_go_along_and_others_stay(make_fleet):
    contract = """\
clean:
  rejects: true
  columns:
    value: {between: [0, 100]}
    sensor: {in: [a, b], unique: true, required: true}
  checks:
    - {name: sane, rule: value < 1000, fail: null, warn: 0}
    - {rows: {min: 1}}
"""
    built = make_fleet({"steps/clean.sql": CLEAN, "contracts.yml": contract})
    checks = {c.name: c.sets_aside for c in cut(built.root, "shops").part.checks}
    assert checks.pop("sane") is False
    assert set(checks.values()) == {True}
    assert len(checks) == 3
    assert built.project.workspace.project.contracts["clean"].rejects is False


@pytest.mark.parametrize(
    ("files", "toml", "told"),
    [
        ({"steps/clean.sql": f"{ON}select valu from readings"}, "", "no column called 'valu'"),
        (
            {"steps/clean.sql": CLEAN, "contracts.yml": "clean:\n  columns:\n    x: {in: [1]}\n"},
            "",
            "no column 'x'",
        ),
        (
            {"steps/w.sql": "-- segue: {on: shops, window: {column: value, size: 1m}}\n"
             "select window_start from readings"},
            "",
            "no timestamp",
        ),
        (
            {"steps/a.py": "import pyarrow as pa\nfrom segue import step\n\n\n"
             "@step(on='shops')\ndef a(readings: pa.Table) -> pa.Table:\n    return readings\n"},
            "",
            "nobody knows its columns",
        ),
        (
            {},
            ALERT.replace("value", "valu"),
            "no column called 'valu'",
        ),
        (
            {},
            f'{ALERT}distinct = "x"\n',
            "no column 'x'",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_plans_and_cuts(make_fleet, files, toml, told):
    built = make_fleet(files, toml)
    for ask in (built.plan, lambda: cut(built.root, "shops")):
        with pytest.raises(ProjectError, match=told):
            ask()


def test_a_function_that_ran_here_has_the_columns_that_it_made(make_fleet, open_arrivals):
    text = "import pyarrow as pa\nfrom segue import step\n\n\n@step\n"
    text += "def kept(readings: pa.Table) -> pa.Table:\n    return readings.select(['sensor'])\n"
    built = make_fleet({"steps/kept.py": text})
    open_arrivals(built).send("readings", rows(1.0))
    built.run()
    (built.root / "lake/kept").rename(built.root / "lake/before")
    built.edit("segue.toml", "[tables.readings]", '[steps.kept]\non = "shops"\n\n[tables.readings]')
    made = cut(built.root, "shops")
    assert str(made.part.steps[0].schema) == "sensor: string"
    assert made.files == ("steps/kept.py",)


def test_there_is_no_such_fleet(make_fleet):
    with pytest.raises(UnknownNameError, match="'ships'"):
        cut(make_fleet({}).root, "ships")


def test_secrets_are_named_and_not_told(make_fleet):
    toml = '[destinations.x]\nkind = "http"\nurl = "https://x"\ntoken = "${TOKEN}"\n'
    built = make_fleet({}, toml + 'tables = ["readings"]\n')
    part = cut(built.root, "shops").part
    assert part.secrets == ("TOKEN",)
    assert part.destinations[0].options["token"] == "${TOKEN}"


def test_a_plan_tells_what_crosses(make_fleet, open_arrivals):
    built = make_fleet({"steps/clean.sql": CLEAN, "steps/n.sql": "select count(*) n from clean"})
    text = built.project.plan().text
    assert "send       clean to the lake: unknown, nothing has arrived yet; n reads it" in text
    hub = open_arrivals(built)
    for number in range(3):
        hub.send("clean", rows(float(number)))
    planned = built.project.plan()
    assert "3 rows so far, about" in planned.text
    (fleet,) = planned.to_json()["fleets"]
    assert fleet["sources"] == [{"table": "readings", "kind": "tail"}]
    assert fleet["steps"] == ["clean"]
    (crossing,) = fleet["crossing"]
    assert (crossing["table"], crossing["rows"], crossing["read_by"]) == ("clean", 3, ["n"])
    assert crossing["bytes_per_day"] > 0


def test_lineage_goes_through_the_nodes(make_fleet, open_arrivals):
    built = make_fleet({"steps/clean.sql": CLEAN, "steps/hot.sql": HOT, "steps/top.sql": TOP})
    built.run()
    project = built.project
    assert [node.name for node in project.lineage().upstream("top").nodes] == [
        "readings", "clean", "hot", "top",
    ]  # fmt: skip
    edges = project.column_lineage("top.top").upstream.edges
    assert ("readings.value", "clean.value") in {(edge.start, edge.end) for edge in edges}


def test_rejects_of_a_table_that_stays_are_found_elsewhere(make_fleet):
    files = {"steps/clean.sql": CLEAN, "steps/hot.sql": HOT}
    built = make_fleet({**files, "steps/odd.sql": "select reasons from clean__rejects"})
    with pytest.raises(ProjectError, match="does not leave the nodes") as caught:
        built.plan()
    assert "hot__rejects" in caught.value.problems[0].hint


def test_tables_tell_what_has_arrived(make_fleet, open_arrivals):
    built = make_fleet({"steps/n.sql": "select count(*) as n from readings"})
    open_arrivals(built).send("readings", rows(1.0, 2.0))
    info = built.project.tables()[0]
    assert (info.name, info.kind, info.rows, info.version) == ("readings", "arriving", 2, None)
    assert info.columns.names[-1] == "_labels"


def test_a_notebook_shows_the_cut(make_fleet):
    built = make_fleet({"steps/clean.sql": CLEAN})
    page = built.project.plan()._repr_html_()
    assert "At the nodes of shops" in page
    assert "clean to the lake" in page


def test_a_message_that_names_no_column_is_told(make_fleet):
    alert = ALERT + 'message = "{sensr} is hot at {_node}"\n'
    built = make_fleet({"steps/clean.sql": CLEAN}, alert)
    with pytest.raises(ProjectError, match="its message names 'sensr'") as caught:
        cut(built.root, "shops")
    assert "'sensor'" in caught.value.problems[0].hint
