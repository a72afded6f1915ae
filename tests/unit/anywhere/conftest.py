import pyarrow.parquet as pq
import pytest

from segue.anywhere import compute
from segue.engines.duckdb import apply
from segue.engines.duckdb.pool import POOL


@pytest.fixture
def shared(monkeypatch):
    """Let several processes share the work, however small it is."""
    monkeypatch.setattr(compute, "LARGE", 0)
    monkeypatch.setattr(apply, "LEAST_COLD", 0)
    monkeypatch.setattr(apply, "LEAST_WARM", 0)
    monkeypatch.setattr(apply, "count_cores", lambda: 2)


@pytest.fixture(scope="session", autouse=True)
def _no_worker_is_left():
    yield
    POOL.close()


@pytest.fixture
def parquet(tmp_path):
    """Return a function that stores a table and returns the path."""

    def store(table, name="data"):
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table, path)
        return path

    return store
