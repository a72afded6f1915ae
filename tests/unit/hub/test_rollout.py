"""Decisions of rollouts, without a hub: what nodes said, and what follows."""

from dataclasses import replace

import pytest

from segue.hub.progress import NodeView, Stage
from segue.hub.rollout import decide
from segue.wire.deployment import Deployment
from segue.wire.messages import Status

CANARY = {"kind": "canary", "part": "10%", "health": "errors < 1%", "after": 600, "probation": 60}


class Fleet:
    """Nodes that do what they are told, each look."""

    def __init__(self, count=20):
        self.nodes = {f"n{i:02}": NodeView(f"n{i:02}", "shop", {"role": "shop"}, Status()) for i in
                      range(count)}  # fmt: skip
        self.deployments = []
        self.progress = {}
        self.bad = {}

    def deploy(self, rollout=None, **values):
        number = len(self.deployments) + 1
        self.deployments.append(
            Deployment(
                number, "shop", "shops", target=f"t{number}", rollout=rollout or {}, **values
            )
        )
        return number

    def look(self, seconds=30.0):
        """Decide, and let nodes that are there follow."""
        told = decide(self.deployments, self.progress, list(self.nodes.values()), seconds)
        self.progress = told.progress
        return {name: each.generation for name, each in told.desired.items()}

    def follow(self, desired, *, healthy=True):
        for name, generation in desired.items():
            node = self.nodes[name]
            if node.silent or generation <= node.status.applied:
                continue
            if generation in self.bad:
                status = replace(node.status, failed=generation, error=self.bad[generation])
            else:
                status = replace(node.status, applied=generation, healthy=healthy, errors=0)
            self.nodes[name] = replace(node, status=status)

    def run(self, looks=1, seconds=30.0):
        for _ in range(looks):
            self.follow(self.look(seconds))

    def applied(self):
        return [node.status.applied for node in self.nodes.values()]

    def say(self, name, **values):
        node = self.nodes[name]
        self.nodes[name] = replace(node, status=replace(node.status, **values))

    def silence(self, name, seconds=10_000.0):
        self.nodes[name] = replace(self.nodes[name], silent=seconds)


@pytest.fixture
def fleet():
    fleet = Fleet()
    fleet.deploy()
    fleet.run(2)
    assert set(fleet.applied()) == {1}
    return fleet


def test_a_canary_goes_first_and_the_others_follow_when_it_was_healthy_long_enough(fleet):
    fleet.deploy(CANARY)
    fleet.run(15)
    assert fleet.applied().count(2) == 2
    assert fleet.progress[2].stage == Stage.CANARY

    fleet.run(8)
    assert set(fleet.applied()) == {2}
    assert fleet.progress[2].stage == Stage.OPEN


def test_a_canary_that_fails_stops_the_rollout(fleet):
    fleet.bad[2] = "half the rows fail"
    fleet.deploy(CANARY)
    fleet.run(40)

    assert set(fleet.applied()) == {1}
    assert fleet.progress[2].stage == Stage.STOPPED
    assert "half the rows fail" in fleet.progress[2].reason
    assert set(fleet.look().values()) == {1}


def test_canaries_that_are_not_healthy_together_stop_it(fleet):
    """Each alone is below what it would go back for."""
    fleet.deploy(CANARY)
    fleet.run(3)
    for name in fleet.progress[2].told:
        fleet.say(name, batches=100, errors=2)
    fleet.run(40)

    assert fleet.progress[2].stage == Stage.STOPPED
    assert "errors < 1% does not hold: 2%" in fleet.progress[2].reason
    assert fleet.applied().count(2) == 2  # these stay: no node goes to a lower number
    assert sorted(set(fleet.look().values())) == [1, 2]


def test_a_canary_without_probation_done_holds_the_others(fleet):
    fleet.deploy(CANARY)
    for _ in range(60):
        fleet.follow(fleet.look(), healthy=False)
    assert fleet.applied().count(2) == 2


