"""Hubs as processes of their own, and nodes that speak to them."""

import contextlib
import dataclasses
import json
import signal
import socket
from pathlib import Path

from segue.wire.client import Access, HubClient, read_message
from segue.wire.keys import NodeKey
from segue.wire.messages import EnrolRequest, Handshake, Position, Positions, RecordHeader
from segue.wire.records import CONTENT_TYPE, pack_records
from segue.wire.token import Token
from segue.wire.transport import Address
from tests import warm
from tests.arriving import EPOCH, events, make_batch

TOML = """
[project]
name = "shop"

[places.shops]
engine = "fleet"
address = "http://127.0.0.1:8443"

[places.shops.options]
spool = "64MB"
when_full = "block"

[tables.readings]
on = "shops"
kind = "tail"
path = "/nowhere/*.jsonl"
format = "json"
columns = { who = "string", n = "int64" }
"""
SECONDS = 30
OPEN = []
"""Clients, closed when a test ends."""


def make_client(url, ca="", key=None, bearer=""):
    OPEN.append(HubClient(Access(Address.parse(url), ca, key, bearer)))
    return OPEN[-1]


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def lines_of(path):
    """Return the whole lines of a file; none before it is there."""
    text = path.read_text() if path.exists() else ""
    return text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]


class HubProcess:
    """A hub on a port of its own, that can be killed and started again."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.lake = self.folder / "lake"
        self.port = free_port()
        self.process = None
        self.url = ""
        self.log = self.folder / "hub.log"
        (self.folder / "steps").mkdir(exist_ok=True)
        (self.folder / "segue.toml").write_text(TOML)

    def segue(self, *arguments):
        done = warm.run(*arguments, cwd=self.folder)
        assert done.code == 0, done.err
        return done.out

    def start(self, *options, failpoint=""):
        said = self.folder / "hub.out"
        said.unlink(missing_ok=True)
        self.process = warm.start(
            *("hub", "--json", "--port", self.port, *options),
            cwd=self.folder,
            out=said,
            err=self.log,
            SEGUE_FAILPOINT=failpoint,
        )
        warm.wait_until(lambda: not self.process.runs or lines_of(said), "the hub")
        assert lines_of(said), self.log.read_text()
        self.url = json.loads(lines_of(said)[0])["hub"]
        return self

    def kill(self):
        self.process.kill()

    def stop(self):
        if self.process is not None and self.process.runs:
            self.process.send(signal.SIGTERM)
            self.wait()

    def wait(self):
        return self.process.wait(SECONDS).code

    def token(self, node="a", *options):
        return json.loads(self.segue("hub", "token", "--node", node, "--json", *options))["token"]

    def operator(self, name="ann"):
        token = json.loads(self.segue("hub", "operator", name, "--json"))["token"]
        return make_client(self.url, bearer=token)

    def node(self, name="a", *options):
        token = Token.parse(self.token(name, *options))
        return FleetNode(name, self.url).enrol(token)


@dataclasses.dataclass
class FleetNode:
    """A node that does what an agent does, one request at a time."""

    name: str
    url: str
    key: NodeKey = dataclasses.field(default_factory=NodeKey.make)
    client: HubClient = None
    ca: str = ""

    def enrol(self, token):
        request = EnrolRequest(token.secret, self.name, token.project, self.key.public.hex())
        make_client(self.url, self.ca).post("/v1/enrol", request.dump())
        return self.connect()

    def connect(self):
        self.client = make_client(self.url, self.ca, self.key)
        return self

    def close(self):
        self.client.close()

    def stand(self, stream="readings", epoch=EPOCH, instance="i"):
        asked = Handshake(instance, [Position(stream, epoch).plain()])
        answer = read_message(self.client.post("/v1/streams", asked.dump()), Positions)
        return Position.read(answer.positions[0])

    def send(self, *batches):
        body = pack_records([(header_of(each), bytes(each.payload)) for each in batches])
        answer = read_message(self.client.post("/v1/records", body, CONTENT_TYPE), Positions)
        return [Position.read(each) for each in answer.positions]

    def send_events(self, first, last=None, size=1):
        batches = [
            make_batch(self.name, n, events(self.name, *range(n * 1000, n * 1000 + size)))
            for n in range(first, (last or first) + 1)
        ]
        return self.send(*batches)


def header_of(batch):
    return RecordHeader(
        batch.table,
        batch.key.epoch,
        batch.first,
        batch.last,
        "gap" if batch.gap else "rows",
        batch.rows,
        batch.digest,
        batch.schema_id,
        batch.deployment,
        batch.clock,
        "" if batch.gap else batch.format,
        batch.reason,
    )


@contextlib.contextmanager
def running(folder, *options, failpoint=""):
    hub = HubProcess(folder).start(*options, failpoint=failpoint)
    try:
        yield hub
    finally:
        hub.stop()
