"""A client trusts one hub, waits within bounds, and tells what it was told."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from segue.errors import DeploymentError, HubError, SessionError, UnknownNameError, UsageError
from segue.wire.client import Access, HubClient
from segue.wire.keys import NodeKey
from segue.wire.transport import Address, is_loopback
from tests.fleet.link.little_hub import LittleHub, serve

KEY = NodeKey.from_seed(bytes(32))


@contextmanager
def answering(*answers, hold=0.0):
    """Listen, and answer each connection with bytes as they are, then close it."""
    seen = []

    def work():
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(answer)
                held.wait(hold)

    held = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield Address.parse(f"http://127.0.0.1:{listener.getsockname()[1]}"), seen
        held.set()
        thread.join()


def response(status, body, *headers):
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(address, path, most=10**6, **access):
    with HubClient(Access(address, **access)) as client:
        return client.get(path, most=most)


@pytest.mark.parametrize(
    "text",
    [
        "http://hub.example.com",
        "http://192.168.0.4:8443",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
    ],
)
def test_nothing_but_this_machine_is_spoken_to_without_tls(text):
    with pytest.raises(UsageError, match="does not speak TLS"):
        Address.parse(text)


@pytest.mark.parametrize(
    "text", ["", "hub", "ftp://hub", "https://", "https://h:x", "https://a@h", "https://h/x"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageError, match="no address"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("https://hub.example.com", "hub.example.com"),
        ("https://hub.example.com:443/", "hub.example.com"),
        ("https://hub.example.com:8443", "hub.example.com:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_the_authority_is_what_the_host_header_says(text, authority):
    assert Address.parse(text).authority == authority


def test_loopback_is_told_without_a_name_server():
    assert is_loopback("127.8.9.1")
    assert is_loopback("::1")
    assert not is_loopback("hub")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("deployment-refused", DeploymentError),
        ("unknown-name", UnknownNameError),
        ("brand-new", HubError),
    ],
)
def test_what_a_hub_refuses_is_told_as_it_says_it(code, kind):
    body = f'{{"code": "{code}", "message": "no such thing", "hint": "do that"}}'.encode()
    with answering(response(404, body)) as (address, _), pytest.raises(kind) as caught:
        ask(address, "/v1/x")
    assert "no such thing" in caught.value.message
    assert caught.value.hint == "do that"
    if kind is HubError:
        assert (caught.value.status, caught.value.told) == (404, "brand-new")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"code": 1}', b"[" * 90_000])
def test_an_error_without_words_is_an_error(body):
    with answering(response(502, body)) as (address, _), pytest.raises(HubError, match="502"):
        ask(address, "/v1/x")


@pytest.mark.parametrize(("told", "wait"), [("7", 7.0), ("999999", 3600.0), ("Wed, 21 Oct", 0.0)])
def test_a_hub_can_ask_to_be_left_alone(told, wait):
    answer = response(503, b"{}", f"Retry-After: {told}")
    with answering(answer) as (address, _), pytest.raises(HubError) as caught:
        ask(address, "/v1/x")
    assert caught.value.wait == wait


def test_a_redirect_is_not_followed():
    answer = response(302, b"", "Location: http://127.0.0.1:1/")
    with answering(answer) as (address, _), pytest.raises(HubError, match="302"):
        ask(address, "/v1/x")


@pytest.mark.parametrize("length", ["Content-Length: 5000", "Connection: close"])
def test_an_answer_is_read_up_to_its_bound(length):
    answer = f"HTTP/1.1 200 x\r\n{length}\r\n\r\n".encode() + b"x" * 5000
    with answering(answer) as (address, _), pytest.raises(HubError, match="larger than 1,000"):
        ask(address, "/v1/x", most=1000)


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nshort", b"HTTP/1.1 2"],
)
def test_what_is_no_answer_is_an_error_of_the_network(answer):
    with (
        answering(answer) as (address, _),
        pytest.raises(HubError, match="can't be reached") as caught,
    ):
        ask(address, "/v1/x")
    assert caught.value.status == 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nab"])
def test_a_hub_that_falls_silent_is_given_up(answer):
    with answering(answer, hold=30) as (address, _):
        began = time.monotonic()
        with pytest.raises(HubError, match="can't be reached"):
            ask(address, "/v1/x", patience=0.3)
        assert time.monotonic() - began < 5


def test_an_answer_that_drips_in_is_given_up():
    stop = threading.Event()

    def drip():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\n")
            while not stop.wait(0.1):
                try:
                    connection.sendall(b".")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        address = Address.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(HubError, match="drips"):
            ask(address, "/v1/x", patience=0.4)
        stop.set()
        thread.join()


def test_a_bearer_goes_with_each_request_of_an_operator():
    with answering(response(200, b"{}")) as (address, seen):
        ask(address, "/v1/nodes", bearer="s3cret")
    assert b"Authorization: Bearer s3cret\r\n" in seen[0]


@pytest.fixture
def hub():
    made = LittleHub()
    made.keys[KEY.id] = ("till-7", KEY.public)
    return made


def test_sessions_are_opened_when_the_hub_has_forgotten_them(hub):
    with serve(hub) as url:
        client = HubClient(Access(Address.parse(url), key=KEY))
        for _ in range(3):
            assert client.post("/v1/streams", b'{"instance": "x"}').status == 200
        hub.sessions = type(hub.sessions)()
        assert client.post("/v1/streams", b'{"instance": "x"}').status == 200
        client.close()
    assert [path for _, path in hub.requests].count("/v1/session") == 2


def test_a_connection_that_was_closed_meanwhile_is_opened_again(hub):
    with serve(hub) as url:
        client = HubClient(Access(Address.parse(url), key=KEY))
        client.post("/v1/streams", b'{"instance": "x"}')
        client._transport._connection.sock.shutdown(socket.SHUT_RDWR)
        assert client.post("/v1/streams", b'{"instance": "x"}').status == 200
        client.close()


def test_each_thread_has_a_session_of_its_own(hub):
    with serve(hub) as url:
        first = HubClient(Access(Address.parse(url), key=KEY))
        clients = [first, *(first.another() for _ in range(4))]

        def ask_often(client):
            for _ in range(20):
                client.post("/v1/streams", b'{"instance": "x"}')
            client.close()

        threads = [threading.Thread(target=ask_often, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert hub.refusals == []
    assert [path for _, path in hub.requests].count("/v1/streams") == 100


def test_a_key_that_is_not_enrolled_is_refused_for_good(hub):
    hub.keys.clear()
    with serve(hub) as url:
        client = HubClient(Access(Address.parse(url), key=KEY))
        with pytest.raises(HubError, match="no such key") as caught:
            client.get("/v1/desired")
        client.close()
    assert not isinstance(caught.value, SessionError)
    assert not caught.value.retryable


def test_a_large_body_comes_whole(hub):
    with serve(hub) as url:
        client = HubClient(Access(Address.parse(url), key=KEY))
        hub.faults.too_large = 2_000_000
        with pytest.raises(HubError) as caught:
            client.post("/v1/records", b"x" * 3_000_000)
        client.close()
    assert caught.value.status == 413
