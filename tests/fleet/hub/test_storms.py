"""A fleet that is sent away for a while, and comes back at once."""

import json
import math
import os
import random
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from segue.agent.send import Sender, SendLimits
from segue.agent.spool.model import Record, Standing
from segue.testing.processes import wait_until
from segue.wire.keys import NodeKey
from segue.wire.messages import EnrolRequest, RecordHeader
from segue.wire.token import Token
from tests.arriving import EPOCH, count_events, events, make_batch
from tests.fleet.hub.hubs import HubProcess, make_client

pytestmark = pytest.mark.timeout(600)
NODES, RECORDS, ROWS = 200, 4, 50
RETRY = 2
"""Seconds for which who comes is sent away."""
SIZE = 100_000
"""Bytes of a record, about: all that waits is more than a hub may hold at once."""


class Backlog:
    """What of a spool sending needs, in memory: records that wait."""

    def __init__(self, node):
        self.records = []
        noise = random.Random(node)
        for sequence in range(1, RECORDS + 1):
            numbers = range(sequence * ROWS, (sequence + 1) * ROWS)
            rows = events(node, *numbers).append_column(
                "noise", [[noise.randbytes(SIZE // ROWS).hex() for _ in numbers]]
            )
            batch = make_batch(node, sequence, rows)
            header = RecordHeader(
                "readings", EPOCH, sequence, sequence, "rows", ROWS, batch.digest, "s", 1, "ok"
            )
            self.records.append(Record(header, batch.payload))
        self.done = 0
        self.incarnation = ""

    @property
    def left(self):
        return self.records[self.done :]

    def streams(self, _):
        held = sum(len(each.payload) for each in self.left)
        rows = ROWS * len(self.left)
        return [
            Standing(
                "readings", EPOCH, self.done, RECORDS, rows, held, incarnation=self.incarnation
            )
        ]

    def read(self, _, stream, epoch, after, most):
        return self.records[after : after + max(1, most // SIZE)]

    def acknowledge(self, _, stream, epoch, last, incarnation=""):
        self.done, self.incarnation = last, incarnation

    def rewind(self, *_):
        raise AssertionError("nothing was set back")

    refence = begin_epoch = rewind


@contextmanager
def sending_away(port):
    """Stand in a hub's place and send all away; yield when they came, by connection."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            came.append(time.monotonic())
            told = b'{"code": "hub-busy", "message": "later", "hint": ""}'
            self.send_response(503)
            self.send_header("Retry-After", str(RETRY))
            self.send_header("Content-Length", str(len(told)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET  # noqa: N815  # what http.server calls

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def enrol(hub, operator, name):
    """Make a node by way of the wire; return its key."""
    asked = json.dumps({"node": name}).encode()
    token = Token.parse(json.loads(operator.post("/v1/tokens", asked).body)["token"])
    key = NodeKey.make()
    request = EnrolRequest(token.secret, name, token.project, key.public.hex())
    operator.post("/v1/enrol", request.dump())
    return key


def send_all(sender, backlog, gone, waits):
    """Do what an agent's thread does, until all has arrived; note its waits after refusals."""
    while backlog.left:
        wait = sender.round()
        if sender.error:
            waits.append(wait)
        if gone.wait(wait):
            return


@pytest.fixture
def folder(tmp_path):
    """A folder in memory where there is one: two hundred nodes are many commits."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def test_two_hundred_nodes_that_were_sent_away_come_back_at_once(folder):
    hub = HubProcess(folder).start()
    names = [f"n{number:03}" for number in range(NODES)]
    operator = hub.operator()
    keys = {name: enrol(hub, operator, name) for name in names}
    operator.close()
    hub.stop()
    gone = threading.Event()
    backlogs = {name: Backlog(name) for name in names}
    threads, waits = [], []
    for name, backlog in backlogs.items():
        client = make_client(hub.url, key=keys[name])
        sender = Sender(backlog, client, "i", limits=SendLimits(request=2**20))
        threads.append(threading.Thread(target=send_all, args=(sender, backlog, gone, waits)))
    try:
        with sending_away(hub.port) as came:
            for thread in threads:
                thread.start()
            wait_until(lambda: len(came) >= 5 * NODES, "each to have come some times", 120)
            hold_calm(came, list(waits))
        hub.start()
        most = watch(hub, lambda: not any(each.left for each in backlogs.values()))
    finally:
        gone.set()
        for thread in threads:
            thread.join(60)
        hub.stop()
    assert not any(each.left for each in backlogs.values())
    expected = range(ROWS, (RECORDS + 1) * ROWS)
    assert count_events(hub.lake / "readings") == Counter(
        {(name, n): 1 for name in names for n in expected}
    )
    assert most < 500 * 2**20, "what waits, waits at the nodes"


def hold_calm(came, waits):
    """Hold that all were left alone for as long as asked, and that they do not come in waves."""
    assert len(came) <= NODES * (1 + (came[-1] - came[0]) / RETRY)
    assert min(waits) >= RETRY
    # Evenly spread behind it, a twentieth of the time has a twentieth of them; a wave has all.
    width = RETRY / 20
    assert max(count_in(width, waits)) < len(waits) / 8
    # What arrives also depends on what else the machine does.
    later = [at for at in came if at > came[0] + 3 * RETRY]
    assert max(count_in(width, later)) < NODES / 2


def count_in(width, values):
    return Counter(math.floor(each / width) for each in values).values()


def watch(hub, over):
    """Wait until it is over; return the most memory that the hub had."""
    process, most = psutil.Process(hub.process.pid), [0]

    def look():
        most[0] = max(most[0], process.memory_info().rss)
        return over()

    wait_until(look, "all nodes to be rid of their backlogs", 400)
    return most[0]
