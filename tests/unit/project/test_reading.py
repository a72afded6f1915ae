"""The façade's small promises: frames, limits, names, closing."""

import pytest

from segue.errors import SegueError, UnknownNameError, UsageError
from segue.project import load


@pytest.fixture
def project(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "segue.toml").write_text('[project]\nname = "p"\n')
    (tmp_path / "steps" / "a.sql").write_text("select range as n from range(3)")
    (tmp_path / "steps" / "later.sql").write_text("select 1 as n")
    with load(tmp_path) as project:
        project.run("a")
        yield project


@pytest.mark.parametrize(
    ("returns", "kind"),
    [
        ("arrow", "pyarrow.lib.Table"),
        ("pyarrow.Table", "pyarrow.lib.Table"),
        ("pandas", "DataFrame"),
        ("polars", "polars.dataframe.frame.DataFrame"),
        ("polars.LazyFrame", "polars.lazyframe.frame.LazyFrame"),
        ("rows", "builtins.list"),
    ],
)
def test_frames(project, returns, kind):
    found = type(project.read("a", returns))
    assert f"{found.__module__}.{found.__qualname__}".endswith(kind)


@pytest.mark.parametrize("returns", ["numpy", "None", "pyarrow.RecordBatch", "panda"])
def test_other_frames_are_refused(project, returns):
    with pytest.raises(UsageError, match="can't be returned"):
        project.read("a", returns)


def test_limits(project):
    assert project.read("a", "rows", limit=2) == [{"n": 0}, {"n": 1}]
    assert project.read("a", "rows", limit=0) == []
    assert len(project.query("select * from a -- all", "rows", limit=2)) == 2


@pytest.mark.parametrize("name", ["aa", "later", "A b", '"'])
def test_unknown_tables_have_a_hint(project, name):
    with pytest.raises(UnknownNameError) as raised:
        project.read(name)
    assert raised.value.hint


def test_unknown_runs_are_refused(project):
    for run in ("20990101", "nothing"):
        with pytest.raises(SegueError):
            project.record(run)
    run_id = project.runs()[0].run_id
    assert project.record(run_id[:12])["run_id"] == project.record()["run_id"] == run_id


def test_tables_tell_what_is_there(project):
    info = {table.name: table for table in project.tables()}
    assert (info["a"].kind, info["a"].rows, info["a"].version) == ("table", 3, 1)
    assert (info["later"].kind, info["later"].rows, info["later"].version) == ("table", None, None)


def test_closed_project_opens_again(project):
    project.close()
    project.close()
    assert project.read("a").num_rows == 3


def test_nothing_is_written_before_the_first_run(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "segue.toml").write_text('[project]\nname = "p"\n')
    (tmp_path / "steps" / "a.sql").write_text("select 1 as n")
    with load(tmp_path / "steps") as project:
        assert project.plan().text
        project.lineage()
    assert project.spec.root == tmp_path


def test_there_has_to_be_a_project(tmp_path):
    with pytest.raises(UsageError, match=r"segue\.toml"):
        load(tmp_path)
