"""What the hub wants is applied, and the hub is told at once what matters."""

import random

import pytest

from segue.agent.backoff import Backoff
from segue.agent.link import Poller, Teller
from segue.errors import DeploymentError
from segue.wire.client import Access, HubClient
from segue.wire.keys import NodeKey
from segue.wire.messages import DesiredState, Status
from segue.wire.transport import Address
from tests.fleet.link.little_hub import LittleHub, serve

KEY = NodeKey.from_seed(bytes(32))


@pytest.fixture
def hub():
    made = LittleHub()
    made.keys[KEY.id] = ("till-7", KEY.public)
    return made


@pytest.fixture
def client(hub):
    with serve(hub) as url, HubClient(Access(Address.parse(url), key=KEY)) as made:
        yield made


def test_the_newest_state_is_applied_and_asked_about_by_its_revision(hub, client):
    applied = []
    poller = Poller(client, applied.append, poll=0.05)
    hub.desire(DesiredState("r1", generation=1))
    poller.round()
    hub.desire(DesiredState("r3", generation=3))
    poller.round()
    poller.round()
    assert [each.generation for each in applied] == [1, 3, 3]
    assert poller.linked
    assert poller.error == ""


def test_what_could_not_be_applied_is_tried_again_later(hub, client):
    tries = []

    def apply(desired):
        tries.append(desired.generation)
        if len(tries) < 3:
            raise DeploymentError("nobody has signed it")

    poller = Poller(client, apply, poll=0.05, backoff=Backoff(draw=random.Random(1)))
    hub.desire(DesiredState("r1", generation=1))
    waits = [poller.round() for _ in range(2)]
    assert poller.error == "nobody has signed it"
    assert all(wait > 0 for wait in waits)
    poller.round()
    assert (poller.error, tries) == ("", [1, 1, 1])


def test_a_hub_that_keeps_no_question_is_not_asked_without_a_pause(hub, client):
    poller = Poller(client, lambda _: None, poll=0.0)
    hub.desire(DesiredState("r1"))
    assert poller.round() > 0.3
    assert poller.round() > 0.3


def test_a_hub_that_is_away_is_asked_less_and_less_often():
    client = HubClient(Access(Address.parse("http://127.0.0.1:9"), key=KEY))
    poller = Poller(client, lambda _: None, backoff=Backoff(draw=random.Random(1)))
    waits = [poller.round() for _ in range(30)]
    assert max(waits[-10:]) > 10
    assert not poller.linked


def test_changes_that_matter_are_told_at_once_and_the_rest_at_an_interval(hub, client):
    now, status = [100.0], [Status(applied=1)]
    teller = Teller(client, lambda: status[0], steady=lambda: now[0], interval=60)
    teller.round()
    status[0] = Status(applied=1, unsent=5, cpu=9.0)
    teller.round()
    assert [told for _, told in hub.statuses] == [Status(applied=1)]
    now[0] += 100
    teller.round()
    assert hub.statuses[-1][1].unsent == 5
    for changed in (Status(applied=2), Status(failed=2, error="x"), Status(alerts=["full"])):
        status[0] = changed
        teller.round()
        assert hub.statuses[-1][1] == changed


def test_a_status_that_could_not_be_told_is_told_again(hub, client):
    teller = Teller(client, lambda: Status(applied=1))
    hub.faults.busy = 2
    assert teller.round() >= 2
    hub.faults.busy = 0
    teller.round()
    assert len(hub.statuses) == 1
