"""kill -9 at every failpoint, at random moments, and during recovery."""

import os
import random
import time

import pytest

from segue.failpoints import POINTS
from segue.testing.faults import run_segue, running, start_command
from tests.process.generations import assert_settled, expect

LATE = ("execute.before", "stage.written", "publish.commit.before", "publish.commit.after")
"""Points that every step or table passes."""
RUN = POINTS[: POINTS.index("record.written") + 1]
"""Points that a run passes; those after them are a fleet's."""
PLACES = [point for point in RUN if not point.startswith("recover.")]
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


SEED = int(os.environ.get("SEGUE_FAULTS_SEED", "2026"))
ROUNDS = 20


@pytest.mark.parametrize("seed", [SEED])
def test_random_kills(site, seed):
    draw = random.Random(seed)
    began = time.monotonic()
    assert site.run(2).code == 0
    longest = time.monotonic() - began
    survived = 0
    with site.watched() as reader:
        for generation in range(3, 3 + ROUNDS):
            victim = site.start(generation)
            time.sleep(draw.uniform(0, longest))  # the moment is the fault
            survived += not victim.kill().killed
            assert site.ask("recover").code == 0
            seen = reader.look_again()
            assert seen in (expect(site.published), expect([*site.published, generation]))
            site.published = seen["generations"]
    assert site.run(100).code == 0
    assert_settled(site)
    assert survived < ROUNDS


RECOVERY = [point for point in POINTS if point.startswith("recover.")]
RECOVERY += [f"{point}@5" for point in RECOVERY if "commit" in point]
RECOVERY += ["record.written"]


@pytest.mark.parametrize("place", RECOVERY)
def test_recovery_killed_anywhere_is_recovered(site, place):
    with site.watched() as reader:
        assert site.run(2, "publish.commit.after=kill@2").killed
        for _ in range(2):
            ended = run_segue("recover", "--project", site.folder, failpoints=kill_at(place))
            # The second one may find less to do than the point needs.
            assert ended.killed or ended.code == 0
            assert reader.look_again() in (expect([1]), expect([1, 2]))
        assert site.ask("recover").code == 0
        site.published.append(2)
        assert reader.look_again() == expect([1, 2])
    assert list(site.runs().values()) == ["done", "done"]
    assert_settled(site)


@pytest.mark.parametrize("end", ["kill", "go_on"])
@pytest.mark.parametrize("place", RECOVERY)
def test_one_recovers_while_another_is_under_way(site, place, end):
    assert site.run(2, "publish.intent.after=kill").killed
    stop = kill_at(place).replace("kill", "stop")
    slow = start_command("recover", "--project", site.folder, failpoints=stop)
    with running(slow), site.watched() as reader:
        slow.wait_stopped()
        assert site.ask("recover").code == 0
        assert reader.look_again() == expect([1, 2])
        # What the slow one does now was done already.
        getattr(slow, end)()
        slow.wait()
    site.published.append(2)
    assert_settled(site)
    assert site.run(3).code == 0
    assert_settled(site)


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("read", "seed"),
        ("query", "select * from seed"),
        ("tables",),
        ("runs",),
        ("show", "last"),
        ("check",),
        ("vacuum",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(("place", "status"), [("intent.before", "lost"), ("intent.after", "done")])
def test_any_command_recovers(site, command, place, status):
    assert site.run(2, f"publish.{place}=kill").killed
    ended = site.ask(*command)
    assert ended.code == 0, ended
    assert "running" not in ended.out
    assert "publishing" not in ended.out
    assert list(site.runs().values()) == ["done", status]
    if status == "done":
        site.published.append(2)
    assert_settled(site)


def test_a_run_killed_before_its_record_gets_one(site):
    assert site.run(2, "execute.before=kill").killed
    run = list(site.runs())[-1]
    (site.lake / "_runs" / f"{run}.json").unlink()
    assert site.ask("recover").code == 0
    ended = site.ask("show", run)
    assert ended.code == 0, ended
    assert "lost" in ended.out
    assert_settled(site)
