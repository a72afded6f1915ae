"""Spark that segue starts by itself, in a process of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(300)]

OPEN = """
import sys
from pathlib import Path
from segue import registry
from segue.spec.step import PlaceSpec

def open_spark(**options):
    options |= {"spark.sql.shuffle.partitions": 2}
    options |= {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
    place = PlaceSpec(
        "here", engine="spark", address="local[2]", threads=2, memory=2**30, options=options
    )
    return registry.load_engine("spark").open(place, Path(sys.argv[1]) / "scratch")
"""


def run(code, folder, **environment):
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", OPEN + textwrap.dedent(code), str(folder)],
        env=plain | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_spark_starts_quietly_and_is_stopped(tmp_path):
    # workers would take the first python3 on the path
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "python3").chmod(0o755)
    done = run(
        """
        import pyarrow as pa
        from segue.spec.layout import Layout
        from tests.conformance.engines.spark_work import Where

        session = open_spark(**{"spark.app.name": "mine"})
        session.bind("t", pa.table({"a": [1, 2]}))
        session.apply("where", ["t"], Where(), Layout())
        print(session.fetch('select * from "where"').to_pylist()[0]["python"])
        from pyspark.sql import SparkSession
        spark = SparkSession.getActiveSession()
        print(spark.conf.get("spark.app.name"), spark.conf.get("spark.driver.memory"))
        java = spark.sparkContext._gateway.proc
        other = open_spark()
        other.close()
        print(session.fetch("select count(*) as n from t").to_pylist())
        session.close()
        from pyspark import SparkContext
        print(SparkContext._active_spark_context)
        """,
        tmp_path,
        PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=str(Path.cwd()),
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [sys.executable, "mine 1024m", "[{'n': 2}]", "None"]


def test_workers_of_another_version_are_found_before_work_starts(tmp_path):
    (tmp_path / "older" / "segue-0.0.1.dist-info").mkdir(parents=True)
    (tmp_path / "older" / "segue-0.0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: segue\nVersion: 0.0.1\n"
    )
    done = run(
        """
        import pyarrow as pa
        from segue.errors import VersionClashError
        from segue.spec.layout import Layout
        from tests.conformance.engines.spark_work import Where

        with open_spark(**{"spark.executorEnv.PYTHONPATH": sys.argv[1] + "/older"}) as session:
            session.bind("t", pa.table({"a": [1, 2]}))
            try:
                session.apply("where", ["t"], Where(), Layout())
            except VersionClashError as error:
                print(error.message)
        """,
        tmp_path,
        PYTHONPATH=str(Path.cwd()),
    )
    assert done.stdout.startswith("Spark's workers run segue 0.0.1, this process has "), done.stderr


def test_java_that_is_missing_is_told(tmp_path):
    done = run(
        """
        from segue.errors import EngineError
        try:
            open_spark()
        except EngineError as error:
            print(error)
        """,
        tmp_path,
        JAVA_HOME=str(tmp_path / "nowhere"),
    )
    assert "Spark's Java did not start" in done.stdout
    assert "hint: Spark needs Java 17" in done.stdout
