"""A hub for tests of agents: it verifies for real, keeps rows in memory, and fails on demand."""

import json
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from segue.errors import SegueError, SessionError, SignatureError
from segue.wire.keys import name_key
from segue.wire.messages import (
    Challenge,
    DesiredState,
    EnrolAnswer,
    EnrolRequest,
    Handshake,
    Position,
    Positions,
    SessionAnswer,
    Status,
)
from segue.wire.records import unpack_records
from segue.wire.sessions import Sessions
from segue.wire.signing import read_key_id, verify


@dataclass
class Kept:
    """What the hub has of a lane: records by sequence, as (first, last, digest, payload)."""

    records: list = field(default_factory=list)

    @property
    def committed(self):
        return self.records[-1][1] if self.records else 0


@dataclass
class Faults:
    """What goes wrong; counts are used up."""

    busy: float = 0.0
    """Seconds of Retry-After with which everything signed is put off; 0 for none."""
    lose_answers: int = 0
    """Requests with records that are done, and whose connection then ends without a word."""
    refused: set = field(default_factory=set)
    wait: float = 0.0
    slow: float = 0.0
    """Seconds after which an answer is given, once all is done."""
    too_large: int = 0
    """Bytes of a body from which 413 is answered; 0 for no limit."""


class LittleHub:
    """The hub; `serve` makes it reachable."""

    def __init__(self):
        self.keys = {}
        self.secrets = {}
        self.trust = ""
        self.ca = ""
        self.incarnation = "first"
        self.lanes = {}
        self.sessions = Sessions()
        self.faults = Faults()
        self.desired = DesiredState(revision="none")
        self.changed = threading.Condition()
        self.statuses = []
        self.requests = []
        self.refusals = []
        self.formats = []
        self.lock = threading.Lock()

    def lane(self, node, stream, epoch):
        return self.lanes.setdefault((node, stream, epoch), Kept())

    def rows(self, stream):
        """Return payloads and gaps of a stream, in order, for each node and epoch."""
        return {key: kept.records for key, kept in self.lanes.items() if key[1] == stream}

    def desire(self, state):
        with self.changed:
            self.desired = state
            self.changed.notify_all()

    def answer(self, method, path, query, headers, body):
        self.requests.append((time.monotonic(), path))
        if path == "/v1/ca":
            return 200, self.ca.encode()
        if path == "/v1/enrol":
            return self.enrol(EnrolRequest.read(json.loads(body)))
        if path == "/v1/challenge":
            return 200, Challenge(self.sessions.challenge()).dump()
        node, session, counter, key_id = self.verify(method, path, query, headers, body)
        if path == "/v1/session":
            return 200, SessionAnswer(self.sessions.open(session, key_id)).dump()
        self.sessions.admit(session, key_id, counter)
        if self.faults.busy:
            return 503, b'{"code": "busy", "message": "too much at once", "hint": ""}'
        handle = {
            "/v1/streams": self.meet,
            "/v1/records": self.take,
            "/v1/status": self.note,
            "/v1/desired": self.tell,
        }[path]
        return handle(node, query, body)

    def verify(self, method, path, query, headers, body):
        key_id = read_key_id(headers.items())
        if key_id not in self.keys:
            raise SignatureError("no such key")
        node, public = self.keys[key_id]
        authority = dict(headers.items())["Host"]
        session, counter = verify(method, authority, path, query, headers.items(), body, public)
        return node, session, counter, key_id

    def enrol(self, request):
        if self.secrets.get(request.secret) not in ("new", request.public_key):
            told = {"code": "enrolment-refused", "message": "no such token", "hint": "get one"}
            return 403, json.dumps(told).encode()
        self.secrets[request.secret] = request.public_key
        public = bytes.fromhex(request.public_key)
        self.keys[name_key(public)] = (request.node, public)
        labels = {**request.labels, "by": "token"}
        return 200, EnrolAnswer(request.node, request.project, labels, self.trust).dump()

    def meet(self, node, query, body):
        asked = [Position.read(each) for each in Handshake.read(json.loads(body)).streams]
        with self.lock:
            told = [
                Position(
                    each.stream,
                    each.epoch,
                    self.lane(node, each.stream, each.epoch).committed,
                    self.incarnation,
                ).plain()
                for each in asked
            ]
        return 200, Positions(told).dump()

    def take(self, node, query, body):
        if self.faults.too_large and len(body) > self.faults.too_large:
            return 413, b'{"code": "too-large", "message": "too large", "hint": ""}'
        told = {}
        with self.lock:
            for header, payload in unpack_records(body):
                place = header.stream, header.epoch
                if told.get(place, ("ok",))[0] == "ok":
                    told[place] = self.put(node, header, bytes(payload))
        positions = [
            Position(stream, epoch, committed, self.incarnation, state).plain()
            for (stream, epoch), (state, committed) in told.items()
        ]
        if self.faults.lose_answers:
            self.faults.lose_answers -= 1
            return 0, b""
        return 200, Positions(positions, self.faults.wait).dump()

    def put(self, node, header, payload):
        kept = self.lane(node, header.stream, header.epoch)
        self.formats.append(header.format or header.kind)
        if header.stream in self.faults.refused:
            return "refused", kept.committed
        if header.last <= kept.committed:
            for first, last, digest, _, _ in kept.records:
                if (first, last) == (header.first, header.last) and digest != header.digest:
                    return "fenced", header.first - 1
            return "ok", kept.committed
        if header.first != kept.committed + 1:
            return "expected", kept.committed
        kept.records.append((header.first, header.last, header.digest, header, payload))
        return "ok", header.last

    def note(self, node, query, body):
        self.statuses.append((node, Status.read(json.loads(body))))
        return 200, b"{}"

    def tell(self, node, query, body):
        asked = dict(part.split("=") for part in query.split("&"))
        with self.changed:
            self.changed.wait_for(
                lambda: self.desired.revision != asked["revision"], float(asked["wait"])
            )
            return 200, self.desired.dump()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        hub = self.server.hub
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, told = hub.answer(self.command, parts.path, parts.query, self.headers, body)
            time.sleep(hub.faults.slow)
        except (SignatureError, SessionError) as error:
            hub.refusals.append(error.message)
            status = 401
            told = json.dumps({"code": error.code, "message": error.message, "hint": ""}).encode()
        except SegueError as error:
            status = 400
            told = json.dumps({"code": error.code, "message": error.message, "hint": ""}).encode()
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        if status == 503:
            self.send_header("Retry-After", str(int(hub.faults.busy)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_):
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        """Say nothing of connections that tests cut."""


@contextmanager
def serve(hub, *, port=0, certificate=None):
    """Make a hub reachable, for a with block; give its address."""
    server = Server(("127.0.0.1", port), Handler)
    server.hub = hub
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        with hub.changed:
            hub.desired = DesiredState(revision="over")
            hub.changed.notify_all()
        server.shutdown()
        thread.join()
        server.server_close()
