"""What sending does with each answer of a hub, over a real spool."""

import json
import random
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.agent import sending
from segue.agent.backoff import Backoff
from segue.agent.pack import RecordPacker
from segue.agent.send import IDLE, Sender, SendLimits
from segue.agent.sending import Sending
from segue.agent.spool import Entry, Spool
from segue.agent.work.payload import write_payload
from segue.spec.edge import SpoolSettings, WhenFull
from segue.wire.client import Access, HubClient
from segue.wire.keys import NodeKey
from segue.wire.transport import Address
from tests.fleet.link.little_hub import LittleHub, serve
from tests.fleet.waiting import wait_for

KEY = NodeKey.from_seed(bytes(32))
SETTINGS = SpoolSettings(cap=10**8, when_full=WhenFull.BLOCK)


@pytest.fixture
def hub():
    made = LittleHub()
    made.keys[KEY.id] = ("till-7", KEY.public)
    return made


@pytest.fixture
def client(hub):
    with serve(hub) as url, HubClient(Access(Address.parse(url), key=KEY)) as made:
        yield made


@pytest.fixture
def spool(tmp_path):
    with Spool(tmp_path / "spool.db", SETTINGS) as made:
        yield made


def put(spool, *numbers, stream="readings"):
    for number in numbers:
        spool.commit([Entry(stream, 1, json.dumps([number]).encode())], {}, {})


def sent(hub, stream="readings"):
    lanes = hub.rows(stream).values()
    return [json.loads(payload)[0] for lane in lanes for *_, payload in lane if payload]


def make_sender(spool, client, **options):
    return Sender(spool, client, "i" * 16, backoff=Backoff(draw=random.Random(1)), **options)


def run(sender, rounds=100):
    """Send without the waits, until there is nothing more."""
    for _ in range(rounds):
        if sender.round() == IDLE:
            return
    raise AssertionError("it goes on and on")


def test_streams_take_turns_and_keep_their_order(hub, client, spool):
    for number in range(30):
        put(spool, number, stream=f"s{number % 3}")
    run(make_sender(spool, client, limits=SendLimits(request=1000)))
    assert [sent(hub, f"s{each}") for each in range(3)] == [
        list(range(each, 30, 3)) for each in range(3)
    ]
    assert {each.rows for each in spool.streams()} == {0}


def test_a_stream_that_is_refused_waits_while_others_flow(hub, client, spool):
    hub.faults.refused.add("bad")
    clock = [0.0]
    put(spool, 1, 2, stream="bad")
    put(spool, 3, 4, stream="good")
    sender = make_sender(spool, client, steady=lambda: clock[0])
    run(sender)
    assert (sent(hub, "bad"), sent(hub, "good")) == ([], [3, 4])
    assert "stream bad is refused" in sender.alerts[0]
    asked = len(hub.requests)
    run(sender)
    assert len(hub.requests) == asked
    hub.faults.refused.clear()
    clock[0] = 1000.0
    run(sender)
    assert sent(hub, "bad") == [1, 2]
    assert sender.alerts == []


def test_a_hub_that_lost_rows_gets_them_again_though_nothing_new_comes(hub, client, spool):
    put(spool, *range(5))
    sender = make_sender(spool, client)
    run(sender)
    del hub.lane("till-7", "readings", spool.epoch).records[2:]  # restored from a backup
    run(sender)
    assert len(sent(hub)) == 2
    sender.forget()
    run(sender)
    assert sent(hub) == list(range(5))
    asked = len(hub.requests)
    run(sender)
    assert len(hub.requests) == asked


def test_sending_asks_now_and_then_what_the_hub_has(hub, client, tmp_path, monkeypatch):
    monkeypatch.setattr(sending, "ASK_SECONDS", 0.4)
    made = Sending(tmp_path, client, "i" * 16)
    made.use(SETTINGS)
    with Spool(tmp_path / "spool.db", SETTINGS) as spool:
        put(spool, *range(5))
        wait_for(lambda: made.round() and len(sent(hub)) == 5)
        del hub.lane("till-7", "readings", spool.epoch).records[2:]
        wait_for(lambda: made.round() and len(sent(hub)) == 5)


