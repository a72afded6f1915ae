"""Which deployment ``segue rollback`` goes back to, and what options of ``segue deploy`` mean."""

import pytest

from segue.cli.deploy import _read_rollout
from segue.cli.deployments import find_earlier
from segue.errors import DeploymentError, UnknownNameError, UsageError
from segue.wire.deployment import Deployment

NOTHING = dict.fromkeys(("canary", "rolling", "after", "health", "patience", "probation"))


def live(*contents, selector="*"):
    return [
        Deployment(number, "p", "f", selector, target=content)
        for number, content in enumerate(contents, 1)
    ]


def told(listed, *stopped):
    stages = [
        {
            "generation": each.generation,
            "stage": "stopped" if each.generation in stopped else "open",
        }
        for each in listed
    ]
    return {"deployments": stages}


@pytest.mark.parametrize(
    ("contents", "stopped", "expected"),
    [
        ("ab", (), 1),
        ("abb", (), 1),
        ("abab", (), 3),
        ("abc", (2,), 1),
        ("abc", (3,), 2),
    ],
)
def test_the_newest_other_content_that_was_not_stopped(contents, stopped, expected):
    listed = live(*contents)
    assert find_earlier(listed, told(listed, *stopped), None).generation == expected


def test_a_number_can_be_named():
    listed = live(*"abc")
    assert find_earlier(listed, told(listed), 1).generation == 1
    with pytest.raises(UnknownNameError, match="no deployment 9") as caught:
        find_earlier(listed, told(listed), 9)
    assert "1, 2, 3" in caught.value.hint


@pytest.mark.parametrize("contents", ["", "a", "aa"])
def test_there_may_be_nothing_before(contents):
    listed = live(*contents)
    with pytest.raises(DeploymentError, match="nothing to go back to"):
        find_earlier(listed, told(listed), None)


def test_another_selector_is_nothing_to_go_back_to():
    listed = [*live("a", selector="role=van"), Deployment(2, "p", "f", target="b")]
    with pytest.raises(DeploymentError):
        find_earlier(listed, told(listed), None)


def test_canaries_prove_themselves_before_the_others_follow():
    rollout = _read_rollout({**NOTHING, "canary": "5%", "after": "20s"})
    assert (rollout.kind, rollout.part, rollout.after, rollout.probation) == (
        "canary",
        "5%",
        20,
        20,
    )
    assert _read_rollout({**NOTHING, "canary": "5%"}).probation == 180
    assert _read_rollout({**NOTHING, "probation": "5m"}).probation == 300


@pytest.mark.parametrize(
    "options",
    [{"canary": "1", "rolling": "1"}, {"after": "1m"}, {"patience": "1m"}, {"probation": "soon"}],
)
def test_options_that_do_not_fit_are_told(options):
    with pytest.raises(UsageError):
        _read_rollout({**NOTHING, **options})
