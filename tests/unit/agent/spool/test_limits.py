"""Caps: gaps that merge, caps that are lowered, laggards, and what is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from segue.agent.spool import Entry, Spool
from segue.errors import SpoolFullError
from segue.spec.edge import SpoolSettings, WhenFull

MEGA = 10**6


def append(spool, begin, count, size=20_000, stream="a"):
    for number in range(begin, begin + count):
        payload = f"{number}:".encode().ljust(size, b".")
        spool.commit([Entry(stream, number, payload)], {"source": {"at": number}}, {})


def read_all(spool, reader="lake", stream="a"):
    found = []
    for each in spool.streams(reader):
        if each.stream == stream:
            at = each.acknowledged
            while records := spool.read(reader, stream, each.epoch, at, MEGA):
                found += [record.header for record in records]
                at = found[-1].last
                spool.acknowledge(reader, stream, each.epoch, at)
    return found


@pytest.mark.parametrize("when_full", [WhenFull.DROP_OLDEST, WhenFull.DROP_NEWEST])
def test_a_long_outage_leaves_few_gaps(when_full, tmp_path):
    settings = SpoolSettings(cap=2 * MEGA, when_full=when_full)
    with Spool(tmp_path / "spool.db", settings) as spool:
        append(spool, 1, 500)
        assert spool.usage().bytes <= settings.cap
        assert spool.cursor("source") == {"at": 500}
        headers = read_all(spool)
        gaps = [header for header in headers if header.kind == "gap"]
        assert len(gaps) <= 3
        assert sum(header.rows for header in headers) == sum(range(1, 501))
        assert spool.usage().lost_rows == sum(gap.rows for gap in gaps)
        assert (gaps[0].first == 1) == (when_full is WhenFull.DROP_OLDEST)


def test_spools_that_are_opened_again_keep_no_files_open(tmp_path):
    """Each opening left the index of the one before: 1,024 of them, and MQTT waited for ever."""

    def count_removed():
        held = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.exists()]
        return sum(each.is_relative_to(tmp_path) for each in held)

    for number in range(1, 40):
        with Spool(tmp_path / "spool.db", SpoolSettings(8 * MEGA, WhenFull.BLOCK)) as spool:
            append(spool, number, 1)
    assert count_removed() <= 1


def test_what_is_under_way_is_told_apart(tmp_path):
    settings = SpoolSettings(cap=2 * MEGA, when_full=WhenFull.DROP_OLDEST)
    with Spool(tmp_path / "spool.db", settings) as spool:
        append(spool, 1, 10)
        sent = spool.read("lake", "a", spool.epoch, 0, 90_000)
        assert [record.header.last for record in sent] == [1, 2, 3, 4]
        append(spool, 11, 200)
        # The hub has three of the four that were on their way, and says so only now.
        spool.acknowledge("lake", "a", spool.epoch, 3)
        headers = read_all(spool)
        assert headers[0].first == 4
        assert sum(header.rows for header in headers) == sum(range(4, 211))


def append_once(spool, size, count):
    entries = [Entry("readings", 1, bytes(size))] * count
    spool.commit(entries, {"source": {"at": 1}}, {"window": bytes(min(size, 100))})


def test_a_cap_holds_where_everything_is_dropped_at_once(tmp_path):
    """What is freed is not written once more, however SQLite was built."""
    settings = SpoolSettings(cap=500_000, when_full=WhenFull.DROP_OLDEST, keep=0)
    with Spool(tmp_path / "spool.db", settings, 1024) as spool:
        spool.assign({"readings": ["lake", "archive"]})
        for size, count in [(10, 10), (9_000, 4), (10, 10), (60_000, 1), (10, 4), (9_000, 3)]:
            append_once(spool, size, count)
        append_once(spool, 60_000, 2)
        assert spool.usage().bytes <= settings.cap


def test_a_lowered_cap_is_reached_by_draining(tmp_path):
    settings = SpoolSettings(cap=8 * MEGA, when_full=WhenFull.BLOCK, keep=0)
    with Spool(tmp_path / "spool.db", settings) as spool, pytest.raises(SpoolFullError):
        append(spool, 1, 1000)
    lower = replace(settings, cap=2 * MEGA)
    with Spool(tmp_path / "spool.db", lower) as spool:
        read_all(spool)
        for _ in range(10):
            spool.acknowledge("lake", "a", spool.epoch, 1)
        append(spool, 1001, 5)
        assert spool.usage().bytes <= lower.cap


def test_a_laggard_loses_its_own_place_only(tmp_path):
    settings = SpoolSettings(cap=2 * MEGA, when_full=WhenFull.BLOCK, keep=0)
    with Spool(tmp_path / "spool.db", settings) as spool:
        spool.assign({"a": ["lake", "archive"]})
        arrived = []
        for begin in range(1, 400, 10):
            append(spool, begin, 10)
            arrived += read_all(spool)
        assert [(header.kind, header.first) for header in arrived] == [
            ("rows", number) for number in range(1, 401)
        ]
        late = read_all(spool, "archive")
        assert late[0].kind == "gap"
        assert late[0].reason == "spool full: too far behind"
        assert sum(header.rows for header in late) == sum(range(1, 401))
        assert spool.usage().lost_rows == 0


def test_a_restored_hub_is_refilled_and_the_rest_declared(tmp_path):
    settings = SpoolSettings(cap=20 * MEGA, when_full=WhenFull.BLOCK, keep=200_000)
    with Spool(tmp_path / "spool.db", settings) as spool:
        append(spool, 1, 50)
        read_all(spool)
        assert 180_000 <= spool.usage().kept_bytes <= 200_000
        spool.rewind("lake", "a", spool.epoch, 30)
        headers = read_all(spool)
        assert (headers[0].kind, headers[0].reason) == ("gap", "beyond retention")
        assert (headers[0].first, headers[0].last) == (31, 40)
        assert headers[0].rows == sum(range(31, 41))
        assert [header.first for header in headers[1:]] == list(range(41, 51))


def test_a_record_larger_than_the_spool(tmp_path):
    huge = Entry("a", 7, b"." * 3 * MEGA)
    settings = SpoolSettings(cap=2 * MEGA, when_full=WhenFull.DROP_OLDEST)
    with Spool(tmp_path / "spool.db", settings) as spool:
        append(spool, 1, 5)
        spool.commit([huge], {}, {})
        kinds = [(header.kind, header.rows) for header in read_all(spool)]
        assert kinds == [("rows", number) for number in range(1, 6)] + [("gap", 7)]
    with Spool(tmp_path / "other.db", replace(settings, when_full=WhenFull.BLOCK)) as spool:
        with pytest.raises(SpoolFullError) as caught:
            spool.commit([huge], {}, {})
        assert caught.value.retryable
        append(spool, 1, 1)


def test_a_spool_can_be_closed_twice(tmp_path):
    settings = SpoolSettings(cap=10_000_000, when_full=WhenFull.BLOCK)
    spool = Spool(tmp_path / "spool.db", settings)
    spool.close()
    spool.close()