def test_a_spool_that_could_not_be_opened_is_tried_again(hub, client, tmp_path):
    """It was not: nothing was sent until the agent was started again."""
    made = Sending(tmp_path, client, "i" * 16)
    (tmp_path / "spool.db").mkdir()
    made.use(SETTINGS)
    wait_for(lambda: made.round() and made.alerts)
    (tmp_path / "spool.db").rmdir()
    with Spool(tmp_path / "spool.db", SETTINGS) as spool:
        put(spool, *range(5))
        wait_for(lambda: made.round() and len(sent(hub)) == 5)
    wait_for(lambda: made.round() and not made.alerts)


def test_a_cloned_spool_loses_and_doubles_nothing(hub, client, tmp_path):
    (tmp_path / "a").mkdir()
    with Spool(tmp_path / "a" / "spool.db", SETTINGS) as origin:
        put(origin, *range(5))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    with (
        Spool(tmp_path / "a" / "spool.db", SETTINGS) as first,
        Spool(tmp_path / "b" / "spool.db", SETTINGS) as second,
    ):
        senders = [make_sender(each, client) for each in (first, second)]
        put(first, 100, 101)
        run(senders[0])
        put(second, 200, 201, 202)
        run(senders[1])
        put(first, 102)
        put(second, 203)
        for sender in (*senders, *senders):
            run(sender)
    assert sorted(sent(hub)) == [*range(5), 100, 101, 102, 200, 201, 202, 203]


@pytest.mark.parametrize("at", [3, 5])
def test_what_another_agent_has_written_is_left_to_it(hub, client, spool, at):
    """Somebody with the same identity and epoch was faster with a sequence."""
    put(spool, *range(1, at))
    run(make_sender(spool, client))
    lane = hub.lane("till-7", "readings", spool.epoch)
    lane.records.append((at, at, "other", None, b"[1000]"))
    put(spool, *range(at, 9))
    sender = make_sender(spool, client)
    run(sender)
    assert sorted(sent(hub)) == [*range(1, 9), 1000]
    assert len(hub.rows("readings")) == 2
    assert sender.alerts


def test_an_older_copy_of_a_spool_loses_nothing(hub, client, tmp_path):
    (tmp_path / "new").mkdir()
    with Spool(tmp_path / "new" / "spool.db", SETTINGS) as spool:
        put(spool, 1, 2)
        run(make_sender(spool, client))
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    with Spool(tmp_path / "new" / "spool.db", SETTINGS) as newer:
        put(newer, 3, 4)
        run(make_sender(newer, client))
    with Spool(tmp_path / "old" / "spool.db", SETTINGS) as older:
        sender = make_sender(older, client)
        put(older, 50)
        run(sender)
        put(older, 51)
        run(sender)
    assert sorted(sent(hub)) == [1, 2, 3, 4, 50, 51]


def test_an_acknowledgement_that_was_lost_doubles_nothing(hub, client, spool):
    put(spool, *range(4))
    hub.faults.lose_answers = 2
    sender = make_sender(spool, client)
    run(sender)
    assert sent(hub) == [0, 1, 2, 3]


@pytest.mark.parametrize("kept", [0, 3])
def test_a_table_that_was_set_back_is_filled_again(hub, client, spool, kept):
    put(spool, *range(6))
    sender = make_sender(spool, client)
    run(sender)
    hub.incarnation = "second"
    for lane in hub.lanes.values():
        del lane.records[kept:]
    put(spool, 6)
    run(sender)
    assert sent(hub) == list(range(7))


