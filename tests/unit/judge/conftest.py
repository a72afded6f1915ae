import pytest

from segue.registry import LAKES, load
from tests.unit.judge.judging import NotingSession


@pytest.fixture
def session(tmp_path):
    session = NotingSession(tmp_path)
    yield session
    session.close()


@pytest.fixture
def lake(tmp_path):
    return load(LAKES, "delta")(str(tmp_path / "lake"))
