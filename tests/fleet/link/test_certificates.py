"""A hub's certificate ends while its nodes are away: they collect, and tell it nothing."""

import pytest

from segue.agent.enrol import enrol
from segue.agent.status import read_status
from segue.testing.network import Proxy
from segue.testing.processes import running, wait_until
from segue.wire.token import Token
from tests.fleet.hub.hubs import free_port
from tests.fleet.link.conftest import Bench
from tests.fleet.link.little_hub import LittleHub, serve
from tests.fleet.link.roots import make_root, renew

pytestmark = pytest.mark.timeout(300)
ROWS = list(range(300))


def test_a_certificate_that_ended_while_a_node_was_away(tmp_path):
    root, hub, port = make_root(tmp_path / "root"), LittleHub(), free_port()
    hub.ca, hub.secrets["once"] = root.ca, "new"
    with Proxy(("127.0.0.1", port)) as proxy:
        bench, home = Bench(hub, proxy, tmp_path), tmp_path / "till-7"
        address = f"https://127.0.0.1:{proxy.address[1]}"
        with serve(hub, port=port, certificate=root.certificate):
            enrol(Token(address, "once", "till-7", "shops", ca=root.digest), home)
        enrolled = len(hub.requests)
        renew(root, days=-1)
        slot = bench.make_slot(rows=len(ROWS), batch=10)
        with running(bench.start(home, slot, patience=2.0)) as agent:
            wait_until((home / "status.json").exists, "the agent")
            with serve(hub, port=port, certificate=root.certificate):
                wait_until(lambda: "expired" in read_status(home)["link_error"], "its refusal")
                wait_until(lambda: unsent(home) == len(ROWS), "what was collected meanwhile")
                assert len(hub.requests) == enrolled
            renew(root, days=30)
            with serve(hub, port=port, certificate=root.certificate):
                assert agent.wait(200).code == 0
    assert bench.numbers() == ROWS


def unsent(home):
    return read_status(home)["status"]["unsent"]
