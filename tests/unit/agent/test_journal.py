"""What an agent says while it runs: each change once."""

from segue.agent.journal import Journal
from segue.agent.status import LinkState, Local
from segue.wire.messages import Status


def look(linked=False, broken="", hint="", **status):
    link = LinkState(linked, broken, hint=hint)
    return Local("n1", "https://hub", Status(**status), link, 1, 2, 0.0)


def listen(*looks):
    said = []
    journal = Journal(said.append)
    for each in looks:
        journal.note(each)
        journal.note(each)
    return said


def test_a_beginning_is_told_with_the_hub():
    assert listen(look()) == [
        "node n1 runs; its hub is https://hub",
        "nothing is deployed to it yet",
    ]


def test_a_hub_that_goes_and_comes_is_told_once_each():
    gone = "Connection refused"
    told = listen(look(linked=True), look(broken=gone), look(broken="timed out"), look(linked=True))
    assert told[1:] == [
        "the hub answers",
        "nothing is deployed to it yet",
        f"the hub does not answer; what is collected waits: {gone}",
        "the hub answers",
    ]


def test_deployments_are_followed_to_their_end():
    told = listen(
        look(applied=1),
        look(applied=1, healthy=True),
        look(applied=2),
        look(applied=2, error="step 'a': boom"),
        look(applied=1, failed=2, error="step 'a': boom", healthy=True),
    )
    assert told[1:] == [
        "deployment 1 runs",
        "deployment 1 is healthy",
        "deployment 2 runs",
        "error: step 'a': boom",
        "deployment 2 was given up",
        "deployment 1 runs",
    ]


def test_a_hub_that_refuses_is_no_hub_that_is_gone():
    told = listen(look(linked=True), look(linked=True, broken="no node has this key"))
    assert told[-1] == "the hub refuses: no node has this key"


def test_a_first_deployment_that_was_given_up_leaves_nothing():
    told = listen(look(applied=1), look(failed=1, error="step 'a': boom"))
    assert told[-1] == "error: step 'a': boom"
    assert told[2:4] == ["deployment 1 was given up", "nothing runs: wait for the next deployment"]


def test_each_alert_is_told_once():
    told = listen(look(alerts=["a"]), look(alerts=["a", "b"]), look(alerts=["b"]))
    assert told[2:] == ["alert: a", "alert: b"]


def test_a_hub_that_refuses_is_told_with_the_way_out():
    told = listen(look(linked=True), look(linked=True, broken="no key", hint="enrol again"))
    assert told[-1] == "the hub refuses: no key; enrol again"
