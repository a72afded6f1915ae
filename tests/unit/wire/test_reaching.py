"""A hub that can't be reached, or is none: told in words, with the next move."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from segue.errors import HubError
from segue.wire.client import Access, HubClient
from segue.wire.keys import NodeKey
from segue.wire.transport import Address, fetch_ca


class Page(BaseHTTPRequestHandler):
    """Some server of pages, which speaks no TLS."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_hub_that_is_not_there_is_told_in_words(closed):
    with pytest.raises(HubError, match="can't be reached: Connection refused") as raised:
        fetch_ca(Address.parse(f"https://127.0.0.1:{closed}"), "0" * 64)
    assert "segue hub" in raised.value.hint


def test_what_speaks_no_tls_is_told_so(page):
    with pytest.raises(HubError, match="what listens there does not speak TLS"):
        fetch_ca(Address.parse(f"https://127.0.0.1:{page}"), "0" * 64)


@pytest.mark.parametrize(("key", "hint"), [(None, "segue hub"), (NodeKey.make(), "meanwhile")])
def test_people_are_told_where_to_look_and_nodes_that_rows_wait(closed, key, hint):
    client = HubClient(Access(Address.parse(f"http://127.0.0.1:{closed}"), "", key))
    with pytest.raises(HubError, match="can't be reached: Connection refused") as raised:
        client.get("/v1/nodes")
    assert hint in raised.value.hint
