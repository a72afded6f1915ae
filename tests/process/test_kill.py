"""kill -9 at every failpoint, at random moments, and during recovery."""

import pytest

from segue.failpoints import POINTS
from tests.process.generations import assert_settled, expect

LATE = ("execute.before", "stage.written", "publish.commit.before", "publish.commit.after")
"""Points that every step or table passes."""
PLACES = [point for point in POINTS if not point.startswith("recover.")]
PLACES += [f"{point}@{number}" for point in LATE for number in (3, 5)]
PLACES += [f"record.written@{number}" for number in (2, 3)]


def kill_at(place):
    point, _, number = place.partition("@")
    return f"{point}=kill@{number or 1}"


def is_published(place):
    """Whether a run that dies here is finished by others, not discarded."""
    point = place.partition("@")[0]
    if point == "record.written":
        return place.endswith("@3")
    return POINTS.index(point) >= POINTS.index("publish.intent.after")


@pytest.mark.parametrize("place", PLACES)
def test_a_run_killed_anywhere_is_finished_or_gone(site, place, tmp_path):
    with site.watched() as reader:
        assert site.run(2, kill_at(place)).killed
        seen = reader.look_again()
        assert seen in (expect([1]), expect([1, 2]))
        again = site.run(2)
        assert again.code == 0, again
        reader.look_again()
    lost, *rest = list(site.runs().items())[1:]
    assert lost[1] == ("done" if is_published(place) else "lost")
    assert len(rest) == (0 if is_published(place) else 1)
    assert_settled(site)
    assert [path for path in (tmp_path / "scratch").iterdir() if "victim" not in path.name] == []
