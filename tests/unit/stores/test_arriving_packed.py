"""Batches that came packed are known again one by one."""

from dataclasses import replace

import pyarrow as pa
import pytest

from segue.stores.arriving_names import Names
from segue.stores.arriving_table import ArrivingTable
from tests.arriving import events, make_batch, make_file


@pytest.fixture
def names(tmp_path):
    found = Names(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_packed_is_known_when_it_comes_alone(tmp_path, names, restarted):
    table = ArrivingTable(tmp_path, "readings", names)
    single = [make_batch("a", n, events("a", n)) for n in (1, 2, 3)]
    whole = pa.concat_tables([events("a", n) for n in (1, 2, 3)])
    packed = make_file("a", 1, 3, whole, sequences=[1, 2, 3])
    packed = replace(packed, digests=tuple(each.digest[:16] for each in single))
    [place] = table.commit([packed])
    assert (place.committed, place.verdict, place.fresh) == (3, "ok", True)
    if restarted:
        table = ArrivingTable(tmp_path, "readings", names)
    places = table.commit([single[1], single[2], make_batch("a", 2, events("a", 99))])
    assert [each.verdict for each in places] == ["ok", "ok", "fenced"]
    assert table.commit([packed])[0].verdict == "ok"
