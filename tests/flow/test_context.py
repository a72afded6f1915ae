"""What checks are told beside the table: the clock's time, the version before, the folder."""

from dataclasses import replace

from tests.flow.building import TOML, lines, source


class Clock:
    """A clock that stands where a test puts it."""

    def __init__(self, real, now):
        self.real, self.time = real, now

    def now(self):
        return self.time

    def monotonic(self):
        return self.real.monotonic()


def start(make_project, contract, **files):
    return make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines(
                "id,seen", *(f"{number},2026-03-01 12:00:00" for number in range(100))
            ),
            "steps/made.sql": "select id, seen from raw",
            "contracts.yml": contract,
            **files,
        }
    )


def verdict(report):
    return [str(each.verdict) for each in report.measurements]


def test_freshness_is_measured_by_the_clock_of_the_workspace(make_project):
    project = start(make_project, "raw: {}\n")
    project.run()
    project.write({"contracts.yml": "made:\n  fresh: {column: seen, within: 24h}\n"})
    for now, expected in {
        "2026-03-02T11:00:00+00:00": "pass",
        "2026-03-03T11:00:00": "fail",
    }.items():
        loaded = project.project
        loaded._workspace = replace(loaded.workspace, clock=Clock(loaded.workspace.clock, now))
        (report,) = loaded.check()
        assert verdict(report) == [expected]
        project.close()


DRIFT = "made:\n  columns: {id: {drift: {against: previous, max: 0.2}}}\n"


def test_a_run_knows_the_version_before(make_project):
    project = start(make_project, DRIFT)
    assert project.run()["made"] == "done"
    project.write({"raw.csv": lines("id,seen", *(f"{n + 1},2026-03-01" for n in range(100)))})
    assert project.run()["made"] == "done"
    (report,) = project.project.check()
    assert verdict(report) == ["pass"]
    project.write({"raw.csv": lines("id,seen", *(f"{n % 3},2026-03-01" for n in range(100)))})
    assert project.run()["made"] == "contract failed"


def test_a_version_that_vacuum_took_is_none(make_project):
    project = start(make_project, DRIFT)
    project.run()
    project.write({"raw.csv": lines("id,seen", *(f"{n + 1},2026-03-01" for n in range(100)))})
    project.run()
    project.project.vacuum(keep=1)
    (report,) = project.project.check()
    assert verdict(report) == ["pass"]
    assert "nothing" in report.measurements[0].message or "no " in report.measurements[0].message


OWN = """
import pyarrow as pa


def count(rows: pa.Table) -> int:
    return rows.num_rows
"""


def test_files_in_contracts_are_read_from_the_projects_folder(make_project, tmp_path, monkeypatch):
    project = start(
        make_project,
        "made:\n  checks: [{python: checks/own.py:count, max: 100}]\n",
        **{
            "checks/own.py": OWN,
        },
    )
    monkeypatch.chdir(tmp_path)
    assert project.run()["made"] == "done"
    (report,) = project.project.check()
    assert verdict(report) == ["pass"]
