"""Ray started on this machine, and Ray reached at an address, in processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from segue.engines.ray import connect
from segue.engines.ray.versions import compare_versions, tell_versions
from segue.errors import EngineError, VersionClashError

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(300)]

BEGIN = """
import contextlib, json, os, signal, sys
from pathlib import Path
import pyarrow as pa
from segue.engines.ray.engine import RayEngine
from segue.errors import SegueError
from segue.spec.layout import Layout
from segue.spec.step import PlaceSpec
from tests.conformance.engines.ray_work import apply, lay_out

def count(part: pa.Table) -> pa.Table:
    print("a word of the user's")
    return pa.table({"n": [part.num_rows]})

def die(part: pa.Table) -> pa.Table:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run(script, tmp_path, **variables):
    """Run a script, and return what it prints as JSON, and all else that it wrote."""
    result = tmp_path / "result.json"
    path = tmp_path / "script.py"
    path.write_text(BEGIN + textwrap.dedent(script))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), str(result), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), **variables},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    written = done.stdout + done.stderr
    assert done.returncode == 0, written
    return json.loads(result.read_text()), written


def test_a_start_here_listens_on_loopback_and_says_nothing(tmp_path):
    script = """
    import psutil
    options = {"object_store_memory": 100_000_000}
    place = PlaceSpec("p", "ray", threads=2, memory=2_000_000_000, options=options)
    mine = signal.getsignal(signal.SIGTERM)
    session = RayEngine().open(place, Path(sys.argv[2]))
    with RayEngine().open(place, Path(sys.argv[2])) as second:
        second.bind("t", pa.table({"k": [1, 2]}))
    session.bind("t", pa.table({"k": [1, 2, None]}))
    found = apply(session, ["t"], count, "n: int64", lay_out("k: int64"))
    try:
        apply(session, ["t"], die, "n: int64", Layout())
    except SegueError as error:
        code = error.code
    children = psutil.Process().children(recursive=True)
    hosts = set()
    for process in [psutil.Process(), *children]:
        with contextlib.suppress(psutil.NoSuchProcess):  # some of Ray's live shortly
            hosts |= {c.laddr.ip for c in process.net_connections("tcp") if c.status == "LISTEN"}
    facts = session.facts()
    session.close()
    gone = psutil.wait_procs(children, 30)[1]
    Path(sys.argv[1]).write_text(json.dumps({
        "rows": found["n"].to_pylist(), "code": code, "hosts": sorted(hosts),
        "workers": facts["workers"], "left": [p.name() for p in gone],
        "signal": signal.getsignal(signal.SIGTERM) == mine,
        "kept": sorted(name for name in os.environ if name.startswith("RAY_")),
    }))
    """
    found, written = run(script, tmp_path)
    assert found["rows"] == [1, 1, 1]
    assert found["code"] == "step-crashed"
    assert found["workers"] == 2
    assert set(found["hosts"]) <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert found["left"] == []
    assert found["signal"]
    assert "RAY_IGNORE_UNHANDLED_ERRORS" not in found["kept"]
    assert written == ""


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """Start a head of a cluster that clients can reach; return its address."""
    ports = [free_port() for _ in range(2)]
    folder = tmp_path_factory.mktemp("ray-head")
    with (folder / "log").open("w") as log:
        process = start_head(ports, log)
    try:
        wait_for_port(ports[1], process)
        yield f"ray://127.0.0.1:{ports[1]}"
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        for left in psutil.wait_procs(family, 20)[1]:
            left.kill()


