"""Windows without a fleet: a step sees the windows of each row, over the whole table."""

import pytest

from segue.errors import ProjectError, UnsupportedError
from tests.flow.building import TOML, lines, source

DATA = lines(
    "time,sensor,v",
    "2026-01-01 00:00:10,a,1",
    "2026-01-01 00:00:50,a,2",
    "2026-01-01 00:01:10,b,3",
    ",a,4",
)
TUMBLING = """\
-- segue: {window: {column: time, size: 1m}}
select window_start::varchar as at, window_end::varchar as until, sum(v) as total
from r group by all
"""


@pytest.fixture
def project(make_project):
    """Return a project with a table of times."""
    files = {"segue.toml": TOML + source("r", "r.csv"), "r.csv": DATA}
    return lambda more: make_project({**files, **more})


def test_sql_sees_windows(project):
    built = project({"steps/m.sql": TUMBLING})
    assert built.run()["m"] == "done"
    assert built.rows("m") == [
        ("2026-01-01 00:00:00", "2026-01-01 00:01:00", 3),
        ("2026-01-01 00:01:00", "2026-01-01 00:02:00", 3),
    ]
    assert built.run()["m"] == "up to date"
    built.edit("steps/m.sql", "1m", "2m")
    assert built.plan()["m"] == "run: code changed: option window"


def test_python_sees_windows_by_group(project):
    built = project(
        {
            "steps/s.py": """\
import pyarrow as pa
from segue import step

@step(window={"column": "time", "size": "1m", "every": "30s"}, by="window_start")
def s(r: pa.Table) -> list[dict]:
    first = r["window_start"][0].as_py()
    return [{"at": f"{first:%H:%M:%S}", "n": r.num_rows, "total": sum(r["v"].to_pylist())}]
"""
        }
    )
    assert built.run()["s"] == "done"
    assert built.rows("s") == [
        ("00:00:00", 2, 3),
        ("00:00:30", 2, 5),
        ("00:01:00", 1, 3),
        ("23:59:30", 1, 1),
    ]


def test_sessions_over_a_view(project):
    built = project(
        {
            "steps/v.sql": "-- segue: {mode: view}\nselect * from r",
            "steps/s.sql": "-- segue: {window: {column: time, session: 30s, by: sensor}}\n"
            "select sensor, epoch(window_end - window_start)::int as long, count(*) as n"
            " from v group by sensor, window_start, window_end",
        }
    )
    assert built.run()["s"] == "done"
    assert built.rows("s") == [("a", 30, 1), ("a", 30, 1), ("b", 30, 1)]


def test_only_new_rows_have_windows_in_append(project):
    built = project(
        {
            "steps/m.sql": TUMBLING.replace("{window", "{mode: append, window"),
            "segue.toml": TOML + source("r", "in/*.csv"),
            "in/a.csv": DATA,
        }
    )
    built.run()
    built.write({"in/b.csv": lines("time,sensor,v", "2026-01-01 00:05:00,a,7")})
    built.run()
    assert [row[2] for row in built.rows("m")] == [3, 3, 7]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("column: time", "column: tme", "its window names a column 'tme'"),
        ("column: time", "column: v", "no timestamp"),
    ],
)
def test_columns_of_windows_are_looked_up_before(project, old, new, told):
    built = project({"steps/m.sql": TUMBLING.replace(old, new)})
    with pytest.raises(ProjectError, match=told):
        built.plan()


def test_lineage_goes_on_behind_a_window(project):
    built = project({"steps/m.sql": TUMBLING})
    built.run()
    edges = built.project.column_lineage("m.at").graph.edges
    assert {edge.start for edge in edges} == {"r.time"}


def test_other_engines_compute_no_windows(project):
    built = project({"steps/m.sql": TUMBLING.replace("{window", "{on: far, window")})
    built.edit("segue.toml", "[places.local]", '[places.far]\nengine = "ray"\n\n[places.local]')
    with pytest.raises(UnsupportedError, match="does not compute"):
        built.plan()
