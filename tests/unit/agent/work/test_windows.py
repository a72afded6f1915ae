import random
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from segue.agent.work.sessions import OpenSessions
from segue.agent.work.shelf import FAN
from segue.agent.work.windows import CHANGED, LATE, TIMELESS, OpenWindows
from segue.frames.windows import assign_windows
from segue.spec.edge import WindowKind, WindowSpec

TUMBLING = WindowSpec(WindowKind.TUMBLING, "at", size=60, every=60, late=20)
SLIDING = WindowSpec(WindowKind.SLIDING, "at", size=60, every=25, late=20)
SESSION = WindowSpec(WindowKind.SESSION, "at", size=10, every=10, late=5, by=("who",))
TYPES = pa.schema({"at": pa.timestamp("us"), "who": pa.string(), "n": pa.int64()})


class Store(dict):
    """States as a spool keeps them; only what a commit wrote can be read."""

    def commit(self, states):
        for name, value in states.items():
            if value is None:
                self.pop(name, None)
            else:
                self[name] = value


def make(*rows):
    columns = list(zip(*rows, strict=True)) if rows else [[], [], []]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, TYPES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=TYPES)


def open_windows(window, store):
    kind = OpenSessions if window.kind is WindowKind.SESSION else OpenWindows
    return kind("step", window, store.get)


def drive(window, batches, *, restart=False, flush=True):
    """Return closed rows and rows that were set aside, after all batches."""
    store, closed, aside = Store(), [], []
    windows = open_windows(window, store)
    for rows, last in [*((each, False) for each in batches), (make(), True)]:
        if last and not flush:
            break
        if restart:
            windows = open_windows(window, store)
        done = windows.advance(rows, flush=last)
        store.commit(done.states)
        closed += done.closed.to_pylist() if done.closed is not None else []
        aside += [(row["n"], why) for table, why in done.aside for row in table.to_pylist()]
    return closed, aside, store


def key(row):
    return sorted((name, str(value)) for name, value in row.items())


def test_a_window_closes_once_the_watermark_has_passed_its_end():
    store = Store()
    windows = OpenWindows("step", TUMBLING, store.get)
    numbers = []
    for rows in (
        make((5, "a", 1), (70, "a", 2)),
        make((79, "a", 3), (50, "a", 4)),  # 79 - 20 < 60
        make((80, "a", 5)),
    ):
        done = windows.advance(rows)
        store.commit(done.states)
        numbers.append([] if done.closed is None else done.closed["n"].to_pylist())
    assert numbers == [[], [], [1, 4]]


def test_rows_whose_windows_are_all_closed_come_too_late():
    _, aside, _ = drive(TUMBLING, [make((80, "a", 1)), make((59, "a", 2), (60, "a", 3))])
    assert aside == [(2, LATE)]


def test_a_late_row_still_counts_in_the_windows_that_are_open():
    closed, aside, _ = drive(SLIDING, [make((85, "a", 1)), make((59, "a", 2))])
    starts = {row["window_start"].microsecond for row in closed if row["n"] == 2}
    assert aside == []
    assert starts == {25, 50}  # the window from 0 had closed


def test_rows_without_a_time_are_set_aside():
    _, aside, _ = drive(TUMBLING, [make((None, "a", 1), (1, "a", 2))])
    assert aside == [(1, TIMELESS)]


@pytest.mark.parametrize("window", [TUMBLING, SLIDING, SESSION])
@pytest.mark.parametrize("restart", [False, True])
def test_windows_over_batches_are_those_of_all_rows_together(window, restart):
    draw = random.Random(7)
    times = [max(0, at - draw.randrange(window.late + 1)) for at in range(0, 900, 3)]
    rows = [(at, draw.choice("ab"), n) for n, at in enumerate(times)]
    cuts = sorted(draw.sample(range(1, len(rows)), 40))
    batches = [
        make(*rows[start:stop]) for start, stop in zip([0, *cuts], [*cuts, len(rows)], strict=True)
    ]
    closed, aside, store = drive(window, batches, restart=restart)
    wanted = assign_windows(make(*rows), window).to_pylist()
    assert aside == []
    assert sorted(map(key, closed)) == sorted(map(key, wanted))
    assert list(store) == ["window/step"]


@pytest.mark.parametrize("window", [TUMBLING, SLIDING, SESSION])
def test_a_restart_changes_nothing_wherever_it_comes(window):
    rows = [(at, "ab"[at % 2], at) for at in range(0, 300, 7)]
    batches = [make(row) for row in rows]
    whole = drive(window, batches)
    assert drive(window, batches, restart=True)[:2] == whole[:2]


def test_the_spool_gets_little_more_than_the_new_rows():
    store, written = Store(), 0
    long = WindowSpec(WindowKind.TUMBLING, "at", size=10**9, every=10**9)
    windows = OpenWindows("step", long, store.get)
    for number in range(600):
        done = windows.advance(make(*((number, "a", n) for n in range(100))))
        store.commit(done.states)
        written += sum(len(state) for state in done.states.values() if state)
    assert len(store) < 3 * FAN
    kept = sum(map(len, store.values()))
    assert written < 25 * kept
    done = windows.advance(make(), flush=True)
    store.commit(done.states)
    assert done.closed.num_rows == 60_000
    assert list(store) == ["window/step"]


def test_sessions_that_ended_do_not_stay_in_the_spool():
    store = Store()
    windows = OpenSessions("step", SESSION, store.get)
    for at in range(0, 10**6, 10):
        if at % 10_000 == 0:
            rows = [(at + n, "a", n) for n in range(0, 5000, 2)]
            done = windows.advance(make(*rows, (at + 9_000, "b", 0)))
            store.commit(done.states)
    assert sum(map(len, store.values())) < 500_000


def test_other_windows_of_another_deployment_take_over_the_rows():
    store = Store()
    store.commit(OpenWindows("step", TUMBLING, store.get).advance(make((5, "a", 1))).states)
    done = OpenWindows("step", SLIDING, store.get).advance(make((6, "a", 2)), flush=True)
    store.commit(done.states)
    assert sorted(set(done.closed["n"].to_pylist())) == [1, 2]
    assert list(store) == ["window/step"]


def test_columns_of_another_deployment_are_brought_to_those_of_today():
    store = Store()
    store.commit(OpenWindows("step", TUMBLING, store.get).advance(make((5, "a", 1))).states)
    rows = make((6, "7", 2))
    whose = rows.set_column(1, "who", rows["who"].cast("int64")).append_column("new", [[1.5]])
    done = OpenWindows("step", TUMBLING, store.get).advance(whose, flush=True)
    assert done.closed["n"].to_pylist() == [2]
    assert [(table["n"].to_pylist(), why) for table, why in done.aside] == [([1], CHANGED)]


def test_times_with_a_zone_keep_it():
    at = pa.array([datetime(2026, 3, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    rows = pa.table({"at": at, "n": [1]})
    done = OpenWindows("step", TUMBLING, Store().get).advance(rows, flush=True)
    assert done.closed["window_start"].type == pa.timestamp("us", "UTC")
