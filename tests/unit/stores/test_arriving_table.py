"""Batches become rows of an arriving table once, whatever is sent twice, late or wrong."""

import contextlib
import json
import random
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue import failpoints
from segue.errors import StorageError
from segue.spec.arriving import Key, Verdict
from segue.stores import arriving_files, arriving_gather, lake_log
from segue.stores.arriving_log import load
from segue.stores.arriving_names import Names
from segue.stores.arriving_table import ArrivingTable
from tests.arriving import (
    EPOCH,
    count_events,
    events,
    make_batch,
    make_file,
    make_loss,
    read_rows,
)

A, B = Key("a", EPOCH), Key("b", EPOCH)


@pytest.fixture
def names(tmp_path):
    found = Names(tmp_path)
    yield found
    found.close()


@pytest.fixture
def table(tmp_path, names):
    return ArrivingTable(tmp_path, "readings", names)


def verdicts(places):
    return [(str(place.verdict), place.committed) for place in places]


def test_batches_of_many_nodes_are_one_commit(table, tmp_path):
    places = table.commit(
        [
            make_batch("a", 1, events("a", 1, 2)),
            make_batch("b", 1, events("b", 1)),
            make_batch("a", 2, events("a", 3)),
        ]
    )
    assert verdicts(places) == [("ok", 1), ("ok", 1), ("ok", 2)]
    assert lake_log.list_commits(tmp_path / "readings") == [0]
    assert count_events(tmp_path / "readings") == Counter(
        {("a", 1): 1, ("a", 2): 1, ("a", 3): 1, ("b", 1): 1}
    )


def test_rows_say_where_they_come_from(table, tmp_path):
    batch = make_batch(
        "a",
        1,
        events("a", 1),
        schema_id="5c",
        deployment=7,
        clock="unsure",
        labels={"role": "shop", "country": "BE"},
    )
    table.commit([batch])
    assert read_rows(tmp_path / "readings") == [
        {
            "who": "a",
            "n": 1,
            "_node": "a",
            "_epoch": EPOCH,
            "_sequence": 1,
            "_deployment": 7,
            "_schema": "5c",
            "_clock": "unsure",
            "_labels": [("country", "BE"), ("role", "shop")],
        }
    ]


def test_what_was_sent_before_is_there_once(table, tmp_path):
    first = make_batch("a", 1, events("a", 1))
    table.commit([first])
    assert verdicts(table.commit([first, first])) == [("ok", 1), ("ok", 1)]
    twice = make_batch("a", 2, events("a", 2))
    assert verdicts(table.commit([twice, twice])) == [("ok", 2), ("ok", 2)]
    assert count_events(tmp_path / "readings") == Counter({("a", 1): 1, ("a", 2): 1})


def test_a_gap_in_sequences_is_told(table):
    table.commit([make_batch("a", 1, events("a", 1))])
    assert verdicts(table.commit([make_batch("a", 3, events("a", 3))])) == [("expected", 1)]


def test_reordered_batches_of_one_commit_are_put_in_order(table, tmp_path):
    places = table.commit([make_batch("a", n, events("a", n)) for n in (3, 1, 2)])
    assert verdicts(places) == [("ok", 3), ("ok", 1), ("ok", 2)]


def test_other_rows_of_a_known_sequence_are_fenced(table, tmp_path):
    table.commit([make_batch("a", n, events("a", n)) for n in (1, 2)])
    [place] = table.commit([make_batch("a", 2, events("a", 99))])
    assert (place.verdict, place.committed) == (Verdict.FENCED, 1)
    assert count_events(tmp_path / "readings") == Counter({("a", 1): 1, ("a", 2): 1})


def test_digests_are_known_after_a_restart(table, tmp_path, names):
    table.commit([make_batch("a", n, events("a", n)) for n in (1, 2)])
    again = ArrivingTable(tmp_path, "readings", names)
    [place] = again.commit([make_batch("a", 2, events("a", 99))])
    assert place.verdict is Verdict.FENCED


@pytest.mark.parametrize("make", [make_batch, lambda n, s, t: make_file(n, s, s, t)])
def test_batches_that_are_forgotten_are_told_apart_by_their_rows(
    table, tmp_path, make, monkeypatch
):
    """An old copy of a spool sends what the table has, and then rows of its own."""
    monkeypatch.setattr("segue.stores.arriving_log.RECENT", 2)
    batches = [make("a", n, events("a", n, -n)) for n in range(1, 8)]
    for batch in batches:
        table.commit([batch])
    assert verdicts(table.commit([batches[1]])) == [("ok", 7)]
    assert verdicts(table.commit([make("a", 3, events("a", 3, 99))])) == [("fenced", 2)]
    assert verdicts(table.commit([make("a", 3, events("a", 3))])) == [("fenced", 2)]
    assert sum(count_events(tmp_path / "readings").values()) == 14


