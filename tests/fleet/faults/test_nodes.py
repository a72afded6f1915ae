"""Nodes that are copied, made anew, started without a hub, or away until their spool is full."""

import json
import shutil

import pytest

from segue.spec.edge import WhenFull
from segue.testing.network import Proxy
from segue.testing.processes import wait_until
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
    status,
    write_numbers,
)

pytestmark = pytest.mark.timeout(300)  # hubs and workers load much when they start
CAP = 2**20
ROWS = 30_000


def kinds(hub, node="till-7"):
    """Return the kinds of what the hub has noted of a node."""
    told = json.loads(hub.segue("node", "show", node, "--json"))
    return {each["kind"] for each in told["events"]}


def lead_through(home, hub, proxy):
    """Let a node reach its hub through a proxy."""
    path = home / "identity.json"
    path.write_text(path.read_text().replace(f":{hub.port}", f":{proxy.address[1]}"))


def test_a_cloned_node_doubles_nothing_and_is_told(hub, home, tmp_path):
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    write_numbers(files[0], 0, 200)
    slots = [make_slot(tmp_path / path.stem, path) for path in files]
    run_once(home, slots[0])
    clone = tmp_path / "clone"
    shutil.copytree(home, clone)
    # on another machine it would not find this machine's file
    files[0].unlink()
    slots[0] = make_slot(tmp_path / "2", files[0].with_name("c.jsonl"))
    files[0] = files[0].with_name("c.jsonl")
    with agent(home, slots[0]), agent(clone, slots[1]):
        for k in range(3):
            write_numbers(files[0], 200 + 100 * k, 300 + 100 * k)
            write_numbers(files[1], 1000 + 100 * k, 1100 + 100 * k)
            expected = 400 + 200 * k
            wait_until(lambda many=expected: len(numbers(hub)) >= many, "both", SECONDS)
        wait_until(lambda: "cloned" in kinds(hub), "somebody to be told", SECONDS)
    once(hub, [*range(500), *range(1000, 1300)])
    assert len({row["_epoch"] for row in rows_of(hub)}) > 1


def test_a_node_made_anew_under_its_name_begins_an_epoch(hub, home, lines, tmp_path):
    write_numbers(lines, 0, 200)
    slot = make_slot(tmp_path / "1", lines)
    run_once(home, slot)
    anew = join(hub, tmp_path / "anew")
    lines.unlink()
    write_numbers(lines, 1000, 1200)
    run_once(anew, slot)
    once(hub, [*range(200), *range(1000, 1200)])
    assert len({row["_epoch"] for row in rows_of(hub)}) == 2
    # the machine that was replaced has no key that counts any more
    write_numbers(lines, 1200, 1300)
    with agent(home, slot):
        wait_until(lambda: status(home).get("unsent"), "rows of the old one", SECONDS)
        wait_until(lambda: link_error(home), "its refusal", SECONDS)
    once(hub, [*range(200), *range(1000, 1200)])


def link_error(home):
    return json.loads((home / "status.json").read_text())["link_error"]


@pytest.mark.parametrize("policy", list(WhenFull))
def test_a_partition_until_the_spool_is_full(hub, home, lines, tmp_path, policy):
    """Rows arrive or are declared lost as the policy says; the cap is kept."""
    settings = spool(CAP, policy, rows=30, keep=2**16)
    slot = make_slot(tmp_path / "1", lines, settings)
    write_numbers(lines, 0, ROWS)
    with Proxy(("127.0.0.1", hub.port)) as proxy:
        lead_through(home, hub, proxy)
        proxy.cut()
        with agent(home, slot):
            wait_until(lambda: full(home, policy), "the spool to be full", SECONDS)
            assert status(home)["spool_bytes"] <= CAP
            proxy.mend()
            wait_until(lambda: accounted(hub) == ROWS, "all to be accounted for", SECONDS)
    found = numbers(hub)
    assert found == sorted(set(found))
    lost = ROWS - len(found)
    if policy is WhenFull.BLOCK:
        assert lost == 0
    else:
        assert lost > 0
        assert (0 in found) == (policy is WhenFull.DROP_NEWEST)
        assert (ROWS - 1 in found) or policy is WhenFull.DROP_NEWEST


def full(home, policy):
    """Return whether a spool can take no more, and has done what it does then."""
    told = status(home)
    if policy is WhenFull.BLOCK:
        return told.get("spool_bytes", 0) > CAP // 2 and "has reached" in json.dumps(told["alerts"])
    return sum(told.get("rows", {}).values()) >= ROWS


def accounted(hub):
    return len(numbers(hub)) + sum(row["rows"] for row in rows_of(hub, "readings__gaps"))
