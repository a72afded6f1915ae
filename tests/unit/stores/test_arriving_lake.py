"""Requests meet in one commit; compaction and readers' view of it; memory stays bounded."""

import threading
from collections import Counter

import pyarrow as pa
import pytest

from segue.errors import HubBusyError, StorageError
from segue.spec.arriving import Key, Verdict
from segue.stores import arriving_compact, lake_log
from segue.stores.arriving_compact import write_checkpoint
from segue.stores.arriving_lake import ArrivingLake, Pace
from segue.stores.arriving_log import load
from segue.stores.arriving_names import FOLDER, Names
from segue.stores.arriving_read import find_new_rows, read_state
from segue.stores.arriving_table import ArrivingTable
from tests.arriving import EPOCH, count_events, events, make_batch, make_loss, read_rows

QUICK = Pace(linger=0.0, every=0.0)


@pytest.fixture
def lake(tmp_path):
    found = ArrivingLake(str(tmp_path), QUICK)
    yield found
    found.close()


def commit(lake, *batches):
    return [place for answer in lake.submit(batches) for place in answer.result(30)]


def test_tables_are_answered_in_the_order_in_which_they_come(lake):
    batches = [
        make_batch("a", 1, events("a", 1), name="two"),
        make_batch("a", 1, events("a", 1), name="one"),
        make_batch("a", 2, events("a", 2), name="two"),
    ]
    first, second = lake.submit(batches)
    assert [place.committed for place in first.result(30)] == [1, 2]
    assert [place.committed for place in second.result(30)] == [1]


def test_requests_that_come_together_are_one_commit(tmp_path):
    told = []
    lake = ArrivingLake(str(tmp_path), Pace(linger=0.3), told.append)
    answers = [lake.submit([make_batch(f"n{n}", 1, events("a", n))])[0] for n in range(20)]
    assert all(answer.result(30)[0].fresh for answer in answers)
    lake.close()
    assert len(told) == 1
    assert lake_log.list_commits(tmp_path / "readings") == [0]


def test_rows_that_are_decoded_together_have_a_limit(tmp_path):
    told = []
    lake = ArrivingLake(str(tmp_path), Pace(linger=0.3, bytes=64_000), told.append)
    rows = events("a", *range(400))
    answers = [lake.submit([make_batch(f"n{n}", 1, rows)])[0] for n in range(5)]
    assert all(answer.result(30)[0].fresh for answer in answers)
    lake.close()
    assert [len(commits.batches) for commits in told] == [2, 2, 1]
    assert count_events(tmp_path / "readings").total() == 5 * 400


