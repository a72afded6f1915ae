"""A project of a team: its ledger is in PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

import segue
from segue.errors import SegueError, StorageError
from segue.spec.run import RunStatus
from tests.live_postgres import PASSWORD

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(120)]

FILES = {
    "segue.toml": """
[project]
name = "shop"
[lake]
ledger = "${LEDGER}"
[tables.raw]
path = "raw.csv"
""",
    "raw.csv": "id,amount\n1,2.5\n2,3.5\n",
    "steps/paid.sql": "select id, amount from raw where amount > 0",
    "contracts.yml": "paid:\n  columns:\n    id: {required: true}\n    amount: {sum: {min: 1}}\n",
}


@pytest.fixture
def ledger(live_postgres, monkeypatch):
    address = live_postgres.address(live_postgres.make_database())
    monkeypatch.setenv("LEDGER", address)
    return address


def test_a_project_runs_checks_and_remembers(make_project, ledger, live_postgres):
    built = make_project(FILES)
    with segue.load(built.root) as project:
        run = project.run()
        assert run.status is RunStatus.DONE
        assert project.read("paid").num_rows == 2
        assert not [each for each in project.run().outcomes if str(each.status) == "done"]
    with segue.load(built.root) as project:
        assert [str(each.verdict) for each in project.check("paid")] == ["pass"]
        assert len(project.runs()) >= 1
    assert not (built.root / "lake" / "ledger.db").exists()


def test_two_processes_of_a_team_run_side_by_side(make_project, ledger):
    roots = [make_project(FILES, f"p{number}").root for number in range(2)]

    def run(root):
        with segue.load(root) as project:
            return project.run().status

    # lakes of their own would be one in earnest: what is shared here is the ledger
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(run, root) for root in roots]
    found = [future.exception() or future.result() for future in futures]
    assert RunStatus.DONE in found
    assert all(each is RunStatus.DONE or isinstance(each, SegueError) for each in found), found


def test_a_server_that_refuses_is_named_without_its_password(make_project, ledger, monkeypatch):
    monkeypatch.setenv("LEDGER", ledger.replace("owner:", "stranger:"))
    with segue.load(make_project(FILES).root) as project, pytest.raises(StorageError) as caught:
        project.run()
    said = f"{caught.value} {caught.value.hint}"
    assert PASSWORD not in said
    assert quote(PASSWORD, safe="") not in said
    assert "stranger" in said
