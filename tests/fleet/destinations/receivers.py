"""A server that takes parcels by HTTP, and keeps each key once."""

import base64
import gzip
import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Ingest:
    """What was posted.

    Attributes:
        bodies: Body of each key, decompressed.
        requests: Key of each request, in their order.
        answers: What is answered next: status and headers; 200 after the last.
        judge: Given a body, returns the status to answer.
    """

    def __init__(self):
        self.bodies, self.requests, self.answers = {}, [], []
        self.paths, self.headers = [], []
        self.judge = lambda body: 200
        self.lock = threading.Lock()

    def lines(self):
        return [line for body in self.bodies.values() for line in body.decode().splitlines()]


@contextmanager
def ingest(port=0):
    """Yield what was posted, and the port of the server."""
    kept = Ingest()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            assert self.headers["Content-Digest"] == f"sha-256=:{digest}:"
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            key = self.headers["Idempotency-Key"]
            with kept.lock:
                kept.requests.append(key)
                kept.paths.append(self.path)
                kept.headers.append(dict(self.headers))
                status, headers = kept.answers.pop(0) if kept.answers else (kept.judge(body), {})
                if status == 200:
                    kept.bodies.setdefault(key, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield kept, server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
