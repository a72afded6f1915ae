"""Where Dask runs: started here, reached by address or client, and what is wrong there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress

import distributed
import psutil
import pyarrow as pa
import pytest

from segue.errors import EngineError, StepCrashedError, StepError, VersionClashError
from segue.registry import load_engine
from segue.spec.layout import Layout
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema

pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(300)]

SCRIPT = """
import sys
from pathlib import Path
import pyarrow as pa
from segue.registry import load_engine
from segue.spec.layout import Layout
from segue.spec.step import PlaceSpec
from segue.spec.types import parse_schema
import beside

print("started")

class Double:
    schema = parse_schema("a: int64")
    def run_tables(self, tables):
        doubled = [beside.double(a) for a in tables[0]["a"].to_pylist()]
        yield from pa.table({"a": doubled}).to_batches()
    run_stream = None

place = PlaceSpec("dask", "dask", threads=2, memory=1_000_000_000)
session = load_engine("dask").open(place, Path(sys.argv[1]))
session.bind("t", pa.table({"a": [1, 2]}))
session.apply("r", ["t"], Double(), Layout())
print(session.fetch("select sum(a) as a from r").to_pylist())
"""


class Kill:
    schema = parse_schema("a: int64")

    def run_tables(self, tables):
        os.kill(os.getpid(), signal.SIGKILL)
        yield

    run_stream = run_tables


class Wait:
    """Work that takes a while, and tells when it has begun."""

    schema = parse_schema("a: int64")

    def __init__(self, marker):
        self.marker = marker

    def run_tables(self, tables):
        self.marker.touch()
        for _ in range(30):
            time.sleep(0.1)
        yield from tables[0].to_batches()

    run_stream = run_tables


def start(*arguments, **environment):
    command = [sys.executable, "-m", "dask", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env={**os.environ, **environment}, **quiet)


def stop(process):
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def wait_until(done, seconds=60):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def certificate(tmp_path):
    """Return the options by which a process of Dask speaks TLS."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here to make a certificate")
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", cert], capture_output=True, check=True
    )
    return ["--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key]


@pytest.fixture
def scheduler(tmp_path, request):
    """Start a scheduler; yield its process and address."""
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    options += request.getfixturevalue("certificate") if hasattr(request, "param") else ()
    process = start("scheduler", *options, "--scheduler-file", str(file))
    try:
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        yield process, json.loads(file.read_text())["address"]
    finally:
        stop(process)


@pytest.fixture
def start_worker(scheduler):
    """Return a function that starts a worker."""
    processes = []

    def start_one(*options, **environment):
        options = ("--host", "127.0.0.1", "--nthreads", "1", "--memory-limit", "1GB", *options)
        process = start("worker", scheduler[1], "--no-dashboard", *options, **environment)
        processes.append(process)
        return process

    yield start_one
    for process in processes:
        stop(process)


def open_at(address, folder):
    return load_engine("dask").open(PlaceSpec("far", "dask", address=address), folder)


def run_script(folder, text=SCRIPT):
    (folder / "beside.py").write_text("def double(x):\n    return 2 * x\n")
    (folder / "script.py").write_text(text)
    command = [sys.executable, "-W", "error::UserWarning", str(folder / "script.py"), str(folder)]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "end", ["", "session.close()", "session.bind('u', session.native('select * from t'))"]
)
def test_script_needs_no_guard_and_hears_nothing_else(tmp_path, end):
    done = run_script(tmp_path, f"{SCRIPT}\n{end}")
    assert (done.stdout, done.stderr) == ("started\n[{'a': 6}]\n", "")


def test_workers_end_with_a_killed_process(tmp_path):
    text = SCRIPT + textwrap.dedent("""
        import os, psutil
        children = psutil.Process().children(recursive=True)
        print(*(each.pid for each in children), flush=True)
        os.kill(os.getpid(), 9)
    """)
    done = run_script(tmp_path, text)
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in done.stdout.splitlines()[-1].split()]
    assert len(pids) >= 3
    wait_until(lambda: not any(map(psutil.pid_exists, pids)))


def test_workers_are_shared_and_end_with_the_last_session(tmp_path):
    engine, place = load_engine("dask"), PlaceSpec("dask", "dask", threads=1, memory=10**9)
    others = set(psutil.Process().children(recursive=True))
    first = engine.open(place, tmp_path)
    second = engine.open(place, tmp_path)
    facts = first.facts()
    assert facts == second.facts()
    assert facts["workers"] == facts["threads"] == 1
    assert (facts["engine"], facts["version"]) == ("dask", distributed.__version__)
    assert facts["address"].startswith("tcp://127.0.0.1:")
    assert first.driver_host == "127.0.0.1"
    children = set(psutil.Process().children(recursive=True)) - others
    first.close()
    assert second.fetch("select 1 as a").to_pylist() == [{"a": 1}]
    second.close()
    wait_until(lambda: not any(child.is_running() for child in children))


def test_frames_without_a_client_have_workers_of_their_own(tmp_path):
    import dask.dataframe as dd
    import pandas as pd

    from segue.engines.dask.cluster import POOL

    frame = dd.from_pandas(pd.DataFrame({"a": [1, 2]}), npartitions=2)
    try:
        with load_engine("dask").attach(frame, tmp_path) as session:
            session.bind("t", frame)
            native = session.native('select * from "t"')
        assert native["a"].sum().compute() == 3
        with load_engine("dask").attach(native, tmp_path) as session:
            session.bind("t", native)
            assert session.fetch("select sum(a) as a from t").to_pylist() == [{"a": 3}]
    finally:
        POOL.stop_at_exit()