def test_many_threads_and_two_lakes_take_each_row_once(tmp_path):
    lakes = [ArrivingLake(str(tmp_path), QUICK) for _ in range(2)]

    def send(node):
        for n in range(1, 16):
            batch = make_batch(node, n, events(node, n))
            for lake in lakes:
                assert commit(lake, batch)[0].verdict is Verdict.OK

    threads = [threading.Thread(target=send, args=(f"n{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lake in lakes:
        lake.close()
    expected = Counter({(f"n{node}", n): 1 for node in range(4) for n in range(1, 16)})
    assert count_events(tmp_path / "readings") == expected


def test_more_than_can_be_held_is_turned_away(tmp_path):
    batch = make_batch("a", 1, events("a", *range(50)))
    room = 2 * len(batch.payload)
    lake = ArrivingLake(str(tmp_path), Pace(linger=5, every=0, in_flight=room))
    kept = lake.submit([batch])
    with pytest.raises(HubBusyError):
        lake.submit([batch, batch, batch])
    lake.close()
    assert kept[0].result(1)[0].fresh
    assert lake.in_flight == 0


def test_rows_that_can_not_be_stored_do_not_hold_up_others(lake, tmp_path):
    good = make_batch("a", 1, events("a", 1))
    commit(lake, good)
    odd = pa.table({"who": ["b"], "d": pa.array([10**13], pa.timestamp("s"))})
    places = commit(lake, make_batch("b", 1, odd), make_batch("a", 2, events("a", 2)))
    assert [place.verdict for place in places] == ["refused", "ok"]
    assert count_events(tmp_path / "readings")["a", 2] == 1


def test_who_stops_waiting_for_an_answer_holds_up_nobody(tmp_path):
    lake = ArrivingLake(str(tmp_path), Pace(linger=0.2))
    (gone,) = lake.submit([make_batch("a", 1, events("a", 1))])
    gone.cancel()
    (stayed,) = lake.submit([make_batch("b", 1, events("b", 1))])
    assert stayed.result(30)[0].fresh
    assert commit(lake, make_batch("b", 2, events("b", 2)))[0].fresh
    lake.close()
    assert (count_events(tmp_path / "readings"), lake.in_flight) == (
        {("a", 1): 1, ("b", 1): 1, ("b", 2): 1},
        0,
    )


def test_a_fault_of_who_is_told_holds_up_nobody(tmp_path):
    faults = [RuntimeError("no figures")]

    def told(_):
        if faults:
            raise faults.pop()

    lake = ArrivingLake(str(tmp_path), QUICK, told)
    for n in (1, 2):
        assert commit(lake, make_batch("a", n, events("a", n)))[0].fresh
    lake.close()
    assert not faults


def test_a_closed_lake_takes_nothing(tmp_path):
    lake = ArrivingLake(str(tmp_path), QUICK)
    commit(lake, make_batch("a", 1, events("a", 1)))
    lake.close()
    [answer] = lake.submit([make_batch("a", 2, events("a", 2))])
    with pytest.raises(HubBusyError):
        answer.result(1)


def take_new(folder, seen):
    """What a reader gets that takes each row once."""
    import pyarrow.parquet as pq

    state = read_state(folder)
    rows = []
    for new in find_new_rows(folder, state, seen):
        table = pq.ParquetFile(folder / new.file.path).read()
        for begin, end in new.ranges or ((0, table.num_rows),):
            rows += table.slice(begin, end - begin).to_pylist()
    return state.version, Counter((row["who"], row["n"]) for row in rows)


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_reader_gets_each_row_once_whenever_it_looks(tmp_path, monkeypatch, every):
    monkeypatch.setattr(arriving_compact, "MANY", 4)
    names = Names(tmp_path)
    table = ArrivingTable(tmp_path, "readings", names)
    seen, got = -1, Counter()
    for n in range(1, 40):
        table.commit([make_batch("a", n, events("a", n, -n)), make_batch("b", n, events("b", n))])
        if n % 5 == 0:
            table.compact()
        if n % every == 0:
            seen, new = take_new(tmp_path / "readings", seen)
            got += new
    table.compact()
    got += take_new(tmp_path / "readings", seen)[1]
    assert got == count_events(tmp_path / "readings")
    assert set(got.values()) == {1}
    assert len(load(tmp_path / "readings").files) < 12
    names.close()


def test_compaction_changes_no_rows_and_says_so(tmp_path, monkeypatch):
    from deltalake import DeltaTable

    monkeypatch.setattr(arriving_compact, "MANY", 3)
    names = Names(tmp_path)
    table = ArrivingTable(tmp_path, "readings", names)
    for n in range(1, 5):
        table.commit([make_batch("a", n, events("a", n))])
    table.commit([make_batch("a", 5, events("a", 5).append_column("x", pa.array([1.5])))])
    before = table.find_place(Key("a", EPOCH))
    table.compact()
    assert table.find_place(Key("a", EPOCH)) == before
    assert len(load(tmp_path / "readings").files) == 1
    assert count_events(tmp_path / "readings") == Counter({("a", n): 1 for n in range(1, 6)})
    folder = tmp_path / "readings"
    actions = lake_log.read_commit(folder, lake_log.list_commits(folder)[-1])
    changes = [each.get("add") or each.get("remove") for each in actions]
    assert {each["dataChange"] for each in changes if each} == {False}
    assert DeltaTable(folder.as_uri()).to_pyarrow_table().num_rows == 5
    names.close()


def test_compaction_gives_way_to_commits(tmp_path, monkeypatch):
    monkeypatch.setattr(arriving_compact, "MANY", 3)
    names = Names(tmp_path)
    first, second = (ArrivingTable(tmp_path, "readings", names) for _ in range(2))
    for n in range(1, 9):
        first.commit([make_batch("a", n, events("a", n))])
    racing = threading.Thread(target=second.compact)
    racing.start()
    for n in range(9, 40):
        first.commit([make_batch("a", n, events("a", n))])
    racing.join()
    first.compact()
    assert count_events(tmp_path / "readings") == Counter({("a", n): 1 for n in range(1, 40)})
    names.close()


def test_old_commits_go_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(arriving_compact, "KEEP_COMMITS", 5)
    names = Names(tmp_path)
    table = ArrivingTable(tmp_path, "readings", names)
    for n in range(1, 31):
        batch = make_loss("a", n, n, 1) if n == 15 else make_batch("a", n, events("a", n))
        table.commit([batch])
        if n % 10 == 0:
            write_checkpoint(tmp_path / "readings")
    assert lake_log.list_commits(tmp_path / "readings")[0] > 10
    again = ArrivingTable(tmp_path, "readings", names)
    assert again.find_place(Key("a", EPOCH)).committed == 30
    expected = Counter({("a", n): 1 for n in range(1, 31) if n != 15})
    assert count_events(tmp_path / "readings") == expected
    assert len(read_rows(tmp_path / "readings__gaps")) == 1
    names.close()


def test_only_tables_that_nodes_send_exist(lake, tmp_path):
    from deltalake import write_deltalake

    write_deltalake(tmp_path / "orders", pa.table({"x": [1]}))
    commit(lake, make_batch("a", 1, events("a", 1)), make_loss("a", 2, 2, 1))
    exists = {name: lake.exists(name) for name in ("readings", "orders", "readings__gaps", "no")}
    assert exists == {"readings": True, "orders": False, "readings__gaps": False, "no": False}
    with pytest.raises(StorageError, match="something else wrote it"):
        lake.find_place("orders", Key("a", EPOCH))


def test_files_of_a_hub_that_runs_stay(tmp_path):
    first, second = Names(tmp_path), Names(tmp_path)
    table = ArrivingTable(tmp_path, "readings", first)
    table.commit([make_batch("a", 1, events("a", 1))])
    staged = tmp_path / "readings" / second.give("arriving", 1)
    staged.write_bytes(b"being written")
    assert table.remove_abandoned() == 0
    second.close()
    assert table.remove_abandoned() == 1
    assert not staged.exists()
    first.close()


def test_locks_of_hubs_that_were_killed_go(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "0a1b2c3d.lock").touch()
    first = Names(tmp_path)
    second = Names(tmp_path)
    assert {path.stem for path in folder.iterdir()} == {first.hub, second.hub}
    second.close()
    first.close()
    assert list(folder.iterdir()) == []


def test_losses_are_kept_in_few_files_too(tmp_path, monkeypatch):
    monkeypatch.setattr(arriving_compact, "MANY", 4)
    names = Names(tmp_path)
    table = ArrivingTable(tmp_path, "readings", names)
    for n in range(1, 21):
        table.commit([make_loss("a", n, n, 1)])
        if n % 6 == 0:
            assert table.needs_compaction()
            table.compact()
    table.write_checkpoints()
    restored = ArrivingTable(tmp_path, "readings", names)
    restored.commit([make_loss("a", 21, 21, 1)])
    rows = read_rows(tmp_path / "readings__gaps")
    assert sorted(row["first_sequence"] for row in rows) == list(range(1, 22))
    assert len(load(tmp_path / "readings__gaps").files) < 8
    names.close()
