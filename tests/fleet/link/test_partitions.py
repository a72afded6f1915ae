"""Days without a hub, at a clock that is injected: what was first is there first."""

import json
import random

import pytest

from segue.agent.backoff import LONGEST, Backoff
from segue.agent.send import IDLE, Sender
from segue.agent.spool import Entry, Spool, clock
from segue.spec.edge import SpoolSettings, WhenFull
from segue.wire.client import Access, HubClient
from segue.wire.keys import NodeKey
from segue.wire.transport import Address
from tests.fleet.hub.hubs import free_port
from tests.fleet.link.little_hub import LittleHub, serve

pytestmark = pytest.mark.timeout(300)
KEY = NodeKey.from_seed(bytes(32))
HOUR, DAY = 3600.0, 86400.0
AWAKE = 2 * HOUR


class Moment:
    """Seconds that only a test moves on."""

    def __init__(self):
        self.now = 1000.0

    def steady(self):
        return self.now

    def uptime(self):
        return int(self.now * 1e9)


@pytest.fixture
def moment(monkeypatch):
    made = Moment()
    monkeypatch.setattr(clock, "read_uptime", made.uptime)
    monkeypatch.setattr("segue.agent.spool.file.read_uptime", made.uptime)
    return made


@pytest.mark.parametrize("policy", [WhenFull.BLOCK, WhenFull.DROP_OLDEST])
def test_after_five_days_the_first_rows_come_first(tmp_path, moment, policy):
    hub, port = LittleHub(), free_port()
    hub.keys[KEY.id] = ("till-7", KEY.public)
    access = Access(Address.parse(f"http://127.0.0.1:{port}"), key=KEY)
    settings = SpoolSettings(cap=10**8, when_full=policy, keep=10**6)
    with Spool(tmp_path / "spool.db", settings) as spool, HubClient(access) as client:
        backoff = Backoff(draw=random.Random(1))
        sender = Sender(spool, client, "i" * 16, backoff=backoff, steady=moment.steady)
        began, made, tries = moment.now, 0, 0
        while moment.now < began + 5 * DAY:
            while moment.now >= began + made * HOUR:
                payload = json.dumps([made]).encode()
                spool.commit([Entry("readings", 1, payload)], {"numbers": {"at": made}}, {})
                made += 1
            wait = sender.round()
            assert wait > 0, "a hub that is away is not asked without a pause"
            # The hours in the middle pass as on a machine that sleeps and wakes up.
            awake = not AWAKE < moment.now - began < 5 * DAY - AWAKE
            moment.now += wait if awake else HOUR
            tries += awake
        assert sender.error
        assert 2 * AWAKE / LONGEST < tries < 3 * 2 * AWAKE / LONGEST
        [standing] = spool.streams("lake")
        assert standing.rows == made == 120
        assert 5 * DAY - HOUR < standing.age < 5 * DAY + HOUR
        with serve(hub, port=port):
            back = moment.now
            while sender.round() != IDLE:
                pass
        assert moment.now == back
        [records] = hub.rows("readings").values()
        assert [json.loads(payload)[0] for *_, payload in records] == list(range(120))
        [standing] = spool.streams("lake")
        assert (standing.rows, standing.age) == (0, 0)
