"""kill -9 while somebody is told: the next run tells them."""

import json
import os
import signal
import socket
import subprocess
import sys

from tests.receivers import webhook

TOML = """
[project]
name = "p"

[tables.raw]
path = "raw.csv"

[alerts.channels.hook]
url = "json://127.0.0.1:${PORT}/x?cto=90&rto=90"
"""
FILES = {
    "segue.toml": TOML,
    "raw.csv": "id\n1\n-1\n",
    "steps/made.sql": "select id from raw",
    "contracts.yml": "made:\n  owner: o@x.test\n  columns: {id: {between: {min: 0}}}\n",
}


def start(root, port):
    return subprocess.Popen(
        [sys.executable, "-m", "segue", "run", "--json"],
        cwd=root,
        env={**os.environ, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_that_is_killed_while_it_tells_is_told_by_the_next(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        victim = start(tmp_path, silent.getsockname()[1])
        connection, _ = silent.accept()  # it is telling now
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        connection.close()
    assert victim.returncode == -signal.SIGKILL

    with webhook() as hook:
        for expected in (1, 0):
            again = start(tmp_path, hook.port)
            answer, _ = again.communicate()
            told = json.loads(answer)
            assert again.returncode == 1
            assert told["recovered"] == []  # the run was over, and its lease given back
            assert len(told["alerts"]) == len(hook.take()) == expected
