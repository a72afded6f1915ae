"""Servers of Spark Connect for tests: on the loopback, on free ports, ended with the tests."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

SAIL = """
import sys, pyspark
pyspark.__version__ = "4.2.0"  # the newest that Sail 0.7 knows: it refuses to look at others
from pysail.spark import SparkConnectServer
SparkConnectServer("127.0.0.1", int(sys.argv[1])).start(background=False)
"""

QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Hundreds of small queries: less goes into compiling code for long ones."""


@contextlib.contextmanager
def serve_connect(folder):
    """Run Spark's own server of Spark Connect, which comes with PySpark."""
    import pyspark

    home, port = Path(pyspark.__file__).parent, find_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": QUICK_JAVA,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.local.dir": folder,
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.warehouse.dir": folder / "warehouse",
        "spark.ui.enabled": "false",
    }
    command = [home / "bin" / "spark-submit", "--master", "local[2]"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    for key, value in settings.items():
        command += ["--conf", f"{key}={value}"]
    environment = {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable}
    with _run([*command, "spark-internal"], port, folder, environment) as address:
        yield address


@contextlib.contextmanager
def serve_sail(folder):
    """Run Sail."""
    port = find_port()
    with _run([sys.executable, "-c", SAIL, str(port)], port, folder, {}) as address:
        yield address


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _run(command, port, folder, environment):
    log = folder / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=file,
            stderr=file,
            cwd=folder,
            env=os.environ | environment,
        )
        try:
            _wait(process, port, log)
            yield f"sc://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


def _wait(process, port, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
