from segue.publish.vacuum import vacuum
from segue.spec.run import RunStatus
from tests.publications import outcome


def names(site, table):
    return {path.name for path in site.lake.loose_files(table)}


def test_what_no_kept_snapshot_needs_is_removed(site):
    for each in range(4):
        site.publish_rows(a=[(each, "x")], b=[(each, "x")] if each == 0 else [(0, "x")])
    assert len(names(site, "a")) == 4
    planned = vacuum(site.ledger, site.lake, 2, dry_run=True)
    assert len(names(site, "a")) == 4
    done = vacuum(site.ledger, site.lake, 2)
    assert done.files == planned.files
    assert done.bytes == sum(file.bytes for file in done.files) > 0
    assert len(names(site, "a")) == 2
    assert site.rows("a") == [(3, "x")]
    # Equal results made no version, so of four files one is needed.
    assert len(names(site, "b")) == 1
    assert site.rows("b") == [(0, "x")]
    assert vacuum(site.ledger, site.lake, 2).files == ()


def test_live_runs_and_intents_keep_their_files(site):
    lease = site.begin()
    staged = site.stage("a", [(1, "x")], lease.run_id)
    declared = site.begin()
    intended = site.stage("b", [(1, "x")], declared.run_id)
    site.ledger.declare(declared, site.intend(declared, outcome(intended)))
    assert vacuum(site.ledger, site.lake, 1).files == ()
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0)
    assert [file.table for file in vacuum(site.ledger, site.lake, 1).files] == ["a"]
    assert names(site, "a").isdisjoint({staged.adds[0].path})
    assert names(site, "b") == {intended.adds[0].path}


def test_what_the_next_run_may_use_stays(site):
    lease = site.begin()
    staged = site.stage("a", [(1, "x")], lease.run_id)
    site.ledger.note(lease, [outcome(staged)])
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0)
    assert vacuum(site.ledger, site.lake, 1).files == ()


def test_a_withdrawn_commit_at_the_head_stays_readable_for_others(site):
    site.publish_rows(a=[(1, "x")])
    lease = site.begin()
    intent = site.intend(lease, outcome(site.stage("a", [(2, "y")], lease.run_id)))
    site.ledger.declare(lease, intent)
    site.ledger.withdraw(intent, {"a": site.lake.commit(intent.publications[0])}, "why")
    site.ledger.close_run(lease, RunStatus.FAILED, 1.0)
    assert vacuum(site.ledger, site.lake, 1).files == ()


def test_strange_files_are_left_alone(site):
    site.publish_rows(a=[(1, "x")])
    strange = site.lake.folder("a") / "part-00000-1234.snappy.parquet"
    strange.write_bytes(b"another writer's work in progress")
    assert vacuum(site.ledger, site.lake, 1).files == ()
    assert strange.exists()
