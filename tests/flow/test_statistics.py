"""Checks of published tables that statistics answer: no data page is read."""

from tests.flow.building import TOML, lines, source

CONTRACT = """\
made:
  columns:
    id: {type: int64, required: true, between: [1, 9]}
    v: {between: [-100, 100]}
  rows: {min: 1}
"""


def test_a_published_table_is_judged_without_its_data(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id,v", "1,10", "2,-5", "3,"),
            "steps/made.sql": "select id, v from raw",
            "contracts.yml": CONTRACT,
        }
    )
    project.run()
    (path,) = (project.root / "lake" / "made").glob("*.parquet")
    content = path.read_bytes()
    footer = int.from_bytes(content[-8:-4], "little") + 8
    path.write_bytes(b"PAR1" + b"\xff" * (len(content) - footer - 4) + content[-footer:])
    (report,) = project.project.check("made")
    assert {str(each.verdict) for each in report.measurements} == {"pass"}
    assert all(each.sql.startswith("--") for each in report.measurements)


def test_sources_tell_by_their_footers(make_project, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": [1, 2], "v": [0, 1]}), tmp_path / "raw.parquet")
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.parquet"),
            "raw.parquet": (tmp_path / "raw.parquet").read_bytes(),
            "contracts.yml": CONTRACT.replace("made:", "raw:"),
        }
    )
    (report,) = project.project.check("raw")
    assert all(each.sql.startswith("--") for each in report.measurements)


def test_rejects_are_counted_where_statistics_no_longer_tell(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines("id,v", "1,10", "2,-5", "3,500"),
            "steps/made.sql": "select id, v from raw",
            "contracts.yml": CONTRACT + "  rejects: true\n",
        }
    )
    assert project.run()["made"] == "done"
    measured = {each["check"]: each for each in project.recorded("made")["measurements"]}
    assert (measured["v between"]["failing"], measured["v between"]["rejected"]) == (1, True)
    assert measured["rows"]["value"] == 2.0