def test_a_damaged_payload_is_refused_and_its_neighbours_are_not(table, tmp_path):
    good, bad = make_batch("b", 1, events("b", 1)), make_batch("a", 1, events("a", 1))
    cut = replace(bad, payload=bad.payload[:-40])
    places = table.commit([cut, good, make_batch("a", 2, events("a", 2))])
    assert [place.verdict for place in places] == ["refused", "ok", "expected"]
    assert "digest" in places[0].reason
    assert count_events(tmp_path / "readings") == Counter({("b", 1): 1})


def test_a_header_that_miscounts_is_refused(table):
    [place] = table.commit([replace(make_batch("a", 1, events("a", 1)), rows=2)])
    assert (place.verdict, place.committed) == (Verdict.REFUSED, 0)


def test_an_empty_batch_moves_the_sequence_on(table):
    table.commit([make_batch("a", 1, events("a"))])
    assert verdicts(table.commit([make_batch("a", 2, events("a", 2))])) == [("ok", 2)]


def test_a_file_is_linked_as_it_is(table, tmp_path):
    batch = make_file("a", 1, 40, events("a", *range(100)))
    table.commit([batch])
    [path] = (tmp_path / "readings").glob("*.parquet")
    assert path.read_bytes() == batch.payload
    assert table.find_place(A).committed == 40


@pytest.mark.parametrize(
    "other",
    [{"node": "b"}, {"sequences": [1, 2, 41]}, {"epoch": "f" * 16}],
    ids=["node", "sequence", "epoch"],
)
def test_a_file_of_somebody_else_is_refused(table, other):
    made = make_file(other.pop("node", "a"), 1, 40, events("a", 1, 2, 3), **other)
    [place] = table.commit([replace(made, key=A)])
    assert place.verdict is Verdict.REFUSED


def test_a_file_whose_footer_lies_is_refused(table):
    made = make_file("a", 1, 3, events("a", 1, 2, 3))
    # the footer of a file of node `b` is told to be of `a`: its rows are looked at
    theirs = make_file("b", 1, 3, events("a", 1, 2, 3)).payload
    size = int.from_bytes(theirs[-8:-4], "little") + 8
    mine = made.payload[-int.from_bytes(made.payload[-8:-4], "little") - 8 :]
    assert len(mine) == size
    payload = theirs[:-size] + mine
    [place] = table.commit([replace(made, payload=payload, digest=sha256(payload).hexdigest())])
    assert (place.verdict, place.committed) == (Verdict.REFUSED, 0)
    assert "_node is 'b' to 'b'" in place.reason


def test_rows_that_take_more_memory_than_may_be_are_refused_before_they_are_read(
    table, monkeypatch
):
    monkeypatch.setattr(arriving_files, "MOST_DECODED", 100_000)
    zeros = pa.table({"n": pa.array([0] * 20_000, pa.int64())})
    [place] = table.commit([make_batch("a", 1, zeros)])
    assert place.verdict is Verdict.REFUSED
    assert "decodes to 160,000 bytes" in place.reason
    nulls = replace(make_batch("a", 1, pa.table({"n": pa.nulls(3)})), rows=2**40)
    [place] = table.commit([nulls])
    assert "rows" in place.reason


def test_columns_without_an_end_are_refused_to_who_sends_them(table):
    """A table of twenty thousand columns takes minutes a commit, for all nodes."""
    table.commit([make_batch("a", 1, events("a", 1))])
    wide = pa.table({f"c{number}": [1] for number in range(20_000)})
    [place] = table.commit([make_batch("a", 2, wide)])
    assert (place.verdict, place.committed) == (Verdict.REFUSED, 1)
    assert "columns, 2,000 may be" in place.reason
    assert verdicts(table.commit([make_batch("b", 1, events("b", 1))])) == [("ok", 1)]


def test_types_within_types_without_an_end_are_refused(table):
    """Each level costs the commit half as much again: fifty of them would never end."""
    deep = pa.array([1])
    for _ in range(50):
        deep = pa.StructArray.from_arrays([deep], ["s"])
    [place] = table.commit([make_batch("a", 1, pa.table({"x": deep}))])
    assert place.verdict is Verdict.REFUSED
    assert "deeper than 12 levels" in place.reason


