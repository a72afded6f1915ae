"""Hubs that share a lake, lose a part of it, or have no room in it; with real agents."""

import json
import shutil
from pathlib import Path

import pytest

from segue.agent.enrol import enrol
from segue.testing.faults import can_mount, fill_disk, mount_disk
from segue.testing.processes import wait_until
from segue.wire.token import Token
from tests.fleet.faults.agents import (
    SECONDS,
    agent,
    join,
    make_slot,
    numbers,
    once,
    rows_of,
    run_once,
    spool,
    write_numbers,
)
from tests.fleet.hub.hubs import HubProcess

pytestmark = pytest.mark.timeout(300)  # hubs and workers load much when they start


@pytest.mark.parametrize("keep", [2**26, 1])
def test_agents_refill_a_hub_that_was_restored(hub, home, lines, tmp_path, keep):
    slot = make_slot(tmp_path / "1", lines, spool(keep=keep))
    write_numbers(lines, 0, 200)
    run_once(home, slot)
    hub.stop()
    shutil.copytree(hub.lake, tmp_path / "backup")
    hub.start("--tls")
    write_numbers(lines, 200, 400)
    run_once(home, slot)
    hub.kill()
    shutil.rmtree(hub.lake)
    (tmp_path / "backup").rename(hub.lake)
    hub.start("--tls")
    write_numbers(lines, 400, 500)
    run_once(home, slot)
    found, lost = numbers(hub), sum(row["rows"] for row in rows_of(hub, "readings__gaps"))
    assert sorted({*found}) == found
    assert len(found) + lost == 500
    assert {*range(200), *range(400, 500)} <= set(found)
    assert (lost > 0) == (keep == 1)


def test_two_hubs_serve_agents_on_one_lake(hub, home, tmp_path):
    second = HubProcess(hub.folder)
    second.start("--tls")
    try:
        homes = [home, join(second, tmp_path / "other", "till-8")]
        files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
        slots = [make_slot(tmp_path / path.stem, path) for path in files]
        for k, path in enumerate(files):
            write_numbers(path, k * 1000, k * 1000 + 300)
        with agent(homes[0], slots[0]), agent(homes[1], slots[1]):
            wait_until(lambda: len(numbers(hub)) >= 200, "rows by both hubs", SECONDS)
            for k, path in enumerate(files):
                write_numbers(path, k * 1000 + 300, k * 1000 + 400)
            wait_until(lambda: len(numbers(hub)) >= 800, "all rows", SECONDS)
        # each node goes to the other hub, which knows all that the first one took
        for each, port in zip(homes, (second.port, hub.port), strict=True):
            identity = each / "identity.json"
            before = hub.port if port == second.port else second.port
            identity.write_text(identity.read_text().replace(f":{before}", f":{port}"))
        for k, path in enumerate(files):
            write_numbers(path, k * 1000 + 400, k * 1000 + 450)
            run_once(homes[k], slots[k])
    finally:
        second.stop()
    once(hub, [*range(450), *range(1000, 1450)])


@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted")
@pytest.mark.parametrize("leave", [0, 100_000])
def test_a_hub_without_room_takes_nothing_and_goes_on(tmp_path, lines, leave):
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "lake").mkdir()
    hub = HubProcess(folder)
    with mount_disk(Path(hub.lake), 16 * 2**20):
        hub.start("--tls")
        try:
            home = join(hub, tmp_path / "home")
            slot = make_slot(tmp_path / "1", lines)
            write_numbers(lines, 0, 100)
            with agent(home, slot):
                wait_until(lambda: len(numbers(hub)) == 100, "the first rows", SECONDS)
                with fill_disk(Path(hub.lake), leave):
                    end = write_until_refused(hub, home, lines, 100)
                    assert hub.process.runs
                    # what is acknowledged is there, once and in order
                    found = numbers(hub)
                    assert found == list(range(len(found)))
                wait_until(lambda: len(numbers(hub)) >= end, "all rows", SECONDS)
        finally:
            hub.stop()
        assert numbers(hub) == list(range(end))


@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted")
def test_a_hub_that_begins_without_room_lets_nodes_wait(tmp_path, lines):
    """A machine that is started anew with its disk full: its hub must be there to say so."""
    (tmp_path / "hub" / "lake").mkdir(parents=True)
    hub = HubProcess(tmp_path / "hub")
    with mount_disk(Path(hub.lake), 16 * 2**20):
        hub.start("--tls")
        try:
            home = join(hub, tmp_path / "home")
            slot = make_slot(tmp_path / "1", lines)
            write_numbers(lines, 0, 100)
            with agent(home, slot):
                wait_until(lambda: len(numbers(hub)) == 100, "the first rows", SECONDS)
                hub.kill()
                with fill_disk(Path(hub.lake)):
                    hub.start("--tls")
                    assert "no room is left" in hub.log.read_text()
                    write_numbers(lines, 100, 200)
                    wait_until(lambda: refused(home), "a refusal", SECONDS)
                wait_until(lambda: len(numbers(hub)) == 200, "all rows", SECONDS)
        finally:
            hub.stop()


def test_nodes_of_a_hub_that_lost_its_database_are_told_to_enrol_again(hub, home, lines, tmp_path):
    slot = make_slot(tmp_path / "1", lines)
    write_numbers(lines, 0, 100)
    with agent(home, slot):
        wait_until(lambda: len(numbers(hub)) == 100, "the first rows", SECONDS)
        hub.kill()
        for path in Path(hub.lake).glob("hub.db*"):
            path.unlink()
        hub.start("--tls")
        write_numbers(lines, 100, 200)
        way = "segue agent enrol TOKEN --force"
        wait_until(lambda: way in link_hint(home), "the way out", SECONDS)
        wait_until(lambda: way in (home / "agent.log").read_text(), "a line of it", SECONDS)
        enrol(Token.parse(hub.token("till-7")), home, force=True)
    run_once(home, slot)
    once(hub, range(200))


def link_hint(home):
    """Return what the agent says can be done about its hub."""
    return json.loads((home / "status.json").read_text())["link_hint"]


def write_until_refused(hub, home, lines, end):
    """Write rows until the hub takes no more: small parcels may find room yet."""
    while not refused(home):
        write_numbers(lines, end, end := end + 5000)
        wait_until(lambda: refused(home) or len(numbers(hub)) >= end, "a refusal", SECONDS)
    return end


def refused(home):
    """Return whether the agent was told that something is wrong, and is waiting."""
    return bool(json.loads((home / "status.json").read_text())["link_error"])
