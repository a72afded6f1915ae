import pytest

from tests.unit.judge.tiny_session import TinyLake, TinySession


@pytest.fixture
def session():
    return TinySession()


@pytest.fixture
def lake(tmp_path):
    return TinyLake(tmp_path)