def test_batches_that_take_much_memory_are_taken_one_after_the_other(table, monkeypatch):
    monkeypatch.setattr(arriving_gather, "MOST_DECODED", 200_000)
    zeros = pa.table({"n": pa.array([0] * 20_000, pa.int64())})
    batches = [make_batch("a", 1, zeros), make_batch("a", 2, zeros), make_batch("b", 1, zeros)]
    assert verdicts(table.commit(batches)) == [("ok", 1), ("expected", 1), ("expected", 0)]
    assert verdicts(table.commit(batches[1:2])) == [("ok", 2)]


def test_a_file_with_older_columns_is_linked_and_one_with_other_types_is_written(table, tmp_path):
    table.commit([make_batch("a", 1, events("a", 1).append_column("x", pa.array([1.5])))])
    table.commit([make_file("b", 1, 1, events("b", 1))])
    odd = pa.table({"who": ["c"], "n": ["one"]})
    table.commit([make_file("c", 1, 1, odd)])
    rows = {row["who"]: row for row in read_rows(tmp_path / "readings")}
    assert (rows["b"]["n"], rows["b"].get("x")) == (1, None)
    assert (rows["c"]["n"], rows["c"]["n__string"], rows["c"]["_node"]) == (None, "one", "c")
    assert table.odd_columns == ("n__string",)


def test_columns_grow(table, tmp_path):
    narrow = pa.table({"who": ["a"], "n": pa.array([1], pa.int32())})
    table.commit([make_batch("a", 1, events("a", 1)), make_batch("b", 1, narrow)])
    table.commit([make_batch("a", 2, events("a", 2).append_column("x", pa.array(["new"])))])
    schema = load(tmp_path / "readings").schema
    assert str(schema).startswith("who: string, n: int64, x: string, _node: string")
    assert table.odd_columns == ()


def test_types_that_delta_lacks_are_stored_and_remembered(table, tmp_path):
    odd = pa.table(
        {
            "u": pa.array([2**63], pa.uint64()),
            "d": pa.array([7], pa.duration("ms")),
            "t": pa.array([5], pa.time32("s")),
            "s": pa.array([1], pa.timestamp("ns")),
            "c": pa.array(["x"]).dictionary_encode(),
        }
    )
    table.commit([make_batch("a", 1, odd)])
    schema = load(tmp_path / "readings").schema
    assert str(schema.find("d")) == "d: duration(ms)"
    [row] = read_rows(tmp_path / "readings")
    assert (int(row["u"]), row["d"], row["t"], row["s"], row["c"]) == (2**63, 7, 5_000_000, 1, "x")


def test_a_declared_loss_is_a_row_and_moves_the_sequence(table, tmp_path):
    table.commit([make_batch("a", 1, events("a", 1)), make_loss("a", 2, 9, 17)])
    assert verdicts(table.commit([make_loss("a", 2, 9, 17)])) == [("ok", 9)]
    assert verdicts(table.commit([make_batch("a", 10, events("a", 10))])) == [("ok", 10)]
    assert read_rows(tmp_path / "readings__gaps") == [
        {
            "_node": "a",
            "_epoch": EPOCH,
            "first_sequence": 2,
            "last_sequence": 9,
            "rows": 17,
            "reason": "full",
            "_deployment": 0,
        }
    ]


def test_a_table_can_begin_with_a_loss(table, tmp_path):
    assert verdicts(table.commit([make_loss("a", 1, 3, None)])) == [("ok", 3)]
    assert read_rows(tmp_path / "readings__gaps")[0]["rows"] is None


@pytest.mark.parametrize("pass_", [1, 2])
@pytest.mark.parametrize("point", ["hub.fsync.before", "hub.linked", "hub.acknowledge.before"])
def test_a_loss_is_written_once_wherever_the_disk_fails(table, tmp_path, names, point, pass_):
    table.commit([make_batch("a", 1, events("a", 1))])
    failpoints.arm(f"{point}=raise@{pass_}")
    try:
        with contextlib.suppress(OSError):
            table.commit([make_loss("a", 2, 9, 17)])
        failpoints.arm("")
        again = ArrivingTable(tmp_path, "readings", names)
        assert verdicts(again.commit([make_loss("a", 2, 9, 17)])) == [("ok", 9)]
    finally:
        failpoints.arm("")
    assert len(read_rows(tmp_path / "readings__gaps")) == 1


