"""Agents and hubs of other releases: fields that are missing, and ones that nobody knows."""

import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from segue.wire.client import read_message
from segue.wire.messages import Position, Positions
from segue.wire.records import CONTENT_TYPE, MAGIC
from tests.arriving import EPOCH, events, make_batch, make_loss
from tests.fleet.faults.agents import join, make_slot, numbers, run_once, write_numbers
from tests.fleet.hub.hubs import HubProcess

pytestmark = pytest.mark.timeout(300)
NEWER = ("wire", "wait", "reason", "incarnation", "labels", "revision_of", "trust_root")
"""What the first releases' answers might lack: it has a default."""


@pytest.fixture
def plain_hub(tmp_path):
    """A hub without TLS."""
    folder = tmp_path / "hub"
    folder.mkdir()
    made = HubProcess(folder).start()
    yield made
    made.stop()


def pack(*records):
    """Return a body of records whose headers are as they are given."""
    body = [MAGIC]
    for header, payload in records:
        head = json.dumps(header).encode()
        body += [len(head).to_bytes(4, "big"), head, len(payload).to_bytes(8, "big"), payload]
    return b"".join(body)


def header(batch, **more):
    told = {"stream": batch.table, "epoch": EPOCH, "first": batch.first, "last": batch.last}
    return told | {"rows": batch.rows} | more


@pytest.mark.parametrize("more", [{}, {"wire": 3, "colour": {"a": [1]}, "zone": None}])
def test_an_agent_of_another_release_is_understood(plain_hub, more):
    node = plain_hub.node()
    asked = {"instance": "i", "streams": [{"stream": "readings", "epoch": EPOCH, **more}], **more}
    answer = node.client.post("/v1/streams", json.dumps(asked).encode())
    [told] = read_message(answer, Positions).positions
    assert Position.read(told).committed == 0
    batches = [make_batch("a", n, events("a", n)) for n in (1, 2)]
    records = [(header(each, digest=each.digest, **more), each.payload) for each in batches]
    loss = make_loss("a", 3, 4, 7)
    records.append((header(loss, kind="gap", **more), b""))
    for _ in range(2):  # what is sent again is known
        answer = node.client.post("/v1/records", pack(*records), CONTENT_TYPE)
        [told] = read_message(answer, Positions).positions
        assert (told["state"], told["committed"]) == ("ok", 4)
    node.client.post("/v1/status", json.dumps({"applied": 0, **more}).encode())
    node.client.get("/v1/desired", {"wait": "0"})
    assert numbers(plain_hub) == [1, 2]


@pytest.mark.parametrize("release", ["older", "newer"])
def test_a_hub_of_another_release_is_understood(plain_hub, tmp_path, lines, release):
    home = join(plain_hub, tmp_path / "home")
    slot = make_slot(tmp_path / "1", lines)
    with rewriting(plain_hub.port, older if release == "older" else newer) as (port, changed):
        path = home / "identity.json"
        path.write_text(path.read_text().replace(f":{plain_hub.port}", f":{port}"))
        for k in range(2):
            write_numbers(lines, k * 200, k * 200 + 200)
            run_once(home, slot)
        assert {"/v1/streams", "/v1/records", "/v1/session"} <= changed
    assert numbers(plain_hub) == list(range(400))


def older(value):
    """Return an answer without what came later, and without what says nothing."""
    if isinstance(value, list):
        return [older(each) for each in value]
    if not isinstance(value, dict):
        return value
    silent = {"state": "ok"}
    return {
        name: older(each)
        for name, each in value.items()
        if name not in NEWER and silent.get(name) != each
    }


def newer(value):
    """Return an answer with more than this release knows."""
    if isinstance(value, list):
        return [newer(each) for each in value]
    if not isinstance(value, dict):
        return value
    told = {name: newer(each) for name, each in value.items() if name != "wire"}
    return {**told, "wire": 3, "colour": {"deep": [None, 1.5]}}


@contextmanager
def rewriting(port, change):
    """Stand before a hub and change its answers; yield a port, and the paths that were changed."""
    changed = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
            hub.request(self.command, self.path, body or None, dict(self.headers))
            answer = hub.getresponse()
            content = answer.read()
            if content and answer.headers.get_content_type() == "application/json":
                content = json.dumps(change(json.loads(content))).encode()
                changed.add(self.path.partition("?")[0])
            hub.close()
            self.send_response(answer.status)
            for name, text in answer.getheaders():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815  # what http.server calls

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], changed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
