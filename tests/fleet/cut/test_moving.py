"""Moving a step between nodes and here, on one lake with what it has already."""

import pytest

from segue.errors import ForeignCommitError, StorageError
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
    assert "is not one that nodes send" in built.plan()["taken"]
    with pytest.raises(StorageError, match="is not one that nodes send") as caught:
        cut(built.root, "shops")
    assert "move it away" in caught.value.hint
    lake = built.root / "lake"
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
    refused = built.run_error()
    assert "another writer committed to the table 'clean'" in refused
    assert f"mv {lake / 'clean'} {lake / 'clean'}_before" in refused
    assert "--adopt" not in refused
    with pytest.raises(ForeignCommitError, match="a hub writes the table 'clean'") as caught:
        built.project.adopt("clean")
    assert f"mv {lake / 'clean'} {lake / 'clean'}_before" in caught.value.hint
    (lake / "clean").rename(lake / "clean_before")
    built.run()
    assert values(built) == [1.0, 2.0]
    before = '[tables.clean_before]\npath = "lake/clean_before"\n'
    built.write({"segue.toml": (built.root / "segue.toml").read_text() + before})
    assert values(built, "clean_before") == [1.0]
