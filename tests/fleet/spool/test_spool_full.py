"""A disk without room, under each policy: a wait or a declared gap, and it still drains."""

import pytest

from segue.agent.spool import Entry, Spool
from segue.errors import SpoolFullError
from segue.spec.edge import SpoolSettings, WhenFull
from segue.testing.faults import can_mount, fill_disk, mount_disk

pytestmark = pytest.mark.skipif(not can_mount(), reason="no disk may be mounted here")

DISK = 6 * 2**20
CAP = 100 * 2**20


def fill(spool, begin, *, most=10_000):
    """Append until it is full; return the number that did not go in, or that was the last."""
    for number in range(begin, begin + most):
        entry = Entry("readings", number, f"{number}:".encode().ljust(50_000, b"."))
        try:
            spool.commit([entry], {"source": {"at": number}}, {"window": b"%d" % number})
        except SpoolFullError:
            return number
    return begin + most


def drain(spool, arrived, gaps):
    """Take all that is there; return how many records that were."""
    taken = 0
    for each in spool.streams("lake"):
        at = each.acknowledged
        while records := spool.read("lake", each.stream, each.epoch, at, 300_000):
            for header, payload in records:
                assert header.first == at + 1
                at = header.last
                taken += 1
                if header.kind == "gap":
                    gaps.append(header)
                else:
                    arrived.append(int(payload.partition(b":")[0]))
            spool.acknowledge("lake", each.stream, each.epoch, at)
    return taken


@pytest.mark.parametrize("free", [0, 4096, 30_000, 200_000])
@pytest.mark.parametrize("when_full", list(WhenFull))
def test_a_disk_without_room(when_full, free, tmp_path):
    settings = SpoolSettings(cap=CAP, when_full=when_full, keep=200_000)
    arrived, gaps = [], []
    with mount_disk(tmp_path / "disk", DISK) as disk:
        spool = Spool(disk / "spool.db", settings)
        blocks = when_full is WhenFull.BLOCK
        # First the spool itself fills the disk, then others take the little that is left.
        reached = fill(spool, 1, most=10_000 if blocks else 200)
        with fill_disk(disk, leave=free):
            for _ in range(3):
                reached = fill(spool, reached, most=10_000 if blocks else 150)
                assert spool.usage().full or not blocks
                assert drain(spool, arrived, gaps) > 0
                before = reached
                reached = fill(spool, reached, most=3)
                assert reached > before, "what was drained makes room"
            drain(spool, arrived, gaps)
            assert spool.usage().unsent_rows == 0
            spool.close()
            spool = Spool(disk / "spool.db", settings)
            reached = fill(spool, reached, most=2)
        reached = fill(spool, reached, most=2)
        assert spool.cursor("source") == {"at": reached - 1}
        drain(spool, arrived, gaps)
        spool.close()
    assert arrived == sorted(set(arrived))
    lost = sum(gap.rows for gap in gaps)
    assert sum(arrived) + lost == sum(range(1, reached))
    assert (lost == 0) == blocks


def test_no_room_to_begin_with(tmp_path):
    settings = SpoolSettings(cap=CAP, when_full=WhenFull.BLOCK)
    with mount_disk(tmp_path / "disk", DISK) as disk:
        with fill_disk(disk), pytest.raises(Exception, match="no room is left") as caught:
            Spool(disk / "spool.db", settings)
        assert caught.value.code in ("storage-full", "storage")
        with Spool(disk / "spool.db", settings) as spool:
            assert fill(spool, 1, most=3) == 4