@pytest.mark.parametrize("action", ["raise", "full"])
@pytest.mark.parametrize("point", ["hub.staged", "hub.written", "hub.fsync.before", "hub.linked"])
def test_a_failing_disk_acknowledges_nothing_and_leaves_no_half(table, tmp_path, point, action):
    table.commit([make_batch("a", 1, events("a", 1))])
    batch = make_batch("a", 2, events("a", 2))
    failpoints.arm(f"{point}={action}")
    try:
        with pytest.raises(OSError, match=r"failpoint|No space"):
            table.commit([batch])
    finally:
        failpoints.arm("")
    assert verdicts(table.commit([batch])) == [("ok", 2)]
    assert count_events(tmp_path / "readings") == Counter({("a", 1): 1, ("a", 2): 1})
    held = set(load(tmp_path / "readings").files)
    assert {path.name for path in (tmp_path / "readings").glob("*.parquet")} == held


def test_two_hubs_take_turns(tmp_path, names):
    hubs = [ArrivingTable(tmp_path, "readings", names) for _ in range(2)]
    for number in range(1, 21):
        batch = make_batch("a", number, events("a", number))
        for hub in hubs:
            assert verdicts(hub.commit([batch])) == [("ok", number)]
    assert count_events(tmp_path / "readings") == Counter({("a", n): 1 for n in range(1, 21)})


def restore(folder, version):
    from deltalake import DeltaTable

    DeltaTable(folder.as_uri()).restore(version)


def test_a_table_that_was_rolled_back_is_refilled(table, tmp_path):
    folder = tmp_path / "readings"
    batches = [make_batch("a", n, events("a", n)) for n in (1, 2, 3)]
    for batch in batches:
        table.commit([batch])
    before = table.find_place(A)
    restore(folder, 0)
    after = table.find_place(A)
    assert (after.committed, after.incarnation != before.incarnation) == (1, True)
    assert verdicts(table.commit(batches)) == [("ok", 1), ("ok", 2), ("ok", 3)]
    assert count_events(folder) == Counter({("a", 1): 1, ("a", 2): 1, ("a", 3): 1})


def test_a_roll_back_while_the_hub_was_down_is_seen(table, tmp_path, names):
    for n in (1, 2, 3):
        table.commit([make_batch("a", n, events("a", n))])
    before = table.find_place(A)
    restore(tmp_path / "readings", 1)
    again = ArrivingTable(tmp_path, "readings", names)
    place = again.find_place(A)
    assert (place.committed, place.incarnation != before.incarnation) == (2, True)
    third = ArrivingTable(tmp_path, "readings", names)
    assert third.find_place(A) == place


def test_a_refilled_loss_is_not_declared_twice(table, tmp_path):
    table.commit([make_batch("a", 1, events("a", 1))])
    table.commit([make_loss("a", 2, 9, 17)])
    restore(tmp_path / "readings", 0)
    assert verdicts(table.commit([make_loss("a", 2, 9, 17)])) == [("ok", 9)]
    assert len(read_rows(tmp_path / "readings__gaps")) == 1


def test_a_table_made_anew_is_another_incarnation(table, tmp_path):
    import shutil

    table.commit([make_batch("a", 1, events("a", 1))])
    before = table.find_place(A)
    shutil.rmtree(tmp_path / "readings")
    assert table.find_place(A).committed == 0
    table.commit([make_batch("a", 1, events("a", 1))])
    assert table.find_place(A).incarnation not in (before.incarnation, "")


def test_an_older_copy_of_the_table_is_seen(table, tmp_path):
    import shutil

    table.commit([make_batch("a", 1, events("a", 1))])
    shutil.copytree(tmp_path / "readings", tmp_path / "backup")
    table.commit([make_batch("a", 2, events("a", 2))])
    shutil.rmtree(tmp_path / "readings")
    (tmp_path / "backup").rename(tmp_path / "readings")
    assert table.find_place(A).committed == 1
    assert verdicts(table.commit([make_batch("a", 2, events("a", 2))])) == [("ok", 2)]
    assert count_events(tmp_path / "readings") == Counter({("a", 1): 1, ("a", 2): 1})


def test_rows_that_somebody_deletes_stay_deleted(table, tmp_path):
    from deltalake import DeltaTable

    table.commit([make_batch("a", n, events("a", n)) for n in (1, 2)])
    before = table.find_place(A)
    DeltaTable((tmp_path / "readings").as_uri()).delete("n = 2")
    assert table.find_place(A) == before
    assert verdicts(table.commit([make_batch("a", 3, events("a", 3))])) == [("ok", 3)]
    assert count_events(tmp_path / "readings") == Counter({("a", 1): 1, ("a", 3): 1})


