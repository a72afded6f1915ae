"""What a node makes of its candidate's counts."""

import pytest

from segue.agent.probation import Probation
from segue.wire.deployment import Rollout
from segue.wire.messages import Status

FEW = Status(rows={"a": 1}, rejects={"a__rejects": 2}, batches=3)


def judge(probation, status, seconds):
    """Look every five seconds; return the last verdict."""
    verdict = probation.judge(status, "", 0.0, up=True)
    for _ in range(0, seconds, 5):
        if not (verdict.error or verdict.done):
            verdict = probation.judge(status, "", 5.0, up=True)
    return verdict


def test_two_late_rows_of_three_end_no_probation_early():
    probation = Probation(Rollout(probation=180))
    assert not judge(probation, FEW, 170).error
    more = Status(rows={"a": 100}, rejects={"a__rejects": 2}, batches=100)
    assert judge(probation, more, 20).done


@pytest.mark.parametrize("bad", [FEW, Status(batches=1, errors=1)])
def test_at_the_end_what_there_is_counts_however_little(bad):
    verdict = judge(Probation(Rollout(probation=180)), bad, 200)
    assert "does not hold" in verdict.error


def test_the_last_look_judges_no_part_of_three_rows():
    """Behind thousands of good rows, a part that has just begun says nothing."""
    probation = Probation(Rollout(probation=180))
    good = Status(rows={"a": 10_000}, batches=500)
    assert not judge(probation, good, 175).error
    last = Status(rows={"a": 10_001}, rejects={"a__rejects": 2}, batches=501)
    assert judge(probation, last, 10).done


def test_a_part_of_few_batches_grows_until_it_says_something():
    """One batch in ten seconds, and all of the last two minutes fail."""
    probation = Probation(Rollout(probation=600))
    verdict = judge(probation, Status(batches=300), 300)
    for failed in range(30):
        verdict = judge(probation, Status(batches=300 + failed, errors=failed), 10)
        if verdict.error:
            break
    assert "errors < 20% does not hold" in verdict.error
    assert failed >= 10


def test_a_worker_that_began_anew_counts_anew():
    probation = Probation(Rollout(probation=180))
    judge(probation, Status(batches=1000), 60)
    verdict = judge(probation, Status(batches=50, errors=9), 40)
    assert not verdict.error
    assert "errors" in judge(probation, Status(batches=60, errors=19), 60).error
