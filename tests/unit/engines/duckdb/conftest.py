import pytest

from segue.engines.duckdb.engine import DuckDBEngine
from segue.spec.step import PlaceSpec


@pytest.fixture
def session(tmp_path):
    with DuckDBEngine().open(PlaceSpec("local", threads=2), tmp_path / "scratch") as opened:
        yield opened