def test_a_foreign_compaction_changes_nothing(table, tmp_path):
    from deltalake import DeltaTable

    for n in (1, 2, 3):
        table.commit([make_batch("a", n, events("a", n))])
    before = table.find_place(A)
    DeltaTable((tmp_path / "readings").as_uri()).optimize.compact()
    assert table.find_place(A) == before
    assert verdicts(table.commit([make_batch("a", 4, events("a", 4))])) == [("ok", 4)]
    assert count_events(tmp_path / "readings") == Counter({("a", n): 1 for n in range(1, 5)})


def test_delta_rs_reads_what_a_hub_writes(table, tmp_path):
    from deltalake import DeltaTable

    table.commit([make_batch("a", 1, events("a", 1, 2))])
    table.commit([make_batch("a", 2, events("a", 3).append_column("x", pa.array([1.5])))])
    found = DeltaTable((tmp_path / "readings").as_uri())
    assert found.to_pyarrow_table().num_rows == 3
    assert found.transaction_version(A.application) == 2
    assert json.loads(found.history(1)[0]["segue.batches"]) != {}


def test_a_feature_that_hubs_do_not_write_is_refused(table, tmp_path):
    from deltalake import DeltaTable, TableFeatures

    table.commit([make_batch("a", 1, events("a", 1))])
    found = DeltaTable((tmp_path / "readings").as_uri())
    found.alter.add_feature(TableFeatures.ColumnMapping, allow_protocol_versions_increase=True)
    with pytest.raises(StorageError, match="features"):
        table.commit([make_batch("a", 2, events("a", 2))])


def test_a_checkpoint_holds_all_that_is_needed(table, tmp_path, names):
    from segue.stores.arriving_compact import write_checkpoint

    for n in range(1, 4):
        table.commit([make_batch("a", n, events("a", n)), make_batch("b", n, events("b", n))])
    write_checkpoint(tmp_path / "readings")
    for version in range(2):
        lake_log.commit_path(tmp_path / "readings", version).unlink()
    again = ArrivingTable(tmp_path, "readings", names)
    assert (again.find_place(A).committed, again.find_place(B).committed) == (3, 3)
    assert again.find_place(A).incarnation == table.find_place(A).incarnation
    assert verdicts(again.commit([make_batch("a", 4, events("a", 4))])) == [("ok", 4)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), nodes=st.integers(1, 3))
def test_the_table_is_what_was_generated_whatever_the_network_does(tmp_path_factory, seed, nodes):
    """Requests doubled, reordered and delayed, answers lost, hubs changed, losses declared."""
    chance = random.Random(seed)
    lake = tmp_path_factory.mktemp("lake")
    made = Names(lake)
    hubs = [ArrivingTable(lake, "readings", made) for _ in range(2)]
    sent = {f"n{i}": [] for i in range(nodes)}
    known, generated, lost, late = dict.fromkeys(sent, 0), Counter(), Counter(), []
    for number in range(chance.randint(5, 25)):
        node = chance.choice(list(sent))
        sequence = sent[node][-1].last + 1 if sent[node] else 1
        if chance.random() < 0.15:
            last = sequence + chance.randint(0, 3)
            sent[node].append(make_loss(node, sequence, last, number))
            lost[node, sequence, last] += 1
        else:
            rows = [number * 10 + each for each in range(chance.randint(0, 3))]
            sent[node].append(make_batch(node, sequence, events(node, *rows)))
            generated.update((node, row) for row in rows)
        late += [each for each in sent[node] if each.first > known[node]][: chance.randint(0, 4)]
        chance.shuffle(late)
        group, late = late[:4], late[4:]
        places = chance.choice(hubs).commit(group)
        for batch, place in zip(group, places, strict=True):
            if place.verdict is not Verdict.OK:
                assert place.verdict is Verdict.EXPECTED
            elif chance.random() < 0.7:
                known[batch.key.node] = max(known[batch.key.node], place.committed)
        late += [each for each in group if chance.random() < 0.3]
    for node, batches in sent.items():
        places = hubs[0].commit(batches)
        assert all(place.verdict is Verdict.OK for place in places)
        if batches:
            assert hubs[1].find_place(Key(node, EPOCH)).committed == batches[-1].last
    assert count_events(lake / "readings") == generated
    gaps = read_rows(lake / "readings__gaps")
    names_ = ("_node", "first_sequence", "last_sequence")
    assert Counter(tuple(row[name] for name in names_) for row in gaps) == lost
    made.close()