def test_time_of_a_hub_that_was_down_does_not_count(fleet):
    fleet.deploy(CANARY)
    fleet.run(3)
    fleet.run(1, seconds=86_400)
    assert fleet.applied().count(2) == 2


def test_silent_canaries_are_not_waited_for_but_one_must_speak(fleet):
    fleet.deploy(CANARY)
    fleet.run(1)
    one, other = fleet.progress[2].told
    fleet.silence(one)
    fleet.silence(other)
    fleet.run(40)
    assert fleet.progress[2].stage == Stage.CANARY

    fleet.nodes[one] = replace(fleet.nodes[one], silent=0)
    fleet.run(40)
    assert fleet.progress[2].stage == Stage.OPEN


def test_canaries_are_chosen_among_those_who_are_there(fleet):
    for name in list(fleet.nodes)[:18]:
        fleet.silence(name)
    fleet.deploy(CANARY)
    fleet.run(1)
    assert sorted(fleet.progress[2].told) == ["n18", "n19"]


def away(fleet, names):
    for name in names:
        fleet.silence(name)
    return names


def back(fleet, names):
    for name in names:
        fleet.nodes[name] = replace(fleet.nodes[name], silent=0)


PATIENT = 70
"""Looks after which a canary was away for longer than it is waited for."""


def test_a_canary_that_does_not_return_is_replaced_by_a_node_that_is_there(fleet):
    fleet.deploy(CANARY)
    fleet.run(1)
    gone = away(fleet, list(fleet.progress[2].told))
    fleet.run(PATIENT - 20)
    assert fleet.progress[2].told == gone
    assert "not seen any more after they were told; after 30 min" in fleet.progress[2].waits

    fleet.run(40)
    assert fleet.progress[2].left == gone
    assert not set(fleet.progress[2].told) & set(gone)
    assert fleet.progress[2].stage == Stage.OPEN
    assert fleet.applied().count(2) == 20  # canaries had it before they left


def test_a_replaced_canary_that_had_it_and_fails_when_it_is_back_stops_it(fleet):
    fleet.deploy(CANARY)
    fleet.run(1)
    gone = away(fleet, list(fleet.progress[2].told))
    fleet.run(62)
    assert fleet.progress[2].stage == Stage.CANARY
    back(fleet, gone)
    fleet.say(gone[0], applied=1, failed=2, error="half the rows fail")
    fleet.run(2)
    assert fleet.progress[2].stage == Stage.STOPPED


def test_what_takes_canaries_down_takes_no_more_than_as_many_again(fleet):
    fleet.deploy(CANARY)
    for _ in range(6):
        fleet.look()
        away(fleet, list(fleet.progress[2].told))
        fleet.look()
        for _ in range(PATIENT):
            fleet.look()
    told = fleet.progress[2]
    assert told.stage == Stage.CANARY
    assert sum(node.silent > 0 for node in fleet.nodes.values()) == 4
    assert "no further node is tried; segue deployments open 2 goes on" in told.waits


def test_where_no_other_node_is_there_it_waits_and_says_so(fleet):
    fleet.deploy(CANARY)
    fleet.run(1)
    gone = list(fleet.progress[2].told)
    away(fleet, list(fleet.nodes))
    fleet.run(PATIENT)
    assert fleet.progress[2].told == gone
    assert fleet.progress[2].waits == "waits for a node that it is for: none was seen lately"
    back(fleet, [next(name for name in fleet.nodes if name not in gone)])
    fleet.run(2)
    assert len(fleet.progress[2].left) == 1  # one is there for one of the two


def test_a_canary_that_comes_and_goes_is_not_replaced(fleet):
    fleet.deploy({**CANARY, "after": 10**6})
    fleet.run(1)
    told = list(fleet.progress[2].told)
    for _ in range(5):
        away(fleet, told)
        fleet.run(50)
        back(fleet, told)
        fleet.run(1)
    assert fleet.progress[2].told == told
    assert not fleet.progress[2].left


