"""Moving a step between nodes and here, on one lake with what it has already."""

import pytest

from segue.errors import ForeignCommitError, ProjectError, StorageError
from segue.project.edge import cut
from tests.fleet.cut.test_arriving import rows, values

CLEAN = 'select "time", sensor, value from readings where value > 0'
THERE = {"steps/clean.sql": f"-- segue: {{on: shops}}\n{CLEAN}"}
HERE = {"steps/clean.sql": f"-- segue: {{mode: append}}\n{CLEAN}"}
TAKEN = {"steps/taken.sql": "-- segue: {mode: append}\nselect value from clean"}


def test_append_readers_go_on_when_a_step_moves_to_the_nodes(make_fleet, open_arrivals):
    built = make_fleet(HERE | TAKEN)
    hub = open_arrivals(built)
    hub.send("readings", rows(1.0))
    built.run()
    built.write(THERE)
    for ask in (built.plan, built.run):
        with pytest.raises(ProjectError, match="nodes of 'shops' make 'clean' now") as refused:
            ask()
        assert f"mv {built.root / 'lake' / 'clean'} " in refused.value.problems[0].hint
    with pytest.raises(StorageError, match="is not one that nodes send") as caught:
        cut(built.root, "shops")
    lake = built.root / "lake"
    assert f"mv {lake / 'clean'} {lake / 'clean'}_before" in caught.value.hint
    (lake / "clean").rename(lake / "clean_before")
    built.close()
    assert [each.table for each in cut(built.root, "shops").part.sent] == ["clean"]
    hub.send("clean", rows(2.0))
    assert built.plan()["taken"] == "run: input changed: 1 new file in clean"
    built.run()
    assert values(built) == [1.0, 2.0]


def test_append_readers_go_on_when_a_step_comes_back(make_fleet, open_arrivals):
    built = make_fleet(THERE | TAKEN)
    hub = open_arrivals(built)
    hub.send("clean", rows(1.0))
    built.run()
    built.write(HERE)
    hub.send("readings", rows(2.0))
    lake = built.root / "lake"
    (lake / "_hub").mkdir(exist_ok=True)
    runs = list((lake / "_runs").glob("*.json"))
    for ask in (built.plan, built.run):
        with pytest.raises(ProjectError, match="'clean' runs here now") as refused:
            ask()
        (problem,) = refused.value.problems
        assert f"mv {lake / 'clean'} {lake / 'clean'}_before" in problem.hint
        assert problem.location.path == "steps/clean.sql"
    assert list((lake / "_runs").glob("*.json")) == runs
    with pytest.raises(ForeignCommitError, match="a hub writes the table 'clean'") as caught:
        built.project.adopt("clean")
    assert f"mv {lake / 'clean'} {lake / 'clean'}_before" in caught.value.hint
    (lake / "clean").rename(lake / "clean_before")
    built.run()
    assert values(built) == [1.0, 2.0]
    before = '[tables.clean_before]\npath = "lake/clean_before"\n'
    built.write({"segue.toml": (built.root / "segue.toml").read_text() + before})
    assert values(built, "clean_before") == [1.0]


def test_a_name_that_is_taken_is_not_proposed(make_fleet, open_arrivals):
    built = make_fleet(HERE)
    open_arrivals(built).send("readings", rows(1.0))
    built.run()
    (built.root / "lake" / "clean_before").mkdir()
    built.write(THERE)
    with pytest.raises(ProjectError) as refused:
        built.plan()
    assert refused.value.problems[0].hint.endswith("lake/clean_before2")


def test_other_steps_run_while_one_waits_to_be_moved(make_fleet, open_arrivals):
    other = {"steps/other.sql": "select count(*) as n from readings"}
    built = make_fleet(THERE | other)
    open_arrivals(built).send("clean", rows(1.0))
    (built.root / "lake" / "_hub").mkdir(exist_ok=True)
    built.write(HERE)
    assert built.run("other") == {"readings": "done", "other": "done"}
