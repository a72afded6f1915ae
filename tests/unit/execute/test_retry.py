import pyarrow as pa
import pytest

from segue.errors import (
    OutputError,
    SqlError,
    StepCrashedError,
    StepError,
    StepMemoryError,
    StepTimeoutError,
)
from segue.execute.attempt import StepEngines
from segue.execute.retry import LONGEST_WAIT, attempt_step, run_with_retries
from segue.spec.step import Limits


def fail_with(*errors):
    """Return an attempt that raises these errors in turn, then returns its number."""

    def attempt(number):
        if number < len(errors):
            raise errors[number]
        return number

    return attempt


def test_waits_double_and_are_drawn():
    waits, told = [], []
    errors = [StepError("x"), StepTimeoutError("y"), StepCrashedError("z")]
    limits = Limits(retries=5, backoff=2.0)

    def tell(number, wait, error):
        told.append((number, wait, type(error)))

    assert run_with_retries(fail_with(*errors), limits, lambda: 0.5, waits.append, tell) == 3
    assert waits == [1.0, 2.0, 4.0]
    assert [number for number, _, _ in told] == [1, 2, 3]


def test_waits_end_to_grow():
    waits = []
    limits = Limits(retries=40, backoff=1.0)
    run_with_retries(fail_with(*[StepError("x")] * 40), limits, lambda: 1.0, waits.append)
    assert max(waits) == waits[-1] == LONGEST_WAIT


def test_last_error_is_raised():
    errors = [StepError("first"), StepError("second")]
    with pytest.raises(StepError, match="second"):
        run_with_retries(fail_with(*errors), Limits(retries=1), lambda: 0, lambda _: None)


@pytest.mark.parametrize(
    "error", [SqlError("x"), OutputError("x"), StepMemoryError("x"), ValueError("x")]
)
def test_what_would_be_the_same_again_is_not_repeated(error):
    with pytest.raises(type(error)):
        run_with_retries(fail_with(error), Limits(retries=3), lambda: 0, lambda _: None)


def test_attempts_of_a_step_leave_one_result(world):
    world.add(shop=pa.table({"n": [1, 2]}))
    project = world.declare(
        f"""
        TRIES = Path({str(world.root / "tries")!r})

        @step(retries=2)
        def made(shop: list[dict]) -> Iterator[list[dict]]:
            tries = len(TRIES.read_text()) if TRIES.exists() else 0
            TRIES.write_text("x" * (tries + 1))
            yield shop
            if tries < 2:
                raise ConnectionError("busy")
        """
    )
    task = world.task(project, "made")
    with world.open() as session:
        result = attempt_step(task, StepEngines(session), world.lake, sleep=lambda _: None)
        assert world.read(session, result.staged).to_pylist() == [{"n": 1}, {"n": 2}]
    assert result.attempts == 3
    found = {path.name for path in task.folder.glob("*.parquet")}
    assert found == {file.path for file in result.staged.files}


def test_failed_step_leaves_no_files(world, monkeypatch):
    monkeypatch.setattr("segue.execute.collect.FILE_BYTES", 1)
    world.add(shop=pa.table({"n": [1, 2]}))
    project = world.declare(
        """
        @step
        def made(shop: list[dict]) -> Iterator[list[dict]]:
            yield shop
            raise ConnectionError("busy")
        """
    )
    task = world.task(project, "made")
    (task.folder / "run-0-of-another.parquet.txt").touch()
    with world.open() as session, pytest.raises(StepError, match="busy"):
        attempt_step(task, StepEngines(session), world.lake)
    assert list(task.folder.glob("*.parquet")) == []