def test_a_loss_that_was_declared_is_sent_as_a_gap(hub, client, spool):
    put(spool, 1)
    spool.commit([Entry("readings", 7, kind="gap", reason="too long")], {}, {})
    put(spool, 2)
    run(make_sender(spool, client))
    ((*_, header, _),) = [each for each in next(iter(hub.rows("readings").values())) if not each[4]]
    assert (header.kind, header.rows, header.reason) == ("gap", 7, "too long")


def test_a_hub_that_answers_nonsense_is_asked_less_and_less_often(hub, client, spool):
    put(spool, 1)
    hub.meet = lambda *_: (200, b'{"positions": [7]}')
    sender = make_sender(spool, client)
    waits = [sender.round() for _ in range(40)]
    assert max(waits[-10:]) > 10
    assert "can't be read" in sender.error


def test_a_hub_that_never_moves_on_is_asked_less_and_less_often(hub, client, spool):
    put(spool, 1)
    hub.put = lambda *_: ("ok", 0)
    sender = make_sender(spool, client)
    waits = [sender.round() for _ in range(60)]
    assert max(waits) > 10


def put_rows(spool, start, count):
    table = pa.table({"n": pa.array(range(start, start + count), pa.int64())})
    payload = write_payload(table).to_pybytes()
    spool.commit([Entry("readings", count, payload, schema="ab" * 8, deployment=3)], {}, {})


def read_all(hub):
    """Return the rows that the hub has, with the sequence of each."""
    found = []
    for lane in hub.rows("readings").values():
        for _, _, _, header, payload in lane:
            if header.kind == "gap":
                found.append((header.last, None))
            elif header.format == "parquet":
                table = pq.read_table(pa.BufferReader(payload))
                assert set(table["_node"].to_pylist()) == {"till-7"}
                assert set(table["_epoch"].to_pylist()) == {header.epoch}
                assert set(table["_labels"].to_pylist()[0]) == {("role", "shop")}
                found += zip(table["_sequence"].to_pylist(), table["n"].to_pylist(), strict=True)
            else:
                table = pa.ipc.open_stream(payload).read_all()
                found += [(header.last, n) for n in table["n"].to_pylist()]
    return found


PACKING = {"pack": RecordPacker("till-7", {"role": "shop"}), "limits": SendLimits(pack_from=50)}


def test_a_backlog_is_packed(hub, client, spool):
    for start in range(0, 200, 10):
        put_rows(spool, start, 10)
    run(make_sender(spool, client, **PACKING))
    assert read_all(hub) == [(n // 10 + 1, n) for n in range(200)]
    assert hub.formats == ["parquet"]
    lane = next(iter(hub.rows("readings").values()))
    assert len(lane[0][3].digests) == 20


def test_what_was_packed_and_not_acknowledged_is_never_packed_otherwise(hub, client, spool):
    """The hub tells records by digest: what it may have must come as it was made."""
    for start in range(0, 200, 10):
        put_rows(spool, start, 10)
    # A request is sent again by itself once, as it was; then the agent asks where it stands.
    hub.faults.lose_answers = 2
    sender = make_sender(spool, client, **PACKING)
    while not sender.error:
        sender.round()
    for start in range(200, 300, 10):
        put_rows(spool, start, 10)
    run(sender)
    assert read_all(hub) == [(n // 10 + 1, n) for n in range(300)]
    assert hub.formats == [*["parquet"] * 2, *["ipc"] * 30]


def test_gaps_and_other_schemas_part_what_is_packed(hub, client, spool):
    for start in range(0, 60, 10):
        put_rows(spool, start, 10)
    spool.commit([Entry("readings", 5, kind="gap", reason="lost")], {}, {})
    for start in range(60, 120, 10):
        put_rows(spool, start, 10)
    run(make_sender(spool, client, **PACKING))
    assert [n for _, n in read_all(hub)] == [*range(60), None, *range(60, 120)]
    kinds = [(each[0], each[1]) for each in next(iter(hub.rows("readings").values()))]
    assert kinds[:2] == [(1, 6), (7, 7)]
    assert kinds[-1][1] == 13
