"""Runs that sleep beyond their lease, and clocks that are wrong."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

import segue
from segue import registry
from segue.project.clock import SystemClock
from segue.testing.faults import ShiftedClock, running, wait_until
from tests.process.generations import assert_settled, expect, look

SHORT = '[project]\nname = "generations"\n[lake]\nlease = "500ms"\n'

BEFORE = ["execute.before", "judge.after", "publish.intent.before"]
AFTER = ["publish.intent.after", "publish.commit.before@3", "publish.commit.after"]
AFTER += ["publish.flip.before", "publish.flip.after"]


def wait_taken_for_lost(site):
    """Ask until the sleeping run is recovered, as any command does."""

    def is_over():
        assert site.ask("recover").code == 0
        return list(site.runs().values())[-1] in ("lost", "done")

    wait_until(is_over, "the lease to end")


@pytest.mark.parametrize("point", [*BEFORE, *AFTER])
def test_a_run_that_slept_beyond_its_lease_publishes_nothing_of_its_own(site, point):
    site.edit("segue.toml", SHORT)
    name, _, number = point.partition("@")
    zombie = site.start(2, f"{name}=stop@{number or 1}")
    with running(zombie), site.watched() as reader:
        zombie.wait_stopped()
        began = time.monotonic()
        wait_taken_for_lost(site)
        if point in BEFORE:
            assert time.monotonic() - began < 5
        else:
            site.published.append(2)
        assert reader.look_again() == expect(site.published)
        assert site.run(3).code == 0
        zombie.go_on()
        ended = zombie.wait()
        if point in BEFORE:
            assert (ended.code, ended.error) == (1, "lease-lost"), ended
            assert ended.document["error"]["retryable"]
        else:
            # What it had declared was done by others, and it finds it done.
            assert ended.code == 0, ended
        assert reader.look_again() == expect(site.published)
    assert list(site.runs().values()) == ["done", "lost" if point in BEFORE else "done", "done"]
    assert_settled(site)


def test_a_run_that_is_slow_and_awake_keeps_its_lease(site):
    site.edit("segue.toml", SHORT)
    site.edit("steps/slow.py", SLOW)
    slow = site.start(2)
    with running(slow):
        wait_until((site.folder / "began").exists, "the slow step")
        until = time.monotonic() + 1.5  # three leases
        while time.monotonic() < until:
            assert site.ask("recover").code == 0
        assert list(site.runs().values())[-1] == "running"
        (site.folder / "go").touch()
        assert slow.wait().code == 0
    site.published.append(2)
    assert_settled(site)


SLOW = """
import time
from pathlib import Path

from segue import step

HERE = Path(__file__).parent.parent


@step
def slow(seed: list[dict]) -> list[dict]:
    (HERE / "began").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)
    return seed
"""

SHIFTS = {
    "back 2 h": timedelta(hours=-2),
    "forward 1 y": timedelta(days=365),
    "at 1970": timedelta(days=-365 * 56),
    "an hour back, as at the end of summer": timedelta(hours=-1),
}


def set_clock(project, clock):
    """Give a project a clock, and its ledger the same."""
    ledger = registry.load(registry.LEDGERS, "sql")(
        project.ledger_url, now=clock.now, monotonic=clock.monotonic
    )
    project.workspace.ledger.close()
    project._workspace = replace(
        project.workspace,
        clock=clock,
        ledger=ledger,
        new_run_id=lambda: (
            clock.now()[:19].replace("-", "").replace("T", "-").replace(":", "")
            + f"-{time.monotonic_ns():x}"
        ),
    )


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_clock_that_jumps_changes_no_order_and_no_lease(site, shift):
    clock = ShiftedClock()
    victim = site.start(9, "publish.intent.before=stop")
    with running(victim), segue.load(site.folder) as project:
        victim.wait_stopped()
        set_clock(project, clock)
        for generation in (2, 3, 4):
            project.run(params={"seed.generation": generation})
            assert project.recover() == ()
            # Nothing looks new because of the clock.
            assert project.run(params={"seed.generation": generation}).run_id == ""
            clock.shift += SHIFTS[shift]
        assert look(project) == expect([1, 2, 3, 4])
        assert [run.number for run in project.runs()] == [5, 4, 3, 2, 1]
        assert [run.snapshot for run in project.runs()] == [4, 3, 2, None, 1]
        assert project.record()["snapshot"] == 4
        assert project.runs()[3].status == "running"
        victim.kill()
        assert [each.status for each in project.recover()] == ["lost"]
    site.published = [1, 2, 3, 4]
    assert_settled(site)


def test_runs_are_ordered_by_the_ledger_and_named_by_the_clock(site, monkeypatch):
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        generation = site.published[-1] + 1
        assert site.run(generation, TZ=zone).code == 0
    names = list(site.runs())
    seconds = [name.rpartition("-")[0] for name in names]
    assert seconds == sorted(seconds)
    assert SystemClock().now()[:10].replace("-", "") in names[-1]
    assert_settled(site)
