"""A hub, nodes that are enrolled with it, and agents in processes of their own."""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from segue.agent.enrol import enrol
from segue.agent.identity import read_identity
from segue.agent.supervise import Settings, Supervisor
from segue.spec.edge import EdgePart, SpoolSettings, WhenFull
from segue.spec.edge_codec import write_edge
from segue.testing.network import Proxy
from segue.testing.processes import start_call
from segue.wire.token import Token
from tests.fleet.link.little_hub import LittleHub, serve

ROOT = Path(__file__).parents[3]
WORKER = "tests.fleet.link.little_worker"
SPOOL = SpoolSettings(cap=200 * 2**20, when_full=WhenFull.BLOCK)


@dataclass
class Bench:
    """A hub behind a proxy, and what is enrolled with it."""

    hub: LittleHub
    proxy: Proxy
    folder: Path

    @property
    def address(self):
        return f"http://127.0.0.1:{self.proxy.address[1]}"

    def enrol(self, node="till-7"):
        """Enrol a node; return its home."""
        self.hub.secrets[f"secret-{node}"] = "new"
        home = self.folder / node
        enrol(Token(self.address, f"secret-{node}", node, "shops"), home)
        return home

    def make_slot(self, *, memory=None, cpu=None, **orders):
        """Make a slot whose worker does what it is told; return its folder."""
        slot = self.folder / f"slot-{len(list(self.folder.glob('slot-*')))}"
        slot.mkdir()
        part = EdgePart("shops", "shops", (), (), (), SPOOL, memory=memory, cpu=cpu)
        (slot / "edge.json").write_bytes(write_edge(part))
        (slot / "orders.json").write_text(json.dumps({"rows": 0, "batch": 10, **orders}))
        return slot

    def start(self, home, slot, *, once=True, failpoints="", environ=None, **settings):
        """Start an agent in a process of its own."""
        told = Settings(home, slot, once, WORKER, **settings)
        variables = {"PYTHONPATH": str(ROOT), **(environ or {})}
        return start_call(run_agent, told, failpoints=failpoints, environ=variables)

    def numbers(self, node="till-7", stream="readings"):
        """Return the numbers that the hub has of a node, in the order in which they came."""
        found = []
        for (name, _, _), records in self.hub.rows(stream).items():
            if name == node:
                for _, _, _, header, payload in records:
                    assert header.kind == "rows"
                    found += json.loads(payload)
        return found


def run_agent(settings):
    return Supervisor(settings, read_identity(settings.home)).run()


@pytest.fixture
def bench(tmp_path):
    hub = LittleHub()
    with ExitStack() as stack:
        address = stack.enter_context(serve(hub))
        port = int(address.rpartition(":")[2])
        proxy = stack.enter_context(Proxy(("127.0.0.1", port), listens=True))
        yield Bench(hub, proxy, tmp_path)
