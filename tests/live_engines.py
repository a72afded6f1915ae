"""Engines for tests: each is started once in a session, small, on this machine, and stopped."""

import importlib
import os
import sys
import warnings

import pytest

CORES = 2

# Ray listens on all networks unless it believes to be on a laptop; read when it is imported.
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


@pytest.fixture(scope="session")
def live_duckdb():
    """Return what reaches DuckDB's session, with its workers."""
    return "duckdb"


@pytest.fixture(scope="session")
def live_spark(tmp_path_factory):
    """Start Spark with two cores, or use the session that there is."""
    pytest.importorskip("pyspark")
    with warnings.catch_warnings():
        # as it is imported it finds out what works, and takes a warning of pandas 3 for a no
        warnings.simplefilter("ignore")
        importlib.import_module("pyspark.testing")
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master(f"local[{CORES}]")
        .appName("segue-tests")
        .config("spark.driver.memory", "1g")
        # thousands of small queries: half of the time went into compiling code for long ones
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", str(CORES))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.local.dir", str(folder))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def live_ray():
    """Start Ray with two cores; its name reaches what is initialised."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=CORES,
        object_store_memory=200 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        _node_ip_address="127.0.0.1",
    )
    yield "ray"
    ray.shutdown()


@pytest.fixture(scope="session")
def live_dask():
    """Start a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=CORES,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit="1GB",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