def test_scheduler_by_address_and_by_client(tmp_path, scheduler, start_worker):
    start_worker("--nworkers", "2")
    _, address = scheduler
    with open_at(address, tmp_path) as session:
        session.bind("t", pa.table({"a": [1, 2]}))
        assert session.fetch("select sum(a) as a from t").to_pylist() == [{"a": 3}]
        assert session.facts()["address"] == address
    with distributed.Client(address) as client:
        assert load_engine("dask").owns(client)
        with load_engine("dask").attach(client, tmp_path) as session:
            assert session.fetch("select 1 as a").to_pylist() == [{"a": 1}]
        assert client.submit(lambda: 1).result() == 1


def test_rows_of_a_local_cluster_come_from_its_workers(tmp_path):
    passed_on = []
    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "memory_limit": "1GB"}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        cluster.scheduler.handlers["gather"] = lambda *_, **keys: passed_on.append(keys)
        with load_engine("dask").attach(client, tmp_path) as session:
            session.bind("t", pa.table({"a": [1, 2]}))
            assert session.fetch("select sum(a) as a from t").to_pylist() == [{"a": 3}]
    assert not passed_on


@pytest.mark.parametrize("scheduler", ["tls"], indirect=True)
def test_scheduler_by_tls(tmp_path, scheduler, start_worker, certificate):
    start_worker(*certificate)
    _, address = scheduler
    assert address.startswith("tls://")
    options = {
        f"distributed.comm.tls.{name}": str(tmp_path / file)
        for name, file in [
            ("ca-file", "cert.pem"),
            ("client.cert", "cert.pem"),
            ("client.key", "key.pem"),
        ]
    }
    place = PlaceSpec("far", "dask", address=address, options=options)
    with load_engine("dask").open(place, tmp_path) as session:
        session.bind("t", pa.table({"a": [1, 2]}))
        assert session.fetch("select sum(a) as a from t").to_pylist() == [{"a": 3}]
    with pytest.raises(EngineError, match="can't be reached"):
        open_at(address, tmp_path)


def test_closing_interrupts(tmp_path, scheduler, start_worker):
    start_worker("--no-nanny")
    marker = tmp_path / "begun"
    with open_at(scheduler[1], tmp_path) as session:
        other = session.fork()
        other.bind("t", pa.table({"a": range(8)}))

        def close_when_begun():
            wait_until(marker.exists)
            other.close()

        thread = threading.Thread(target=close_when_begun)
        thread.start()
        with pytest.raises(StepError, match="stopped"):
            other.apply("r", ["t"], Wait(marker), Layout(parts=8))
        thread.join()
        assert session.fetch("select 1 as a").to_pylist() == [{"a": 1}]


def test_address_without_a_scheduler_is_told_soon(tmp_path):
    begin = time.monotonic()
    with pytest.raises(EngineError, match="can't be reached") as caught:
        open_at("tcp://127.0.0.1:9", tmp_path)
    assert time.monotonic() - begin < 30
    assert not isinstance(caught.value, VersionClashError)
    assert caught.value.hint


def test_scheduler_without_workers_is_told(tmp_path, scheduler, monkeypatch):
    monkeypatch.setattr("segue.engines.dask.link.IDLE_SECONDS", 0.5)
    with pytest.raises(EngineError, match="has no workers"):
        open_at(scheduler[1], tmp_path)


def test_other_versions_are_found_before_work_starts(tmp_path, scheduler, start_worker):
    other = tmp_path / "other" / "segue-9.9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: segue\nVersion: 9.9.9\n")
    start_worker("--no-nanny", PYTHONPATH=str(other.parent))
    with pytest.raises(VersionClashError, match=r"has segue 9\.9\.9") as caught:
        open_at(scheduler[1], tmp_path)
    assert "install" in caught.value.hint


def test_last_worker_that_dies_is_told(tmp_path, scheduler, start_worker, monkeypatch):
    start_worker("--no-nanny")
    with open_at(scheduler[1], tmp_path) as session:
        monkeypatch.setattr("segue.engines.dask.link.IDLE_SECONDS", 1.0)
        session.bind("t", pa.table({"a": [1]}))
        with pytest.raises((EngineError, StepCrashedError)):
            session.apply("r", ["t"], Kill(), Layout())


def test_scheduler_that_dies_is_told(tmp_path, scheduler, start_worker):
    start_worker("--no-nanny")
    process, address = scheduler
    with open_at(address, tmp_path) as session:
        session.bind("t", pa.table({"a": [1]}))
        assert session.fetch("select a from t").num_rows == 1
        process.kill()
        process.wait()
        with pytest.raises(EngineError, match="was lost"):
            session.fetch("select a + 1 as b from t")
        with pytest.raises(EngineError, match="can't be reached"):
            session.fork()
        again = start("scheduler", "--host", address, "--no-dashboard", "--no-show")
        try:
            start_worker("--no-nanny")
            with session.fork() as other:
                assert other.fetch("select 1 as a").to_pylist() == [{"a": 1}]
        finally:
            stop(again)