def test_a_hub_that_has_just_begun_takes_nobody_for_back_or_for_a_canary(fleet):
    fleet.deploy(CANARY)
    fleet.run(1)
    gone = away(fleet, list(fleet.progress[2].told))
    fleet.run(40)
    missed = fleet.progress[2].missed
    for name, node in fleet.nodes.items():  # for three minutes it gives all of them time to speak
        fleet.nodes[name] = replace(node, silent=0, heard=False)
    fleet.run(5)
    assert fleet.progress[2].missed == missed
    assert fleet.progress[2].told == gone
    fleet.deploy(CANARY)
    fleet.run(1)
    assert fleet.progress[3].told == []
    assert "none" in fleet.progress[3].waits or "more canaries" in fleet.progress[3].waits


def test_a_canary_that_is_there_and_does_not_take_it_is_named(fleet):
    fleet.deploy(CANARY)
    fleet.look()
    one, other = fleet.progress[2].told
    fleet.say(one, error="no room is left")
    fleet.say(other, applied=2)
    fleet.look()
    assert fleet.progress[2].waits == f"waits for {one} to run it: no room is left"


def test_rolling_through_nodes_that_go_down_waits_for_people(fleet):
    fleet.deploy({"kind": "rolling", "part": "3"})
    for _ in range(10):
        fleet.look()
        away(fleet, fleet.progress[2].told)
    assert len(fleet.progress[2].told) == 3
    assert "segue deployments open 2" in fleet.progress[2].waits
    back(fleet, fleet.progress[2].told)
    fleet.run(10)
    assert set(fleet.applied()) == {2}
    assert fleet.progress[2].waits == ""


def test_what_people_opened_is_stopped_by_nodes_only(fleet):
    fleet.bad[2] = "boom"
    fleet.deploy({**CANARY, "part": "10"})
    fleet.run(3)
    assert fleet.progress[2].stage == Stage.STOPPED
    fleet.bad = {}
    fleet.progress[2] = replace(fleet.progress[2], stage=Stage.OPEN, by_hand=True)
    fleet.run(3)
    assert fleet.applied().count(2) == 10  # the others have given it up, and don't try again


def test_first_rows_stop_no_rollout():
    """Two late rows of three say nothing yet; a node judges by all of them at its own end."""
    for rollout in ({}, {"kind": "rolling", "part": "1"}, {"kind": "canary", "part": "1"}):
        fleet = Fleet(3)
        fleet.deploy(rollout)
        fleet.follow(fleet.look(), healthy=False)
        fleet.say("n00", rows={"a": 1}, rejects={"a": 2}, batches=3, errors=2)
        fleet.say("n01", rows={"a": 1}, rejects={"a": 2}, batches=3, errors=2)
        fleet.say("n02", rows={"a": 1}, rejects={"a": 2}, batches=3, errors=2)
        fleet.run(3, seconds=20)
        assert fleet.progress[1].stage != Stage.STOPPED, rollout


def test_rolling_goes_a_few_at_a_time(fleet):
    fleet.deploy({"kind": "rolling", "part": "3"})
    seen = []
    for _ in range(10):
        fleet.run(1)
        seen.append(fleet.applied().count(2))
    assert seen == [3, 6, 9, 12, 15, 18, 20, 20, 20, 20]


def test_rolling_stops_at_the_first_failure(fleet):
    fleet.deploy({"kind": "rolling", "part": "25%"})
    fleet.run(2)
    fleet.bad[2] = "boom"
    fleet.run(10)
    assert fleet.applied().count(2) == 10
    assert fleet.progress[2].stage == Stage.STOPPED


