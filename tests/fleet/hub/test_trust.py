"""Who is let in: tokens that work once, signatures, sessions, operators, TLS."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from segue.errors import EnrolmentError, HubError, SessionError, SignatureError
from segue.testing.processes import wait_until
from segue.wire.keys import NodeKey
from segue.wire.messages import Status
from segue.wire.signing import Request, sign
from segue.wire.token import Token
from segue.wire.transport import Address, Transport, fetch_ca
from tests.arriving import events, make_batch
from tests.fleet.hub.hubs import OPEN, FleetNode, make_client


class Wire:
    """Signs by hand, so that requests can be spoilt."""

    def __init__(self, node):
        self.node = node
        self.address = Address.parse(node.url)
        self.transport = Transport(self.address)
        OPEN.append(self.transport)
        self.counter = 0
        challenge = json.loads(self.raw("GET", "/v1/challenge", {}, b"").body)["challenge"]
        self.challenge = challenge
        opening = sign(
            Request("POST", self.address.authority, "/v1/session"), node.key, challenge, 0
        )
        self.opening = opening
        self.session = json.loads(self.raw("POST", "/v1/session", opening, b"").body)["session"]

    def raw(self, method, path, headers, body):
        return self.transport.exchange(method, path, headers, body, seconds=20)

    def headers(self, path, body, **other):
        self.counter += 1
        request = Request("POST", self.address.authority, path, "", body)
        key = other.get("key", self.node.key)
        return sign(request, key, other.get("session", self.session), self.counter)

    def refused(self, headers, body, path="/v1/status"):
        answer = self.raw("POST", path, headers, body)
        assert answer.status == 401, answer.body
        return json.loads(answer.body)["code"]


@pytest.fixture
def wire(hub):
    return Wire(hub.node())


BODY = Status(unsent=3).dump()


def test_a_signed_request_is_taken(wire):
    assert wire.raw("POST", "/v1/status", wire.headers("/v1/status", BODY), BODY).status == 204


def test_a_request_that_is_sent_again_is_refused(wire):
    headers = wire.headers("/v1/status", BODY)
    wire.raw("POST", "/v1/status", headers, BODY)
    assert wire.refused(headers, BODY) == "signature-refused"


def test_an_older_counter_is_refused(wire):
    old, new = wire.headers("/v1/status", BODY), wire.headers("/v1/status", BODY)
    wire.raw("POST", "/v1/status", new, BODY)
    assert wire.refused(old, BODY) == "signature-refused"


def test_a_changed_body_is_refused(wire):
    assert wire.refused(wire.headers("/v1/status", BODY), BODY + b" ") == "signature-refused"


def test_a_changed_body_with_a_fitting_digest_is_refused(wire):
    from segue.wire.signing import digest_body

    headers = wire.headers("/v1/status", BODY)
    headers["Content-Digest"] = digest_body(BODY + b" ")
    assert wire.refused(headers, BODY + b" ") == "signature-refused"


def test_a_signature_for_another_path_is_refused(wire):
    headers = wire.headers("/v1/streams", BODY)
    assert wire.refused(headers, BODY, "/v1/status") == "signature-refused"


def test_a_narrower_signature_is_refused(wire):
    headers = wire.headers("/v1/status", BODY)
    headers["Signature-Input"] = headers["Signature-Input"].replace(' "content-digest"', "")
    assert wire.refused(headers, BODY) == "signature-refused"


def test_another_key_is_refused(wire):
    headers = wire.headers("/v1/status", BODY, key=NodeKey.make())
    assert wire.refused(headers, BODY) == "signature-refused"


def test_another_nodes_session_is_refused(hub, wire):
    other = Wire(hub.node("b"))
    headers = wire.headers("/v1/status", BODY, session=other.session)
    assert wire.refused(headers, BODY) == "session"


def test_a_challenge_opens_one_session(wire):
    assert wire.refused(wire.opening, b"", "/v1/session") == "session"


def test_no_signature_is_refused(wire):
    assert wire.refused({}, BODY) == "signature-refused"


def test_records_of_a_stranger_are_refused(hub):
    stranger = FleetNode("a", hub.url).connect()
    with pytest.raises(SignatureError):
        stranger.send_events(1)


def test_a_session_outlives_no_hub(idle_hub):
    hub = idle_hub.start()
    wire = Wire(hub.node())
    hub.stop()
    hub.start()
    wire.transport.close()
    assert wire.refused(wire.headers("/v1/status", BODY), BODY) == "session"


def test_a_token_works_once(hub):
    token = Token.parse(hub.token())
    node = FleetNode("a", hub.url).enrol(token)
    assert node.stand().committed == 0
    node.enrol(token)  # the same key: the answer may have been lost
    with pytest.raises(EnrolmentError, match="used already"):
        FleetNode("a", hub.url).enrol(token)


def test_a_token_is_for_one_node(hub):
    token = Token.parse(hub.token("a"))
    with pytest.raises(EnrolmentError, match="another node"):
        FleetNode("b", hub.url).enrol(token)


def test_an_unknown_token_is_refused(hub):
    token = Token(hub.url, "guessed", "a", "shop")
    with pytest.raises(EnrolmentError, match="does not know"):
        FleetNode("a", hub.url).enrol(token)


def test_the_secret_is_kept_nowhere(hub):
    token = Token.parse(hub.token())
    hub.stop()
    kept = b"".join(path.read_bytes() for path in hub.lake.rglob("*") if path.is_file())
    assert token.secret.encode() not in kept


def test_a_node_enrolled_again_has_a_new_key_and_the_old_one_is_void(hub):
    old = hub.node()
    old.send_events(1)
    new = hub.node()
    with pytest.raises(SignatureError):
        old.send_events(2)
    assert new.stand().committed == 1

    def is_told():
        told = json.loads(hub.segue("nodes", "--json"))
        return any("new key" in each["detail"] for each in told["events"])

    wait_until(is_told, "the hub to write the event down")


def test_a_node_that_is_removed_is_refused(hub):
    node = hub.node()
    node.send_events(1)
    operator = hub.operator()
    operator.call("DELETE", "/v1/nodes/a")
    with pytest.raises((SignatureError, SessionError)):
        node.send_events(2)
    assert json.loads(operator.get("/v1/nodes").body)["nodes"] == []


def test_operators_need_a_token(hub):
    nobody = make_client(hub.url, bearer="guessed")
    with pytest.raises(HubError, match="does not know this operator") as raised:
        nobody.get("/v1/nodes")
    assert raised.value.status == 401


def test_a_node_is_no_operator(hub):
    node = hub.node()
    with pytest.raises(HubError) as raised:
        node.client.get("/v1/nodes")
    assert raised.value.status == 401


def test_an_operator_makes_tokens_from_elsewhere(hub):
    operator = hub.operator()
    asked = json.dumps({"node": "c", "labels": {"role": "shop"}}).encode()
    token = Token.parse(json.loads(operator.post("/v1/tokens", asked).body)["token"])
    node = FleetNode("c", hub.url).enrol(token)
    node.send_events(1)
    [told] = json.loads(operator.get("/v1/nodes").body)["nodes"]
    assert (told["name"], told["labels"], told["silent"]) == ("c", {"role": "shop"}, False)


@pytest.mark.parametrize("table", ["../readings", "orders", "readings__gaps", "_hub", "readings/x"])
def test_only_tables_of_the_project_are_written(hub, table):
    node = hub.node()
    [place] = node.send(make_batch("a", 1, events("a", 1), name=table))
    assert (place.state, place.committed) == ("refused", 0)
    assert node.stand(table).state == "refused"
    assert not (hub.lake / "orders").exists()


def test_a_table_that_a_run_published_is_not_written_to(idle_hub):
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(idle_hub.lake / "readings", pa.table({"x": [1]}))
    idle_hub.start()
    node = idle_hub.node()
    assert node.stand().state == "refused"
    rejects = make_batch("a", 1, events("a", 1), name="readings__rejects")
    both = node.send(make_batch("a", 1, events("a", 1)), rejects)
    assert [place.state for place in both] == ["refused", "ok"]


def test_nothing_but_loopback_is_served_without_tls(idle_hub):
    command = [sys.executable, "-m", "segue", "hub", "--host", "0.0.0.0", "--no-tls", "--port", "0"]
    done = subprocess.run(
        command, cwd=idle_hub.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "without TLS" in done.stderr


def test_the_hubs_own_authority_is_pinned(idle_hub):
    hub = idle_hub.start("--host", "0.0.0.0", "--name", "127.0.0.1")
    assert hub.url == f"https://127.0.0.1:{hub.port}"
    token = Token.parse(hub.token())
    ca = fetch_ca(Address.parse(hub.url), token.ca)
    node = FleetNode("a", hub.url, ca=ca).enrol(token)
    assert node.send_events(1)[0].committed == 1
    home = hub.lake / "_hub"
    for name in ("ca-key.pem", "server-key.pem"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    before = (home / "ca.pem").read_text()
    began = time.monotonic()
    hub.stop()  # while a node is connected that has nothing to say
    assert time.monotonic() - began < 15
    hub.start("--host", "0.0.0.0", "--name", "127.0.0.1")
    assert (home / "ca.pem").read_text() == before
    assert node.connect().stand().committed == 1
    with pytest.raises(HubError, match="not trusted"):
        FleetNode("a", hub.url, key=node.key).connect().stand()


def test_what_the_hub_can_do_is_told(hub):
    with urllib.request.urlopen(f"{hub.url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    assert {"/v1/enrol", "/v1/records", "/v1/streams", "/v1/desired", "/v1/nodes"} <= set(paths)


def begin_body(hub, headers, size):
    """Announce a body, and send a byte of it."""
    opened = socket.create_connection(("127.0.0.1", hub.port))
    OPEN.append(opened)
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v1/records HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\n{named}"
    opened.sendall(f"{head}Content-Length: {size}\r\n\r\nS".encode())
    return opened


def test_who_is_no_node_gets_no_room_for_a_body(hub):
    """Three that announce much and send nothing would hold all that a hub has."""
    node = hub.node()
    for _ in range(4):
        told = begin_body(hub, {"X": "nobody"}, 100 * 2**20)
        told.settimeout(20)
        assert b"401" in told.recv(4096)
    stranger = NodeKey.make()
    request = Request("POST", f"127.0.0.1:{hub.port}", "/v1/records", "", b"S")
    for _ in range(4):
        told = begin_body(hub, sign(request, stranger, "s" * 32, 1), 100 * 2**20)
        told.settimeout(20)
        assert b"401" in told.recv(4096)
    assert node.send_events(1)[0].committed == 1


def test_a_node_that_sends_without_an_end_holds_up_no_other(hub):
    mean, good = Wire(hub.node("mean")), hub.node("good")
    opened = [begin_body(hub, mean.headers("/v1/records", b"S"), 100 * 2**20) for _ in range(5)]
    opened[0].settimeout(20)
    assert b"503" in opened[0].recv(4096), "its newest requests count"
    assert good.send_events(1)[0].committed == 1


def test_a_body_that_is_too_large_is_told_so(hub):
    node = hub.node()
    node.stand()
    with pytest.raises(HubError) as raised:
        node.client.post("/v1/status", b" " * 100_000)
    assert raised.value.status == 413
