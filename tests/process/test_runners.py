"""Several runners on the same tables."""

import json
import os
from itertools import pairwise

import segue
from segue.errors import ConflictError
from segue.testing.faults import running, start_call
from tests.process.generations import ROWS, assert_settled, expect

RUNNERS = 4
RUNS = int(os.environ.get("SEGUE_FAULTS_RUNS", "6"))
"""Runs of each; 20 take half a minute."""
MOST_ATTEMPTS = 200


def publish_often(folder, runner, told):
    """Publish generations of this runner's own; note how often another one was first."""
    conflicts = 0
    with segue.load(folder) as project:
        for number in range(1, RUNS + 1):
            generation = runner * 1000 + number
            for _ in range(MOST_ATTEMPTS):
                try:
                    project.run(params={"seed.generation": generation})
                except ConflictError as error:
                    conflicts += error.retryable
                else:
                    break
            else:
                raise AssertionError(f"{generation} was never published")
    told.write_text(json.dumps(conflicts))


def test_runners_take_turns(site, tmp_path):
    counts = [tmp_path / f"conflicts-{runner}" for runner in range(1, RUNNERS + 1)]
    victims = [
        start_call(publish_often, site.folder, runner, told)
        for runner, told in enumerate(counts, start=1)
    ]
    with site.watched():
        for victim in victims:
            with running(victim):
                ended = victim.wait(100)
                assert ended.code == 0, ended.err
    published = {
        runner * 1000 + number for runner in range(1, RUNNERS + 1) for number in range(1, RUNS + 1)
    }
    last = site.look()["seed"]
    site.published = [1, *sorted(published - set(last)), *last]
    assert_settled(site)
    with segue.load(site.folder) as project:
        versions = project.history("log")
    assert [version.number for version in versions] == list(range(1, len(published) + 2))
    assert {after.rows - before.rows for before, after in pairwise(versions)} == {ROWS}
    failed = [status for status in site.runs().values() if status == "failed"]
    assert sum(json.loads(told.read_text()) for told in counts) >= len(failed) > 0


def test_a_loser_is_told_before_anything_of_it_is_seen(site):
    slow = site.start(2, "publish.intent.before=stop")
    with running(slow), site.watched() as reader:
        slow.wait_stopped()
        assert site.run(3).code == 0
        slow.go_on()
        ended = slow.wait()
        assert (ended.code, ended.error) == (1, "run-conflict")
        assert ended.document["error"]["retryable"]
        assert reader.look_again() == expect([1, 3])
    assert site.run(2).code == 0
    assert site.look() == expect([1, 2, 3], 2)
    assert_settled(site)


def test_a_run_whose_table_is_being_published_is_told(site):
    slow = site.start(2, "publish.commit.before=stop")
    with running(slow):
        slow.wait_stopped()
        ended = site.run(3)
        assert (ended.code, ended.error) == (1, "run-conflict")
        slow.go_on()
        assert slow.wait().code == 0
    site.published = [1, 2]
    assert site.run(3).code == 0
    assert_settled(site)