def test_rolling_is_not_held_up_by_silent_nodes_and_they_get_it_when_they_are_back(fleet):
    for name in list(fleet.nodes)[:10]:
        fleet.silence(name)
    fleet.deploy({"kind": "rolling", "part": "2"})
    fleet.run(20)
    assert fleet.applied().count(2) == 10

    for name in list(fleet.nodes)[:10]:
        fleet.nodes[name] = replace(fleet.nodes[name], silent=0)
    fleet.run(20)
    assert set(fleet.applied()) == {2}


def test_an_immediate_one_is_not_stopped_by_one_odd_node(fleet):
    fleet.deploy()
    fleet.say("n03", failed=2, error="lacks pandas")
    fleet.run(2)
    assert fleet.applied().count(2) == 19
    assert fleet.look()["n03"] == 1


def test_an_immediate_one_that_most_refuse_is_stopped(fleet):
    fleet.bad[2] = "syntax"
    fleet.deploy()
    fleet.silence("n03")
    fleet.run(2)
    assert fleet.progress[2].stage == Stage.STOPPED
    assert fleet.look()["n03"] == 1


def test_a_node_that_was_away_jumps_to_the_newest(fleet):
    fleet.silence("n03")
    for _ in range(3):
        fleet.deploy()
        fleet.run(2)
    fleet.nodes["n03"] = replace(fleet.nodes["n03"], silent=0)
    assert fleet.look()["n03"] == 4


def test_going_back_reaches_all(fleet):
    fleet.bad[2] = "boom"
    fleet.deploy(CANARY)
    fleet.run(10)
    fleet.deploy(again=1)
    fleet.run(2)
    assert set(fleet.applied()) == {3}


def test_each_selector_has_its_own(fleet):
    fleet.nodes["van"] = NodeView("van", "shop", {"role": "van"}, Status())
    fleet.nodes["other"] = NodeView("other", "farm", {"role": "shop"}, Status())
    fleet.nodes["elsewhere"] = NodeView("elsewhere", "shop", {"fleet": "vans"}, Status())
    fleet.deploy(selector="role=van")
    desired = fleet.look()
    assert (desired["van"], desired["n01"]) == (2, 1)
    assert "other" not in desired
    assert "elsewhere" not in desired


def test_a_newer_one_freezes_a_canary_under_way(fleet):
    fleet.deploy(CANARY)
    fleet.run(3)
    fleet.deploy(CANARY)
    for _ in range(10):
        fleet.follow(fleet.look(1.0))
    assert fleet.progress[2].stage == Stage.CANARY
    assert set(fleet.applied()) == {1, 2, 3} or set(fleet.applied()) == {1, 3}
    fleet.run(30)
    assert set(fleet.applied()) == {3}


def test_a_rollout_that_a_hub_does_not_know_reaches_nobody(fleet):
    fleet.deploy({"kind": "by moonlight"})
    assert set(fleet.look().values()) == {1}
    assert "moonlight" in fleet.progress[2].reason


def test_without_nodes_nothing_happens():
    fleet = Fleet(0)
    fleet.deploy(CANARY)
    assert fleet.look() == {}
    assert fleet.progress[1].stage == Stage.CANARY


def test_a_deployment_that_most_have_proven_is_there_for_a_node_that_comes_later():
    """Two late rows after a restart are no reason to give new nodes nothing at all."""
    fleet = Fleet(1)
    fleet.deploy()
    fleet.run(2)
    fleet.say("n00", rows={"a": 5}, rejects={"a": 2})
    fleet.nodes["n01"] = NodeView("n01", "shop", {"role": "shop"}, Status())
    fleet.run(2)
    assert fleet.applied() == [1, 1]
    assert fleet.progress[1].stage == Stage.OPEN


def test_a_deployment_on_trial_at_all_nodes_stops_when_they_are_not_healthy_together():
    fleet = Fleet(3)
    fleet.deploy()
    fleet.follow(fleet.look(), healthy=False)
    for name in fleet.nodes:
        fleet.say(name, rows={"a": 50}, rejects={"a": 20})
    fleet.look()
    assert fleet.progress[1].stage == Stage.STOPPED
