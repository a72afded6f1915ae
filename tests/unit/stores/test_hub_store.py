"""A hub's database, in SQLite and in PostgreSQL."""

from dataclasses import replace

import pytest

from segue.errors import EnrolmentError, StorageError
from segue.spec.hub import HubEvent, Node, NodeStatus, TokenRecord
from segue.stores.hub_store import SqlHubStore
from tests.live_postgres import live_postgres  # noqa: F401  # a fixture

NODE = Node("a", "shop", "k1", b"1" * 32, {}, 5.0)
TOKEN = TokenRecord("d1", "a", "shop", {"role": "shop"}, 100.0, "ann")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'hub.db'}"
    else:
        server = request.getfixturevalue("live_postgres")
        url = server.address(server.make_database())
    found = SqlHubStore(url)
    found.url = url
    yield found
    found.close()


def test_a_token_makes_one_key_a_node(store):
    store.add_token(TOKEN)
    node, again = store.enrol("d1", NODE, 50.0, {"role": "own", "rack": "7"})
    assert (node.labels, again) == ({"role": "shop", "rack": "7"}, False)
    assert store.nodes() == (node,)
    assert store.enrol("d1", NODE, 50.0, {})[1] is False
    with pytest.raises(EnrolmentError, match="used already"):
        store.enrol("d1", replace(NODE, key_id="k2", public_key=b"2" * 32), 50.0, {})


@pytest.mark.parametrize(
    ("digest", "node", "now", "told"),
    [
        ("d2", NODE, 50.0, "does not know"),
        ("d1", replace(NODE, name="b"), 50.0, "another node"),
        ("d1", replace(NODE, project="other"), 50.0, "another node or project"),
        ("d1", NODE, 100.5, "too old"),
    ],
)
def test_other_tokens_are_refused(store, digest, node, now, told):
    store.add_token(TOKEN)
    with pytest.raises(EnrolmentError, match=told):
        store.enrol(digest, node, now, {})
    assert store.nodes() == ()


def test_a_new_token_gives_a_node_another_key(store):
    for digest in ("d1", "d2"):
        store.add_token(replace(TOKEN, digest=digest))
    store.enrol("d1", NODE, 50.0, {})
    other = replace(NODE, key_id="k2", public_key=b"2" * 32)
    node, again = store.enrol("d2", other, 50.0, {})
    assert (again, store.nodes()) == (True, (node,))


def test_two_nodes_have_two_keys(store):
    store.add_token(TOKEN)
    store.add_token(replace(TOKEN, digest="d2", node="b"))
    store.enrol("d1", NODE, 50.0, {})
    with pytest.raises(EnrolmentError, match="has this key"):
        store.enrol("d2", replace(NODE, name="b"), 50.0, {})


def test_statuses_changes_and_events_are_kept(store):
    store.note_statuses(
        [NodeStatus("a", 7.0, {"applied": 3})], [HubEvent("applied", "a", detail="2 -> 3", at=7.0)]
    )
    store.note_statuses([NodeStatus("a", 8.0, {"applied": 4})])
    assert store.statuses()["a"] == NodeStatus("a", 8.0, {"applied": 4})
    assert [each.detail for each in store.changes("a")] == ["2 -> 3"]
    store.add_events([HubEvent("gap", "a", "t", "lost", 1.0), HubEvent("silent", "b", at=2.0)])
    assert [each.kind for each in store.events()] == ["gap", "silent"]
    assert [each.kind for each in store.events(node="b")] == ["silent"]
    assert [each.kind for each in store.events(after=1)] == ["silent"]


def test_changes_of_a_node_are_bounded(store, monkeypatch):
    monkeypatch.setattr("segue.stores.hub_store.KEPT_CHANGES", 3)
    for n in range(6):
        store.note_statuses([], [HubEvent("applied", "a", detail=str(n))])
    assert [each.detail for each in store.changes("a")] == ["5", "4", "3"]


def test_a_removed_node_is_forgotten_with_its_tokens(store):
    store.add_token(TOKEN)
    store.enrol("d1", NODE, 50.0, {})
    store.note_statuses([NodeStatus("a", 7.0)])
    assert store.remove_node("a") is True
    assert store.remove_node("a") is False
    assert (store.nodes(), store.statuses()) == ((), {})
    with pytest.raises(EnrolmentError):
        store.enrol("d1", NODE, 50.0, {})


def test_operators_are_replaced_by_name(store):
    store.add_operator("ann", "x", 1.0)
    store.add_operator("ann", "y", 2.0)
    assert store.operators() == {"y": "ann"}


def test_a_database_of_a_newer_segue_is_refused(store, monkeypatch):
    monkeypatch.setattr("segue.stores.hub_connect.SCHEMA_VERSION", 0)
    with pytest.raises(StorageError, match="newer segue"):
        SqlHubStore(store.url)


def test_a_damaged_database_is_told(tmp_path):
    (tmp_path / "hub.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="damaged"):
        SqlHubStore(f"sqlite:///{tmp_path / 'hub.db'}")
