"""Where alerts arrive in tests: a webhook, a mail server, a server that never answers."""

import email
import json
import socket
import threading
from contextlib import contextmanager
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """An HTTP server that keeps the JSON documents that are posted to it.

    Attributes:
        posted: The documents.
        status: What it answers.
    """

    def __init__(self, port=0):
        self.posted, self.status = [], 200
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                if webhook.status == 200:
                    webhook.posted.append(json.loads(text))
                self.send_response(webhook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self):
        return self._server.server_port

    @property
    def url(self):
        return f"json://127.0.0.1:{self.port}/alerts"

    def take(self):
        """Return what was posted since the last call: title, text and type of each message."""
        taken, self.posted = self.posted, []
        return [(each["title"], each["message"], each["type"]) for each in taken]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def webhook():
    server = Webhook()
    try:
        yield server
    finally:
        server.close()


class _Keeper:
    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        letter = email.message_from_bytes(envelope.content, policy=policy.default)
        self.letters.append((envelope.rcpt_tos, letter))
        return "250 kept"


@contextmanager
def mail_server():
    """Yield the port of a mail server, and the letters that it took: recipients and message."""
    from aiosmtpd.controller import Controller

    keeper = _Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=find_port())
    controller.start()
    try:
        yield controller.port, keeper.letters
    finally:
        controller.stop()


@contextmanager
def hanging_server():
    """Yield the port of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def find_port():
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
