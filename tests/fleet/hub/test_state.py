"""What nodes are told, what they tell, and what somebody should know of it."""

import json
import shutil
import socket
import threading
import time
import urllib.request

from segue.wire.client import read_message
from segue.wire.messages import DesiredState, Status
from tests.arriving import EPOCH, count_events, events, make_batch, make_loss


def ask(node, revision, wait):
    return node.client.get("/v1/desired", {"revision": revision, "wait": wait}, wait=float(wait))


def test_a_long_poll_is_kept_until_the_hub_ends(hub):
    node = hub.node("a", "--label", "role=shop")
    state = read_message(ask(node, "", "0"), DesiredState)
    assert (state.generation, state.labels) == (0, {"role": "shop"})
    assert ask(node, state.revision, "0").body == b""
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(ask(node, state.revision, "60")))
    waiting.start()
    # the poll is there once it has been counted as heard
    operator = hub.operator()
    operator.get("/v1/nodes")
    began = time.monotonic()
    hub.stop()
    waiting.join()
    assert answers[0].status == 204
    assert time.monotonic() - began < 15


def test_a_node_that_leaves_in_the_middle_of_a_request_is_nothing_to_complain_of(hub):
    with socket.create_connection(("127.0.0.1", hub.port)) as connection:
        connection.sendall(
            b"POST /v1/records HTTP/1.1\r\nHost: hub\r\nContent-Length: 90\r\n\r\nab"
        )
    node = hub.node()
    assert node.send_events(1)[0].committed == 1
    hub.stop()
    assert "Traceback" not in hub.log.read_text()


def test_what_nodes_tell_is_shown(hub):
    node = hub.node()
    told = Status(applied=0, lag=4.0, unsent=7, spool_bytes=2_000_000, alerts=["clock stepped"])
    node.client.post("/v1/status", told.dump())
    node.send_events(1)
    node.send(make_loss("a", 2, 5, 17))
    assert node.send(make_batch("a", 1, events("a", 99)))[0].state == "fenced"
    operator = hub.operator()
    shown = json.loads(operator.get("/v1/nodes/a").body)
    assert (shown["silent"], shown["status"]["unsent"]) == (False, 7)
    kinds = {each["kind"]: each["detail"] for each in shown["events"]}
    assert set(kinds) == {"enrolled", "alert", "gap", "fenced"}
    assert kinds["gap"] == f"17 rows lost (full): epoch {EPOCH}, sequences 2 to 5"
    text = hub.segue("nodes")
    assert "7 rows" in text
    assert "clock stepped" in text
    assert "2.0 MB" in hub.segue("node", "show", "a")
    with urllib.request.urlopen(f"{hub.url}/metrics") as answer:
        figures = answer.read().decode()
    assert 'segue_hub_rows_total{table="readings"} 1.0' in figures
    assert 'segue_hub_lost_rows_total{table="readings"} 17.0' in figures
    assert 'segue_node_lag_seconds{node="a"} 4.0' in figures


def test_a_node_that_tells_nonsense_hides_no_other(hub):
    odd, good = hub.node("odd"), hub.node("good")
    nonsense = {name: {"a": []} for name in Status().plain()}
    odd.client.post("/v1/status", json.dumps(nonsense | {"alerts": 5, "lag": "x"}).encode())
    good.client.post("/v1/status", Status(lag=4.0).dump())
    with urllib.request.urlopen(f"{hub.url}/metrics") as answer:
        figures = answer.read().decode()
    assert 'segue_node_lag_seconds{node="good"} 4.0' in figures
    assert 'segue_node_lag_seconds{node="odd"} 0.0' in figures
    assert "good" in hub.segue("nodes")
    assert "odd" in hub.segue("node", "show", "odd")


def test_a_hub_restored_from_a_backup_is_refilled(idle_hub):
    hub = idle_hub.start()
    node = hub.node()
    node.send_events(1, 3)
    hub.stop()
    shutil.copytree(hub.lake, hub.folder / "backup")
    hub.start()
    node.connect()
    node.send_events(4, 6)
    hub.kill()
    shutil.rmtree(hub.lake)
    (hub.folder / "backup").rename(hub.lake)
    hub.start()
    node.connect()
    assert node.stand().committed == 3
    assert node.send_events(4, 6)[0].committed == 6
    hub.stop()
    found = count_events(hub.lake / "readings")
    assert dict(found) == {("a", n * 1000): 1 for n in range(1, 7)}


def test_a_table_rolled_back_under_a_running_hub_is_refilled(hub):
    from deltalake import DeltaTable

    node = hub.node()
    for n in range(1, 5):
        node.send_events(n)
    before = node.stand()
    DeltaTable((hub.lake / "readings").as_uri()).restore(1)
    after = node.stand()
    assert (after.committed, after.incarnation == before.incarnation) == (2, False)
    assert node.send_events(3, 4)[0].committed == 4
    assert set(count_events(hub.lake / "readings").values()) == {1}
