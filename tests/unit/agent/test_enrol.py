"""A token makes a node, once; whoever stands in between is noticed."""

import hashlib
import json
import ssl
import stat

import pytest

from segue.agent import enrol as agent_enrol
from segue.agent.clock import ClockWatch
from segue.agent.enrol import PENDING_KEY, enrol
from segue.agent.homes import begin_epoch
from segue.agent.identity import open_access, read_identity
from segue.agent.spool import Spool
from segue.errors import EnrolmentError, FleetError, HubError
from segue.spec.edge import SpoolSettings, WhenFull
from segue.wire.client import HubClient
from segue.wire.keys import NodeKey
from segue.wire.token import Token
from tests.fleet.link.little_hub import LittleHub, serve
from tests.fleet.link.roots import make_root

SPOOL = SpoolSettings(cap=10**8, when_full=WhenFull.BLOCK)


@pytest.fixture
def hub():
    made = LittleHub()
    made.secrets["once"] = "new"
    return made


@pytest.fixture
def address(hub):
    with serve(hub) as served:
        yield served


def token(address, **changed):
    return Token(
        **{"hub": address, "secret": "once", "node": "till-7", "project": "shops", **changed}
    )


def test_enrolment_makes_a_key_that_stays_here(tmp_path, hub, address):
    identity = enrol(token(address), tmp_path / "home", {"role": "shop"})
    home = tmp_path / "home"
    assert identity == read_identity(home)
    assert identity.labels == {"role": "shop", "by": "token"}
    key = NodeKey.read(home / "key.pem")
    assert hub.keys == {key.id: ("till-7", key.public)}
    assert stat.S_IMODE((home / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not (home / PENDING_KEY).exists()


def test_an_enrolled_home_is_not_enrolled_again_without_force(tmp_path, hub, address):
    enrol(token(address), tmp_path)
    hub.secrets["second"] = "new"
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(EnrolmentError, match="enrolled already"):
        enrol(token(address, secret="second"), tmp_path)
    assert (tmp_path / "key.pem").read_bytes() == before
    enrol(token(address, secret="second"), tmp_path, force=True)
    assert (tmp_path / "key.pem").read_bytes() != before


def test_enrolment_by_force_begins_a_new_epoch(tmp_path, hub, address):
    enrol(token(address), tmp_path)
    with Spool(tmp_path / "spool.db", SPOOL) as spool:
        before = spool.epoch
    begin_epoch(tmp_path)
    with Spool(tmp_path / "spool.db", SPOOL) as spool:
        assert spool.epoch == before
    hub.secrets["second"] = "new"
    enrol(token(address, secret="second"), tmp_path, force=True)
    begin_epoch(tmp_path)
    begin_epoch(tmp_path)
    with Spool(tmp_path / "spool.db", SPOOL) as spool:
        after = spool.epoch
    assert after != before
    with pytest.raises(EnrolmentError, match="spool of node till-7"):
        enrol(token(address, secret="second", node="till-8"), tmp_path, force=True)


def test_a_token_that_is_used_up_is_refused_with_the_hub_s_words(tmp_path, hub, address):
    enrol(token(address), tmp_path / "first")
    with pytest.raises(EnrolmentError, match="no such token") as caught:
        enrol(token(address), tmp_path / "second")
    assert caught.value.hint == "get one"
    assert not (tmp_path / "second" / "identity.json").exists()


def test_an_answer_that_got_lost_is_asked_for_again_with_the_same_key(tmp_path, hub, address):
    enrol(token(address), tmp_path)
    (tmp_path / "identity.json").unlink()
    (tmp_path / "key.pem").rename(tmp_path / PENDING_KEY)
    enrol(token(address), tmp_path)
    assert len(hub.keys) == 1


def test_a_hub_that_is_away_leaves_no_half_identity(tmp_path):
    with pytest.raises(HubError, match="can't be reached"):
        enrol(token("http://127.0.0.1:9"), tmp_path)
    with pytest.raises(FleetError, match="not enrolled"):
        read_identity(tmp_path)


@pytest.mark.parametrize("pinned", [True, False])
def test_the_root_of_those_who_may_deploy_is_pinned(tmp_path, hub, address, pinned):
    hub.trust = json.dumps({"signed": {"_type": "root"}})
    digest = hashlib.sha256(hub.trust.encode()).hexdigest()
    enrol(token(address, trust=digest if pinned else ""), tmp_path)
    root = tmp_path / "trust" / "root.json"
    assert root.exists() is pinned
    if pinned:
        assert root.read_text() == hub.trust


def test_another_root_of_those_who_may_deploy_is_refused(tmp_path, hub, address):
    hub.trust = "another"
    with pytest.raises(EnrolmentError, match="another root"):
        enrol(token(address, trust="ab" * 32), tmp_path)
    assert not (tmp_path / "identity.json").exists()


@pytest.mark.parametrize("node", ["", "../x", "a/b", "-rf", "a" * 64])
def test_odd_names_are_refused(tmp_path, address, node):
    with pytest.raises(EnrolmentError, match="no name of a node"):
        enrol(token(address, node=node), tmp_path)


def test_the_hub_s_root_is_pinned_and_no_other_is_trusted(tmp_path, hub):
    root, other = make_root(tmp_path / "a"), make_root(tmp_path / "b")
    hub.ca = root.ca
    with serve(hub, certificate=root.certificate) as address:
        identity = enrol(token(address, ca=root.digest), tmp_path / "home")
        assert identity.ca_pins == [root.digest]
        client = HubClient(open_access(tmp_path / "home", identity))
        assert client.post("/v1/streams", b'{"instance": "x"}').status == 200
        client.close()
        (tmp_path / "home" / "ca.pem").write_text(other.ca)
        with pytest.raises(HubError, match="not trusted"):
            HubClient(open_access(tmp_path / "home", identity)).get("/v1/desired")


def test_a_hub_with_another_root_than_the_token_s_is_not_asked(tmp_path, hub):
    root, other = make_root(tmp_path / "a"), make_root(tmp_path / "b")
    hub.ca = other.ca
    with (
        serve(hub, certificate=root.certificate) as address,
        pytest.raises(EnrolmentError, match="another certificate"),
    ):
        enrol(token(address, ca=root.digest), tmp_path / "home")
    assert "/v1/enrol" not in [path for _, path in hub.requests]


def test_a_hub_that_tells_the_right_root_and_has_another_certificate_is_not_asked(tmp_path, hub):
    """Whoever stands in between can pass the root on, and has no certificate of it."""
    root, other = make_root(tmp_path / "a"), make_root(tmp_path / "b")
    hub.ca = root.ca
    with (
        serve(hub, certificate=other.certificate) as address,
        pytest.raises(HubError, match="not trusted"),
    ):
        enrol(token(address, ca=root.digest), tmp_path / "home")
    assert "/v1/enrol" not in [path for _, path in hub.requests]


def test_an_expired_certificate_is_refused_unless_the_clock_is_known_to_be_wrong(tmp_path, hub):
    root = make_root(tmp_path, days=-1)
    hub.ca = root.ca
    hub.keys[NodeKey.from_seed(bytes(32)).id] = ("till-7", NodeKey.from_seed(bytes(32)).public)
    with serve(hub, certificate=root.certificate) as address:
        identity = write_identity(tmp_path / "home", address, root)
        strict = HubClient(open_access(tmp_path / "home", identity))
        with pytest.raises(HubError, match="expired"):
            strict.post("/v1/streams", b'{"instance": "x"}')
        lenient = HubClient(open_access(tmp_path / "home", identity, check_time=False))
        assert lenient.post("/v1/streams", b'{"instance": "x"}').status == 200
        lenient.close()


def test_a_machine_whose_clock_was_never_set_is_enrolled(tmp_path, hub, monkeypatch):
    """It is 1970 there until it has a network: only the root that the token names counts."""
    root = make_root(tmp_path / "root", days=-1)
    hub.ca = root.ca
    with serve(hub, certificate=root.certificate) as address:
        with pytest.raises(HubError, match="expired") as caught:
            enrol(token(address, ca=root.digest), tmp_path / "home")
        assert "clock" in caught.value.hint
        monkeypatch.setattr(agent_enrol, "ClockWatch", lambda: ClockWatch(wall=lambda: 60.0))
        assert enrol(token(address, ca=root.digest), tmp_path / "home").node == "till-7"


def write_identity(home, address, root):
    from segue.agent.identity import Identity

    home.mkdir()
    key = NodeKey.from_seed(bytes(32))
    key.write(home / "key.pem")
    (home / "ca.pem").write_text(root.ca)
    return Identity("till-7", "shops", address, key.id, "e", ca_pins=[root.digest])


def test_the_digest_is_that_of_the_certificate_s_der(tmp_path):
    root = make_root(tmp_path)
    assert hashlib.sha256(ssl.PEM_cert_to_DER_cert(root.ca)).hexdigest() == root.digest
