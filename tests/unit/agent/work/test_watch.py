import json

import pyarrow as pa
import pytest

from segue import registry
from segue.agent.work.watch import Watch
from segue.spec.edge import StreamAlert
from segue.spec.step import PlaceSpec

MINUTE = 60_000_000


@pytest.fixture
def session(tmp_path):
    with registry.load_local_engine().open(PlaceSpec("local", threads=1), tmp_path) as opened:
        yield opened


def alert(**more):
    given = {
        "name": "hot",
        "table": "readings",
        "condition": "value > 30",
        "at_least": 4,
        "distinct": "sensor",
        "within": MINUTE,
        "column": "time",
        "send": ("https://example.com/hook",),
        "message": "{sensor} at {value}, {nothing}",
        "quiet": 10 * MINUTE,
    }
    return StreamAlert(**given | more)


def rows(*triples):
    times, sensors, values = zip(*triples, strict=True)
    return pa.table(
        {
            "time": pa.array([s * 10**6 for s in times], pa.timestamp("us")),
            "sensor": list(sensors),
            "value": pa.array(values, pa.float64()),
        }
    )


class Store(dict):
    def see(self, watch, table):
        letters, states = watch.see(table)
        self.update(states)
        return [letter.body for letter in letters]


def test_four_sensors_above_the_threshold_within_a_minute(session):
    store = Store()
    watch = Watch(alert(), "n1", session, store.get)
    assert store.see(watch, rows((0, "a", 31), (1, "b", 31), (2, "c", 31), (3, "c", 40))) == []
    assert store.see(watch, rows((61, "d", 32))) == []  # a was more than a minute before
    assert store.see(watch, rows((61, "a", 33.5))) == ["a at 33.5, {nothing}"]


def test_an_episode_is_told_once_until_it_was_quiet(session):
    watch = Watch(alert(at_least=1, distinct=""), "n1", session, Store().get)
    store = Store()
    told = [len(store.see(watch, rows((at, "a", 31)))) for at in (0, 30, 600, 1199, 1799, 1800)]
    assert told == [1, 0, 0, 0, 1, 0]


def test_how_rows_came_in_batches_does_not_matter(session):
    all_rows = [(at, f"s{at % 5}", 31 if at % 3 else 20) for at in range(0, 5000, 11)]
    one, many = Store(), Store()
    whole = Watch(alert(quiet=MINUTE), "n1", session, one.get)
    bodies = one.see(whole, rows(*all_rows))
    apart = []
    for start in range(0, len(all_rows), 7):
        watch = Watch(alert(quiet=MINUTE), "n1", session, many.get)  # as after a restart
        apart += many.see(watch, rows(*all_rows[start : start + 7]))
    assert bodies
    assert apart == bodies


def test_a_restart_goes_on_with_what_was_seen(session):
    store = Store()
    store.see(
        Watch(alert(), "n1", session, store.get), rows((0, "a", 31), (1, "b", 31), (2, "c", 31))
    )
    again = Watch(alert(), "n1", session, store.get)
    assert store.see(again, rows((3, "d", 31))) == ["d at 31.0, {nothing}"]


def test_time_of_arrival_is_a_steady_clock_that_survives_a_boot(session):
    now, store = [1000.0], Store()
    waits = alert(at_least=2, distinct="", column="", quiet=120 * 10**6)
    watch = Watch(waits, "n1", session, store.get, lambda: now[0])
    assert store.see(watch, rows((0, "a", 31))) == []
    now[0] += 61  # too long ago
    assert store.see(watch, rows((0, "a", 31))) == []
    now[0] = 5.0  # the machine was started again
    watch = Watch(waits, "n1", session, store.get, lambda: now[0])
    now[0] = 6.0
    assert len(store.see(watch, rows((0, "a", 31)))) == 1


def test_what_is_remembered_is_bounded(session):
    store = Store()
    watch = Watch(alert(distinct="", at_least=10), "n1", session, store.get)
    store.see(watch, rows(*((at / 100, "a", 31) for at in range(5000))))
    assert len(json.loads(store["alert/hot"])["seen"]) == 10


def test_letters_name_themselves(session):
    watch = Watch(alert(at_least=1, send=("a://1", "b://2")), "n1", session, Store().get)
    letters, _ = watch.see(rows((0, "a", 31)))
    assert [letter.channel for letter in letters] == ["a://1", "b://2"]
    assert len({letter.key for letter in letters}) == 2
    assert letters[0].title == "hot at n1"
