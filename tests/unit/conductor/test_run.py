"""What a run tells while it goes on, and what it leaves behind when it can't."""

import pytest

from segue import conductor
from segue.errors import ConflictError, SegueError
from segue.project import load
from segue.spec.plan import Selection

STEP = "from segue import step\n\n\n@step\ndef b(a: list[dict]) -> list[dict]:\n    return {}\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "segue.toml").write_text('[project]\nname = "p"\n')
    (tmp_path / "steps" / "a.sql").write_text("select 1 as n")
    (tmp_path / "steps" / "b.py").write_text(STEP.format("a"))
    with load(tmp_path) as project:
        yield project


def hear(project, **options):
    told = []
    project.run(listener=told.append, check=False, **options)
    return told


def test_listener_hears_each_step_begin_and_end(project):
    told = [(each.step, each.stage) for each in hear(project)]
    for step in ("a", "b"):
        assert told.index((step, "started")) < told.index((step, "settled"))
    assert told.index(("a", "settled")) < told.index(("b", "started"))
    assert ("", "publishing") in told
    assert hear(project) == []


def test_plan_that_is_out_of_date_is_refused_before_it_runs(project):
    plan = conductor.make_plan(project.workspace, Selection(), {})
    project.run()
    with pytest.raises(ConflictError, match="another run published"):
        conductor.run_plan(project.workspace, plan, "run", lambda _: None)
    assert len(project.runs()) == 1


def test_listener_that_raises_leaves_nothing_half_published(project):
    def listen(progress):
        if progress.stage == "publishing":
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        project.run(listener=listen)
    assert [run.status for run in project.runs()] == ["failed"]
    assert all(info.version is None for info in project.tables())
    assert project.run()["b"].status == "reused"


def test_scratch_folders_are_gone_after_good_and_bad_runs(project):
    ids = []
    project.run()
    ids.append(project.runs()[0].run_id)
    (project.spec.root / "steps" / "b.py").write_text(STEP.format("1 / 0"))
    with load(project.spec.root) as other:
        other.run(check=False)
        ids.append(other.runs()[0].run_id)
    assert not any(conductor.engines.scratch_folder(run_id).exists() for run_id in ids)


def test_failed_runs_leave_no_files_of_the_failed_step(project):
    (project.spec.root / "steps" / "b.py").write_text(
        STEP.replace("list[dict]:", "'Iterator[list[dict]]':")
        .replace("from segue", "from collections.abc import Iterator\nfrom segue")
        .format("(row['x'] for row in a)")
    )
    with load(project.spec.root) as other, pytest.raises(SegueError):
        other.run()
    assert not list((project.spec.root / "lake").glob("b/*.parquet"))


def test_check_of_a_plan_starts_nothing(project):
    (project.spec.root / "steps" / "a.sql").write_text("select nn from b")
    (project.spec.root / "steps" / "c.sql").write_text("select m from a")
    (project.spec.root / "steps" / "b.py").unlink()
    (project.spec.root / "steps" / "b.sql").write_text("select 1 as n")
    with load(project.spec.root) as other:
        with pytest.raises(SegueError, match="did you mean 'n'"):
            other.plan()
        assert other.runs() == ()
