"""The same against the real hub, over TLS, with the real worker: from lines to the lake."""

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable

from segue.agent.enrol import enrol
from segue.agent.identity import read_identity
from segue.agent.supervise import Settings, Supervisor
from segue.spec.edge import EdgePart, EdgeSource, SentTable, SpoolSettings, WhenFull
from segue.spec.edge_codec import write_edge
from segue.spec.types import parse_schema
from segue.testing.processes import running, start_call, wait_until
from segue.wire.token import Token
from tests.fleet.hub.hubs import HubProcess

pytestmark = pytest.mark.timeout(300)  # hubs and workers load much when they start
SCHEMA = parse_schema("who: string, n: int64")
ROWS = 400


@pytest.fixture
def hub(tmp_path):
    folder = tmp_path / "hub"
    folder.mkdir()
    made = HubProcess(folder)
    made.start("--tls")
    yield made
    made.stop()


@pytest.fixture
def node(hub, tmp_path):
    home = tmp_path / "home"
    enrol(Token.parse(hub.token("till-7", "--label", "role=shop")), home)
    return home


def make_slot(tmp_path, rows=ROWS, batch=20):
    source = tmp_path / "lines.jsonl"
    source.write_text("".join(json.dumps({"who": "a", "n": n}) + "\n" for n in range(rows)))
    edge = EdgeSource("readings", "tail", {"path": str(source)}, "json", {}, SCHEMA)
    spool = SpoolSettings(10**8, WhenFull.BLOCK, batch_rows=batch, batch_bytes=25 * batch)
    sent = (SentTable("readings", SCHEMA, "ab" * 8),)
    slot = tmp_path / "slot"
    (slot / "project").mkdir(parents=True)
    (slot / "edge.json").write_bytes(
        write_edge(EdgePart("shop", "shops", (edge,), (), sent, spool))
    )
    return slot


def start(home, slot, *, once=True, failpoints="", **settings):
    return start_call(run_agent, home, slot, once, settings, failpoints=failpoints)


def run_agent(home, slot, once, settings):
    return Supervisor(Settings(home, slot, once, **settings), read_identity(home)).run()


def arrived(hub):
    """Return the numbers in the lake, those of one epoch in the order of their sequences."""
    table = DeltaTable(str(Path(hub.lake) / "readings")).to_pyarrow_table()
    assert set(table["_node"].to_pylist()) <= {"till-7"}
    rows = zip(table["_sequence"].to_pylist(), table["n"].to_pylist(), strict=True)
    return [n for _, n in sorted(rows)]


@pytest.mark.parametrize("point", ["agent.send.before", "agent.sent", "agent.acknowledged"])
def test_killed_agents_deliver_each_row_once(hub, node, tmp_path, point):
    slot = make_slot(tmp_path)
    assert start(node, slot, once=False, failpoints=f"{point}=kill").wait(200).killed
    with running(start(node, slot)) as agent:
        assert agent.wait(200).code == 0
    assert arrived(hub) == list(range(ROWS))


def test_a_hub_that_is_killed_again_and_again_gets_each_row_once(hub, node, tmp_path):
    slot = make_slot(tmp_path)
    hub.stop()
    for failpoint in ("hub.received", "hub.staged", "hub.written", "hub.acknowledge.before"):
        with running(start(node, slot, once=False, patience=2.0)):
            hub.start("--tls", failpoint=f"{failpoint}=kill")
            assert hub.wait() == -9
    hub.start("--tls")
    with running(start(node, slot)) as agent:
        assert agent.wait(200).code == 0
    assert arrived(hub) == list(range(ROWS))


def test_a_long_backlog_is_packed_by_a_process_of_its_own(hub, node, tmp_path):
    rows = 20_000
    slot = make_slot(tmp_path, rows, batch=500)
    hub.stop()
    with running(start(node, slot, once=False, patience=2.0)):
        wait_until(lambda: unsent(node) == rows, "the worker to read all", 200)
    hub.start("--tls")
    with running(start(node, slot, pack_from=5000)) as agent:
        assert agent.wait(200).code == 0
    assert arrived(hub) == list(range(rows))
    files = DeltaTable(str(Path(hub.lake) / "readings")).file_uris()
    assert len(files) < 10


def unsent(home):
    try:
        return json.loads((home / "status.json").read_text())["status"]["unsent"]
    except FileNotFoundError:
        return 0
