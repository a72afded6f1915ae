"""A hub, nodes and a person who deploys, each a process, on one machine."""

import json
import signal
import socket
import time
import urllib.request

import pytest

from tests import warm
from tests.fleet.waiting import wait_for

TOML = """\
[project]
name = "plant"

[places.shops]
engine = "fleet"
address = "http://127.0.0.1:{port}"

[places.shops.options]
spool = "64MB"
when_full = "block"

[tables.readings]
on = "shops"
kind = "tail"
path = "${{READINGS}}/*.jsonl"
format = "json"
columns = {{n = "int64", value = "float64"}}
"""
GOOD = "-- segue: {on: shops}\nselect n, value * 2 as value from readings\n"


class Plant:
    """A project with its hub and nodes."""

    def __init__(self, folder):
        self.root = folder / "plant"
        self.nodes = folder / "nodes"
        self.folder = folder
        self.environ = {"XDG_CONFIG_HOME": str(folder / "config")}
        self.processes = {}
        self.written = 0
        self.trickled = 0.0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (self.root / "steps").mkdir(parents=True)
        (self.root / "segue.toml").write_text(TOML.format(port=self.port))
        self.step(GOOD)

    def step(self, sql):
        (self.root / "steps" / "clean.sql").write_text(sql)

    def start(self, name, *arguments, **environ):
        log = self.folder / f"{name}.log"
        self.processes[name] = warm.start(*arguments, out=log, err=log, **self.environ, **environ)

    def stop(self, name, number=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send(number)
        process.wait()

    def call(self, *arguments, code=0):
        done = warm.run(*arguments, cwd=self.root, **self.environ)
        assert done.code == code, done.out + done.err
        return done.out if not code else done.err

    def ask(self, *arguments):
        return json.loads(self.call(*arguments, "--json"))

    def start_hub(self):
        self.start("hub", "hub", "--project", self.root, "--port", self.port)
        wait_for(self.answers)
        if "SEGUE_HUB_TOKEN" not in self.environ:
            self.environ["SEGUE_HUB_TOKEN"] = self.ask("hub", "operator", "ann")["token"]

    def answers(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status == 200
        except OSError:
            return False

    def enrol(self, name, **labels):
        given = [part for each in labels.items() for part in ("--label", "=".join(each))]
        token = self.ask("hub", "token", "--node", name, *given)["token"]
        self.call("agent", "enrol", token, "--home", self.nodes / name)
        (self.nodes / name / "readings").mkdir()

    def start_node(self, name, **environ):
        readings = self.nodes / name / "readings"
        self.start(
            name, "agent", "run", "--home", self.nodes / name, READINGS=str(readings), **environ
        )

    def write(self, rows=1):
        """Let every node have more to read."""
        for _ in range(rows):
            self.written += 1
            for home in self.nodes.iterdir():
                with (home / "readings" / "a.jsonl").open("a") as file:
                    file.write(f'{{"n": {self.written}, "value": 1.5}}\n')

    def trickle(self):
        """Let every node have more to read, now and then."""
        if time.monotonic() - self.trickled > 0.5:
            self.trickled = time.monotonic()
            self.write()

    def slots(self, name):
        return json.loads((self.nodes / name / "slots.json").read_text())

    def told(self):
        """Return what ``segue deployments --json`` prints, without a process for each look."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/deployments",
            headers={"Authorization": f"Bearer {self.environ['SEGUE_HUB_TOKEN']}"},
        )
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def applied(self):
        return {node["name"]: node["applied"] for node in self.told()["nodes"]}

    def close(self):
        for process in self.processes.values():
            process.send(signal.SIGTERM)
        for process in self.processes.values():
            process.wait()


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    yield made
    made.close()