def start_head(ports, log):
    return subprocess.Popen(
        [
            Path(sys.executable).parent / "ray",
            "start",
            "--head",
            "--block",
            f"--port={ports[0]}",
            f"--ray-client-server-port={ports[1]}",
            "--num-cpus=2",
            "--object-store-memory=100000000",
            "--include-dashboard=false",
            "--disable-usage-stats",
        ],
        env={
            **os.environ,
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "10",  # a server that died is seen soon
            "RAY_AUTH_MODE": "disabled",
            "PYTHONPATH": str(Path.cwd()),
        },
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("Ray's head did not start")


def test_a_client_does_all_that_a_driver_does(head, tmp_path):
    script = """
    import pyarrow.parquet as pq
    from segue.spec.scan import Scan
    address, folder = os.environ["HEAD"], Path(sys.argv[2])
    pq.write_table(pa.table({"k": [1, 2, 2], "v": ["a", "b", None]}), folder / "t.parquet")
    with RayEngine().open(PlaceSpec("p", "ray", address=address), folder) as session:
        session.bind("t", Scan("parquet", (str(folder / "t.parquet"),)))
        session.bind("m", pa.table({"k": list(range(100))}))
        counts = apply(session, ["t"], count, "n: int64", lay_out("k: int64"))
        shuffled = apply(session, ["m"], count, "n: int64", lay_out("k: int64", parts=3))
        stream = session.stream("select k, v from t order by k, v").read_all()
        codes = []
        try:
            session.native("select v from t where k = 1")
        except SegueError as error:
            codes.append([error.code, bool(error.hint)])
        for function in (die, die, die, None):  # workers die, and what they made stays
            try:
                apply(session, ["t"], function or (lambda part: 1 / 0), "n: int64", Layout())
            except SegueError as error:
                codes.append([error.code, error.engine])
        again = session.fetch("select sum(n)::int64 as n from result")
        host, facts = session.driver_host, session.facts()
    import ray
    Path(sys.argv[1]).write_text(json.dumps({
        "counts": sorted(counts["n"].to_pylist()), "shuffled": shuffled.num_rows,
        "stream": stream.to_pylist(), "codes": codes,
        "again": again.to_pylist(), "host": host, "facts": facts, "open": ray.is_initialized(),
    }))
    """
    found, written = run(script, tmp_path, HEAD=head, RAY_AUTH_MODE="disabled")
    assert found["counts"] == [1, 2]
    assert found["shuffled"] == 100
    assert found["stream"] == [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": 2, "v": None}]
    assert found["codes"] == [
        ["unsupported", True],
        *[["step-crashed", "ray"]] * 3,
        ["step-failed", "ray"],
    ]
    assert found["again"] == [{"n": 100}]
    assert (found["host"], found["facts"]["address"]) == ("127.0.0.1", head)
    assert not found["open"]
    assert written == ""


def test_a_client_whose_server_dies_at_its_start_is_tried_again(head, tmp_path):
    flag, python = tmp_path / "died", tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\nmkdir "{flag}" 2>/dev/null && exit 1\nexec {sys.executable} "$@"\n'
    )
    python.chmod(0o755)
    script = """
    options = {"runtime_env": {"py_executable": os.environ["FLAKY"]}}
    place = PlaceSpec("p", "ray", address=os.environ["HEAD"], options=options)
    with RayEngine().open(place, Path(sys.argv[2])) as session:
        told = session.fetch("select 1 as n").to_pylist()
    Path(sys.argv[1]).write_text(json.dumps(told))
    """
    found, _ = run(script, tmp_path, HEAD=head, RAY_AUTH_MODE="disabled", FLAKY=str(python))
    assert (found, flag.exists()) == ([{"n": 1}], True)


def test_of_a_servers_traceback_its_last_line_is_told():
    said = (
        "Initialization failure from server:\n"
        "Traceback (most recent call last):\n"
        '  File "proxier.py", line 765, in Datapath\n'
        "RuntimeError: Starting Ray client server failed.\n"
    )
    with pytest.raises(EngineError) as caught, connect._explain("ray://here:1"):
        raise ConnectionAbortedError(said)
    assert caught.value.message == (
        "Ray can't be reached at ray://here:1: Initialization failure from server: "
        "RuntimeError: Starting Ray client server failed."
    )


def test_an_address_where_nothing_is_and_one_that_is_not_ours(head, tmp_path):
    script = """
    told = []
    for address in ("ray://127.0.0.1:1", "127.0.0.1:1"):
        try:
            RayEngine().open(PlaceSpec("p", "ray", address=address), Path(sys.argv[2]))
        except SegueError as error:
            told.append([error.code, bool(error.hint), address in error.message])
    with RayEngine().open(PlaceSpec("p", "ray", address=os.environ["HEAD"]), Path(sys.argv[2])):
        for place in (PlaceSpec("p", "ray", address="ray://127.0.0.1:1"),):
            try:
                RayEngine().open(place, Path(sys.argv[2]))
            except SegueError as error:
                told.append([error.code, bool(error.hint), "another Ray" in error.message])
    try:
        RayEngine().open(PlaceSpec("p", "ray", address="ray://x", threads=2), Path(sys.argv[2]))
    except SegueError as error:
        told.append([error.code, bool(error.hint), "threads" in error.message])
    Path(sys.argv[1]).write_text(json.dumps(told))
    """
    found, _ = run(script, tmp_path, HEAD=head, RAY_AUTH_MODE="disabled")
    assert found == [["engine-failed", True, True]] * 3 + [["unsupported", True, True]]


def test_other_versions_are_refused():
    own = tell_versions(("segue", "pyarrow", "nothing like it"))
    assert own["nothing like it"] == ""
    compare_versions(own, {**own, "Python": own["Python"].rpartition(".")[0] + ".99"}, "here")
    for change in ({"segue": ""}, {"segue": "0.0.1"}, {"pyarrow": "1.0"}, {"Python": "3.9.1"}):
        with pytest.raises(VersionClashError, match=next(iter(change))) as found:
            compare_versions(own, {**own, **change}, "10.0.0.1")
        assert found.value.hint
