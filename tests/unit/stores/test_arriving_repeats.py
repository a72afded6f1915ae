"""What is sent again after its digests are forgotten is told by its rows, whatever their types."""

import pyarrow as pa
import pytest

from segue.stores.arriving_names import Names
from segue.stores.arriving_table import ArrivingTable
from tests.arriving import events, make_batch, make_file

FLOATS, WHOLE = pa.array([1.5]), pa.array([7], pa.int64())
PAIRS = {
    "whole numbers in floats": (FLOATS, WHOLE),
    "floats in whole numbers": (WHOLE, FLOATS),
    "texts in whole numbers": (WHOLE, pa.array(["x"])),
    "narrow numbers": (WHOLE, pa.array([3], pa.int32())),
    "narrow floats": (FLOATS, pa.array([0.2], pa.float32())),
    "large numbers": tuple(pa.array([2**63 + n], pa.uint64()) for n in (5, 7)),
    "nanoseconds": tuple(pa.array([1001], pa.timestamp(unit)) for unit in ("us", "ns")),
    "nanoseconds first": tuple(pa.array([1001], pa.timestamp(unit)) for unit in ("ns", "us")),
    "seconds": tuple(pa.array([n], pa.timestamp("s")) for n in (1, 5)),
    "a time zone": tuple(pa.array([n], pa.timestamp("us", "Europe/Paris")) for n in (1, 5)),
    "time zones": tuple(pa.array([9], pa.timestamp("us", zone)) for zone in ("UTC", "Asia/Tokyo")),
    "durations": tuple(pa.array([n], pa.duration("s")) for n in (1, 5)),
    "times": tuple(pa.array([n], pa.time64("us")) for n in (1, 5)),
    "decimals": (pa.array([1], pa.decimal128(10, 2)), pa.array([5], pa.decimal128(12, 4))),
    "bytes": (pa.array([b"a"]), pa.array([b"b"])),
    "numbered texts": tuple(pa.array([text]).dictionary_encode() for text in "ab"),
    "nothing": (WHOLE, pa.array([None], pa.null())),
    "lists": tuple(pa.array([[n]], pa.list_(pa.duration("s"))) for n in (1, 5)),
}
MAKERS = {"rows": make_batch, "a file": lambda node, n, table: make_file(node, n, n, table)}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr("segue.stores.arriving_log.RECENT", 1)
    names = Names(tmp_path)
    yield ArrivingTable(tmp_path, "readings", names)
    names.close()


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_rows_of_any_type_are_known_again(table, make, pair):
    """They were taken for another agent's where they are stored in another type, and came twice."""
    first, second = (pa.table({"v": values}) for values in pair)
    batches = [make("a", n, rows) for n, rows in enumerate((first, second, first), 1)]
    for batch in batches:
        assert table.commit([batch])[0].verdict == "ok"
    for batch in batches[:2]:
        assert [(each.verdict, each.committed) for each in table.commit([batch])] == [("ok", 3)]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_columns_that_came_later_are_not_asked_for(table, make):
    early = make("a", 1, events("a", 1))
    table.commit([early])
    table.commit([make("a", 2, events("a", 2).append_column("more", pa.array([1])))])
    table.commit([make("a", 3, events("a", 3))])
    assert table.commit([early])[0].verdict == "ok"
    other = make("a", 1, events("a", 9))
    assert table.commit([other])[0].verdict == "fenced"
