from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from segue.errors import ConflictError, ForeignCommitError, OutputError
from segue.publish.intent import declare_intent, find_unchanged, is_unchanged
from segue.publish.stage import remove_staged
from segue.spec.run import StepOutcome, StepStatus
from segue.spec.types import parse_schema
from tests.publications import ARROW, append, outcome, stage


def test_rejects_are_published_with_their_table(site):
    rejects = stage(site.lake, "a__rejects", [(2, "y")])
    site.publish(outcome(site.stage("a", [(1, "x")]), rejects=rejects))
    assert site.rows("a__rejects") == [(2, "y")]
    assert list(site.ledger.memories()) == ["a"]


def test_failures_are_not_published(site):
    lease = site.begin()
    staged = site.stage("a", [(1, "x")])
    told = [
        outcome(staged, status=StepStatus.REJECTED),
        StepOutcome("b", StepStatus.FAILED),
        StepOutcome("c", StepStatus.SKIPPED),
    ]
    intent = site.intend(lease, *told)
    assert (intent.publications, intent.outcomes) == ((), ())


def test_equal_rows_make_no_new_version(site):
    site.publish_rows(a=[(1, "x"), (2, "y")], b=[(1, "x")])
    same, other = site.stage("a", [(2, "y"), (1, "x")]), site.stage("b", [(2, "x")])
    lease = site.begin()
    told = (outcome(same, fingerprint="f2"), outcome(other))
    intent = site.intend(lease, *told)
    assert [each.table for each in intent.publications] == ["b"]
    assert intent.publications[0].run_tables == 1
    assert find_unchanged(intent) == (same,)
    assert remove_staged(site.lake, same) > 0
    assert remove_staged(site.lake, same) == 0
    site.publish(*told)
    assert site.version("a").number == 1
    assert site.ledger.memories()["a"].fingerprint == "f2"


def test_rows_are_equal_only_if_columns_and_digests_are(site):
    site.publish_rows(a=[(1, "x")], empty=[])
    version, staged = site.version("a"), site.stage("a", [(1, "x")])
    assert is_unchanged(staged, version)
    assert not is_unchanged(staged, None)
    assert not is_unchanged(replace(staged, schema=parse_schema("id: int64, n: string")), version)
    unknown = replace(staged, adds=(replace(staged.adds[0], digest=""),))
    assert not is_unchanged(unknown, replace(version, content_hash=unknown.content_hash))
    assert is_unchanged(site.stage("empty", []), site.version("empty"))


def test_an_addition_of_nothing_makes_no_new_version(site):
    site.publish_rows(a=[(1, "x")])
    site.publish(outcome(append(site.lake, site.version("a"), []), seen_files={"raw": ("2",)}))
    assert site.version("a").number == 1
    assert site.ledger.memories()["a"].seen_files == {"raw": ("2",)}


def test_a_growing_table_can_not_change_its_columns(site):
    site.publish_rows(a=[(1, "x")])
    added = append(site.lake, site.version("a"), [(2, "y")])
    added = replace(added, schema=parse_schema("id: string, name: string"))
    with pytest.raises(OutputError, match="id: int64") as caught:
        site.intend(site.begin(), outcome(added))
    assert "--force" in caught.value.hint


def test_only_new_seen_files_go_into_the_log(site):
    site.publish(outcome(site.stage("a", [(1, "x")]), seen_files={"raw": ("1", "2")}))
    added = append(site.lake, site.version("a"), [(2, "y")])
    site.publish(outcome(added, seen_files={"raw": ("1", "2", "3")}))
    assert [dict(each["memory"].seen_files) for each in site.lake.history("a")] == [
        {"raw": ("1", "2")},
        {"raw": ("3",)},
    ]
    assert site.ledger.memories()["a"].seen_files == {"raw": ("1", "2", "3")}


def test_a_foreign_commit_is_refused_before_the_intent(site):
    site.publish_rows(a=[(1, "x")])
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(2, "y")])))
    write_deltalake(
        site.lake.folder("a"), pa.table({"id": [7], "name": ["f"]}, schema=ARROW), mode="append"
    )
    with pytest.raises(ForeignCommitError):
        declare_intent(site.ledger, site.lake, lease, intent)
    assert site.ledger.pending() == ()


def test_another_run_is_told_from_a_stranger(site):
    site.publish_rows(a=[(1, "x")])
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(2, "y")])))
    site.publish_rows(a=[(3, "z")])
    with pytest.raises(ConflictError):
        declare_intent(site.ledger, site.lake, lease, intent)


def test_a_removed_log_is_noticed(site):
    site.publish_rows(a=[(1, "x")])
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(2, "y")])))
    site.lake.folder("a").joinpath("_delta_log").rename(site.lake.folder("b") / "away")
    with pytest.raises(ForeignCommitError, match="removed"):
        declare_intent(site.ledger, site.lake, lease, intent)


def test_staged_files_that_are_gone_are_noticed(site):
    lease = site.begin()
    staged = site.stage("a", [(1, "x")])
    remove_staged(site.lake, staged)
    with pytest.raises(ConflictError, match="staged file"):
        declare_intent(site.ledger, site.lake, lease, site.intend(lease, outcome(staged)))
