"""A hub that is killed at any point takes each row once, and leaves nothing behind."""

from collections import Counter

import pytest

from segue import failpoints
from segue.errors import HubError
from segue.stores.arriving_log import load
from tests.arriving import EPOCH, count_events, make_loss, read_rows
from tests.fleet.hub.hubs import HubProcess

POINTS = [point for point in failpoints.POINTS if point.startswith("hub.")]


@pytest.mark.parametrize("point", POINTS)
def test_a_hub_killed_at_any_point_has_each_row_once(idle_hub, point):
    hub = idle_hub.start()
    node = hub.node()
    assert node.send_events(1)[0].committed == 1
    hub.kill()
    hub.start(failpoint=f"{point}=kill")
    node.connect()
    with pytest.raises(HubError):
        node.send_events(2, 4, size=3)
    assert hub.wait() == -9
    hub.start()
    node.connect()
    place = node.stand()
    done = point in ("hub.linked", "hub.acknowledge.before")
    assert place.committed == (4 if done else 1)
    # what is sent again is there once, whether the hub had it or not
    assert [each.state for each in node.send_events(2, 4, size=3)] == ["ok"]
    assert node.send_events(5)[0].committed == 5
    hub.stop()
    expected = {1000, 5000, *(n * 1000 + k for n in (2, 3, 4) for k in range(3))}
    assert count_events(hub.lake / "readings") == Counter({("a", n): 1 for n in expected})


@pytest.mark.parametrize("point", ["hub.written", "hub.fsync.before"])
def test_files_of_a_dead_hub_are_invisible_and_removed(idle_hub, point):
    hub = idle_hub.start()
    node = hub.node()
    node.send_events(1)
    hub.kill()
    hub.start(failpoint=f"{point}=kill")
    with pytest.raises(HubError):
        node.connect().send_events(2)
    hub.wait()
    folder = hub.lake / "readings"
    assert len(list(folder.glob("*.parquet"))) == 2
    assert count_events(folder) == Counter({("a", 1000): 1})
    hub.start()
    node.connect().send_events(2)
    hub.stop()
    assert {path.name for path in folder.glob("*.parquet")} == set(load(folder).files)
    assert not list(folder.glob("_delta_log/*.tmp"))


@pytest.mark.parametrize("pass_", [1, 2])
@pytest.mark.parametrize("point", ["hub.fsync.before", "hub.linked"])
def test_a_declared_loss_is_there_once_whichever_table_the_hub_dies_in(idle_hub, point, pass_):
    hub = idle_hub.start(failpoint=f"{point}=kill@{pass_}")
    node = hub.node()
    loss = make_loss("a", 1, 9, 17)
    with pytest.raises(HubError):
        node.send(loss)
    assert hub.wait() == -9
    hub.start()
    node.connect()
    assert node.send(loss)[0].committed == 9
    hub.stop()
    [row] = read_rows(hub.lake / "readings__gaps")
    assert (row["first_sequence"], row["last_sequence"], row["rows"]) == (1, 9, 17)
    assert load(hub.lake / "readings").transactions[f"segue-fleet/a/{EPOCH}"] == 9


@pytest.mark.timeout(300)  # starts eleven hubs
def test_a_hub_that_dies_at_every_point_in_turn_under_a_node_that_goes_on(tmp_path):
    """The hub dies again and again under a node that goes on; every row is there once."""
    hub = HubProcess(tmp_path).start()
    node = hub.node()
    try:
        sent = 0
        for round_ in range(5):
            hub.kill()
            hub.start(failpoint=f"{POINTS[round_ % len(POINTS)]}=kill@{2 + round_}")
            node.connect()
            try:
                for _ in range(8):
                    sent = node.stand().committed
                    sent = node.send_events(sent + 1)[0].committed
            except HubError:
                hub.wait()
                hub.start()
                node.connect()
        sent = node.stand().committed
        assert node.send_events(sent + 1)[0].committed == sent + 1
    finally:
        hub.stop()
    found = count_events(hub.lake / "readings")
    assert found == Counter({("a", n * 1000): 1 for n in range(1, sent + 2)})
