"""What a hub knows of its nodes: who is silent, who is there twice, what changed."""

import hashlib

import pytest

from segue.errors import HubError, SignatureError, StorageError
from segue.hub.roster import RELOAD_SECONDS, SILENT_SECONDS, Roster
from segue.hub.tokens import Issuer, make_operator, make_token
from segue.spec.hub import Node, TokenRecord
from segue.stores.hub_store import SqlHubStore


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    found = SqlHubStore(f"sqlite:///{tmp_path / 'hub.db'}")
    yield found
    found.close()


@pytest.fixture
def node(store):
    store.add_token(TokenRecord("d", "a", "shop", {"role": "shop"}, 9e9))
    return store.enrol("d", Node("a", "shop", "k", b"1" * 32, {}, 0.0), 0.0, {})[0]


@pytest.fixture
def roster(store, node, clock):
    return Roster(store, now=clock, steady=clock)


def kinds(roster, store):
    roster.flush()
    return [event.kind for event in store.events()]


def test_a_node_that_says_nothing_is_silent_once(roster, store, node, clock):
    roster.hear(node)
    clock.time += SILENT_SECONDS + 1
    roster.watch()
    roster.watch()
    assert roster.status("a")[1] is True
    roster.hear(node)
    assert roster.status("a")[1] is False
    assert kinds(roster, store) == ["silent", "back"]


def test_two_agents_of_one_identity_are_told(roster, store, node):
    for instance in ("one", "two"):
        roster.hear(node, instance)
    assert kinds(roster, store) == []
    roster.hear(node, "one")
    assert kinds(roster, store) == ["cloned"]
    roster.hear(node, "two")  # and told again later, not each time
    assert kinds(roster, store) == ["cloned"]


def test_two_agents_of_one_identity_are_told_by_their_statuses(roster, store, node):
    for instance in ("one", "two", "one"):
        roster.note_status(node, {"instance": instance})
    assert kinds(roster, store) == ["cloned"]


def test_changes_of_a_status_are_kept(roster, store, node):
    roster.note_status(node, {"applied": 1, "alerts": ["spool damaged"], "unsent": 5})
    roster.note_status(node, {"applied": 2, "alerts": ["spool damaged"], "unsent": 9})
    roster.flush()
    assert [each.detail for each in store.changes("a")] == ["1 -> 2"]
    assert [each.detail for each in store.events()] == ["spool damaged"]
    assert store.statuses()["a"].told["unsent"] == 9


def test_another_hubs_nodes_are_found(roster, store, node, clock):
    store.remove_node("a")
    assert roster.find("k").name == "a"
    clock.time += RELOAD_SECONDS + 1
    roster.refresh()
    with pytest.raises(SignatureError):
        roster.find("k")


def test_another_hubs_nodes_are_found_also_if_nobody_looks(roster, store, node, clock):
    store.remove_node("a")
    clock.time += 2 * RELOAD_SECONDS + 1
    with pytest.raises(SignatureError):
        roster.find("k")


def test_nodes_that_are_known_are_let_in_while_the_database_is_locked(
    roster, store, node, clock, monkeypatch
):
    asked = []

    def fail():
        asked.append(clock.time)
        raise StorageError("the database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(store, "nodes", fail)
        clock.time += 100
        for _ in range(3):
            assert roster.find("k").name == "a"
        with pytest.raises(StorageError, match="locked"):
            roster.find("other")
    assert asked == [1100.0]
    clock.time += 100
    with pytest.raises(SignatureError):
        roster.find("other")


def test_what_was_read_before_something_newer_does_not_count(roster, store, monkeypatch):
    real, other = store.nodes, Node("b", "shop", "new", b"2" * 32, {}, 0.0)

    def read_slowly():
        before = real()
        monkeypatch.setattr(store, "nodes", lambda: (*real(), other))
        roster.reload()  # another thread is faster
        return before

    monkeypatch.setattr(store, "nodes", read_slowly)
    roster.reload()
    assert roster.find("new").name == "b"


def test_who_only_looks_tells_silence_by_the_database(roster, store, node, clock):
    roster.hear(node)
    roster.flush()
    clock.time += 10_000
    other = Roster(store, now=clock, steady=clock)
    assert other.status("a")[1] is False
    other.look_back()
    assert other.status("a")[1] is True


def test_figures_of_a_node(roster, node, clock):
    roster.note_status(node, {"lag": 7.5, "spool_bytes": 100})
    clock.time += 3
    assert list(roster.figures()) == [("a", 7.5, 3.0, 100.0)]


def test_operators_are_known_by_their_token_only(roster, store):
    token = make_operator(store, "ann", 0.0)
    assert roster.find_operator(token) == "ann"
    for guessed in ("", "segue-", token[:-1], "ann"):
        with pytest.raises(HubError):
            roster.find_operator(guessed)


def test_tokens_are_kept_as_digests(store):
    token = make_token(store, Issuer("shop", "http://127.0.0.1"), "a", {}, 0.0)
    made, _ = store.enrol(
        hashlib.sha256(token.secret.encode()).hexdigest(),
        Node("a", "shop", "k", b"1" * 32, {}, 0.0),
        800.0,
        {},
    )
    assert made.name == "a"


def test_what_could_not_be_written_is_written_later(roster, store, node, monkeypatch):
    def fail(*_):
        raise StorageError("the database is locked")

    roster.note_status(node, {"applied": 1})
    roster.note_status(node, {"applied": 2})
    roster.note("gap", "a", "readings", "5 rows lost")
    with monkeypatch.context() as broken:
        broken.setattr(store, "add_events", fail)
        with pytest.raises(StorageError):
            roster.flush()
        broken.setattr(store, "note_statuses", fail)
        with pytest.raises(StorageError):
            roster.flush()
    roster.flush()
    assert [each.kind for each in store.events()] == ["gap"]
    assert [each.kind for each in store.changes("a")] == ["applied"]
    assert store.statuses()["a"].told == {"applied": 2}


def test_a_machine_that_is_enrolled_anew_has_told_nothing(roster, store, node):
    roster.note_status(node, {"applied": 7})
    roster.flush()
    roster.begin("a")
    assert roster.status("a")[0].told == {}
