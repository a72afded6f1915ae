"""The conformance suite on every engine, as whoever writes one runs it."""

import pytest

from segue.testing.engines.suite import EngineConformance

pytestmark = pytest.mark.timeout(300)


class TestHere(EngineConformance):
    """In this process, where no engine is named."""

    engine = "duckdb"

    @pytest.fixture
    def on(self):
        return None


class TestDuckDB(EngineConformance):
    engine = "duckdb"


@pytest.mark.xdist_group("spark")
class TestSpark(EngineConformance):
    engine = "spark"

    @pytest.fixture
    def on(self, live_spark):
        return live_spark

    @pytest.fixture
    def place(self, live_spark):
        return {"engine": "spark"}


@pytest.mark.xdist_group("ray")
class TestRay(EngineConformance):
    engine = "ray"

    @pytest.fixture
    def on(self, live_ray):
        return live_ray

    @pytest.fixture
    def place(self, live_ray):
        return {"engine": "ray"}


@pytest.mark.xdist_group("dask")
class TestDask(EngineConformance):
    engine = "dask"

    @pytest.fixture
    def on(self, live_dask):
        return live_dask

    @pytest.fixture
    def place(self, live_dask):
        return {"engine": "dask", "address": live_dask.scheduler.address}
