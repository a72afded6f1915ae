"""Deployments from a person's command to agents, through a hub; all of them processes."""

import json
import shutil
import signal

import pytest

from tests.fleet.deploy.conftest import GOOD
from tests.fleet.waiting import wait_for

BAD = """-- segue: {on: shops}
select n, error(value::varchar)::double as value from readings
"""
ROWS = "select count(*) as rows, count(distinct (_node, n)) as once from clean"
pytestmark = pytest.mark.timeout(400)


def begin(plant, *nodes):
    plant.start_hub()
    plant.call("deploy", "init")
    for name in nodes:
        plant.enrol(name, role="shop")
        plant.start_node(name)


def deploy(plant, *options):
    return plant.ask("deploy", "--probation", "4s", *options)["generation"]


def wait_applied(plant, generation, *, healthy=True):
    wait_for(
        lambda: all(
            node["applied"] == generation and (node["healthy"] or not healthy)
            for node in plant.told()["nodes"]
        ),
        200,
    )


def test_a_bad_canary_goes_back_and_the_others_never_get_it(plant):
    begin(plant, "n1", "n2", "n3")
    assert deploy(plant) == 1
    plant.write(3)
    wait_applied(plant, 1)

    plant.step(BAD)
    told = plant.ask("deploy", "--dry-run")
    assert told["differences"] == {"1": ["~ step clean: code"]}
    assert [node["name"] for node in told["nodes"]] == ["n1", "n2", "n3"]
    bad = deploy(plant, "--canary", "1", "--after", "4s", "--health", "errors < 1%")

    def stopped():
        plant.trickle()
        return plant.told()["deployments"][-1]["stage"] == "stopped"

    wait_for(stopped, 120)
    wait_applied(plant, 1)
    told = plant.told()
    (failed,) = [node for node in told["nodes"] if node["failed"] == bad]
    assert "errors < 1% does not hold" in failed["error"]
    assert failed["name"] in told["deployments"][-1]["reason"]
    others = [node["name"] for node in told["nodes"] if node is not failed]
    assert all(plant.slots(name)["highest"] == 1 for name in others)

    plant.step(GOOD.replace("value * 2", "value * 3"))
    good = deploy(plant, "--canary", "1", "--after", "4s")
    wait_applied(plant, good)
    again = plant.ask("rollback")
    assert again["again"] == 1
    wait_applied(plant, again["generation"], healthy=False)
    assert all(plant.slots(name)["last_good"] == good for name in ("n1", "n2", "n3"))


def test_a_node_that_was_away_goes_back_without_a_network_and_jumps_to_the_newest(plant):
    begin(plant, "n1")
    deploy(plant)
    wait_applied(plant, 1)

    plant.step("-- segue: {on: shops}\nselect n, value from readings where error('no')::boolean\n")
    plant.ask("deploy", "--probation", "60s", "--health", "errors < 1%")
    wait_for(lambda: plant.slots("n1")["candidate"] == 2)
    plant.stop("hub")
    for _ in range(5):
        plant.write()

    def back():
        plant.trickle()
        return plant.slots("n1")["current"] == 1

    wait_for(back, 120)
    assert plant.slots("n1")["failed"][0]["generation"] == 2

    plant.stop("n1", signal.SIGKILL)
    plant.start_hub()
    for factor in (3, 4, 5):
        plant.step(GOOD.replace("2", str(factor)))
        last = deploy(plant)
    assert plant.told()["nodes"][0]["applied"] in (1, 2)
    plant.start_node("n1")
    wait_applied(plant, last)
    slots = plant.slots("n1")
    assert slots["current"] == slots["last_good"] == last == 5
    assert [each["generation"] for each in slots["failed"]] == [2]


def test_a_hub_restored_from_before_a_deployment_gets_the_next_to_its_nodes(plant, tmp_path):
    begin(plant, "n1")
    deploy(plant)
    wait_applied(plant, 1)
    plant.stop("hub")
    shutil.copytree(plant.root / "lake", tmp_path / "backup", symlinks=True)
    plant.start_hub()
    for factor in (3, 4):
        plant.step(GOOD.replace("2", str(factor)))
        last = deploy(plant)
        wait_applied(plant, last)
    plant.stop("hub")
    shutil.rmtree(plant.root / "lake")
    (tmp_path / "backup").rename(plant.root / "lake")
    plant.start_hub()
    # the node keeps what it runs, and the next number is one that it takes
    plant.step(GOOD.replace("2", "5"))
    assert deploy(plant) == last + 1
    wait_applied(plant, last + 1)
    assert plant.ask("rollback")["again"] == 1, "the others' bundles are gone with the hub's disk"
    wait_applied(plant, last + 2)


def test_people_go_on_without_a_canary_that_is_gone_and_a_killed_hub_keeps_to_it(plant):
    begin(plant, "n1", "n2", "n3")
    deploy(plant)
    wait_applied(plant, 1)
    plant.step(GOOD.replace("2", "3"))
    number = deploy(plant, "--canary", "1", "--after", "1h", "--patience", "2h")
    wait_for(lambda: plant.told()["deployments"][-1]["first"])
    told = plant.told()["deployments"][-1]
    (gone,) = told["first"]
    assert told["rollout"]["patience"] == 7200
    plant.stop(gone, signal.SIGKILL)
    assert plant.ask("deployments", "open", number)["stage"] == "open"
    plant.stop("hub", signal.SIGKILL)
    plant.start_hub()
    wait_for(
        lambda: all(
            node["applied"] == number for node in plant.told()["nodes"] if node["name"] != gone
        ),
        200,
    )
    assert plant.told()["deployments"][-1]["reason"] == "opened by ann"
    assert "opened by ann" in plant.call("deployments")


@pytest.mark.parametrize("point", ["deploy.fetched", "deploy.switch.before", "deploy.switch.after"])
def test_an_agent_that_dies_while_it_takes_a_deployment_takes_it_when_it_is_back(plant, point):
    plant.start_hub()
    plant.call("deploy", "init")
    plant.enrol("n1")
    plant.start_node("n1", SEGUE_FAILPOINT=f"{point}=kill")
    deploy(plant)
    if point.startswith("deploy.switch"):
        assert plant.processes.pop("n1").wait().killed
        plant.start_node("n1")
    else:
        wait_for(lambda: "code -9" in plant.told()["nodes"][0]["error"])
        plant.stop("n1")
        plant.start_node("n1")
    wait_applied(plant, 1)


def test_a_hub_that_makes_deployments_up_moves_no_node(plant, tmp_path):
    """Whoever has broken into a hub can change all its files, and has no key."""
    begin(plant, "n1")
    deploy(plant)
    wait_applied(plant, 1)
    plant.stop("hub")
    shelf = plant.root / "lake" / "_hub" / "deployments"
    saved = tmp_path / "saved"
    shutil.copytree(shelf, saved, symlinks=True)
    for path in (*shelf.glob("trust/*.targets.json"), shelf / "known" / "targets.json"):
        document = json.loads(path.read_text())
        (target,) = document["signed"]["targets"].values()
        target["custom"]["deployments"][0]["generation"] = 2
        path.write_text(json.dumps(document))
    plant.start_hub()

    wait_for(lambda: plant.told()["nodes"][0]["failed"] == 2, 120)
    (node,) = plant.told()["nodes"]
    assert node["applied"] == 1
    assert "differs from what was signed" in node["error"] or "signed" in node["error"]
    assert plant.slots("n1")["current"] == 1
    plant.stop("hub")
    shutil.rmtree(shelf)
    shutil.copytree(saved, shelf, symlinks=True)
    plant.start_hub()
    assert deploy(plant) == 2
    wait_applied(plant, 2)


def test_commands_tell_what_is_wrong(plant):
    plant.start_hub()
    assert "segue deploy init" in plant.call("deploy", code=2)
    plant.call("deploy", "init")
    assert "already" in plant.call("deploy", "init", code=2)
    assert "exclude each other" in plant.call("deploy", "--canary", "1", "--rolling", "1", code=2)
    assert "--canary 5%" in plant.call("deploy", "--after", "1m", code=2)
    assert "--canary 5%" in plant.call("deploy", "--patience", "1m", code=2)
    assert "no number of nodes" in plant.call("deploy", "--canary", "0%", code=2)
    assert "did you mean 'errors'" in plant.call("deploy", "--health", "eror < 1%", code=2)
    assert "',' is missing" in plant.call("deploy", "--to", "role=shop country=BE", code=2)
    assert "no fleet called" in plant.call("deploy", "--fleet", "shop", code=2)
    assert "nothing to go back to" in plant.call("rollback", code=1)
    assert "there is no deployment 7" in plant.call("deployments", "stop", "7", code=2)
    assert "there is no deployment 7" in plant.call("deployments", "open", "7", code=2)
    (plant.root.parent / "config" / "segue" / "keys").rename(plant.root.parent / "elsewhere")
    assert "--key FILE" in plant.call("deploy", code=2)
    plant.environ["SEGUE_HUB_TOKEN"] = "guess"
    assert "operator" in plant.call("deployments", code=1)
    del plant.environ["SEGUE_HUB_TOKEN"]
    assert "segue hub operator" in plant.call("deployments", code=2)


def test_two_people_sign_one_after_the_other(plant):
    plant.start_hub()
    keys = plant.root.parent / "keys"
    for name in ("ann", "bo"):
        plant.ask("deploy", "keys", "new", name, "--folder", keys)
    allowed = [part for name in ("ann", "bo") for part in ("--allow", keys / f"{name}.pub")]
    root = ("--root", keys / "ann.pub", "--key", keys / "ann.key")
    plant.call("deploy", "init", *allowed, "--threshold", "2", *root)
    plant.enrol("n1")
    plant.start_node("n1")
    ann, bo = ("--key", keys / "ann.key"), ("--key", keys / "bo.key")
    refused = plant.call("deploy", *ann, code=1)
    assert "signed by 1 of the 2 who must" in refused
    assert "--share FILE" in refused

    half = plant.root.parent / "half.zip"
    told = plant.call("deploy", "--share", half, *ann)
    assert "nothing is deployed yet" in told
    assert plant.told()["deployments"] == []
    assert "already: ann" in plant.call("deploy", "sign", half, "--yes", *ann, code=2)
    done = plant.ask("deploy", "sign", half, "--yes", *bo)
    assert done == {"generations": [1], "signed": ["ann", "bo"], "missing": 0}
    wait_applied(plant, 1, healthy=False)
    assert "does not follow" in plant.call("deploy", "sign", half, "--yes", *bo, code=1)


def test_keys_are_added_and_removed(plant):
    begin(plant, "n1")
    deploy(plant)
    wait_applied(plant, 1)
    elsewhere = plant.root.parent / "bo"
    plant.ask("deploy", "keys", "new", "bo", "--folder", elsewhere)
    plant.call("deploy", "keys", "add", elsewhere / "bo.pub")
    listed = {row["name"]: row for row in plant.ask("deploy", "keys", "list")}
    assert listed["bo"]["roles"] == ["deploy"]
    assert deploy(plant, "--key", elsewhere / "bo.key") == 2
    wait_applied(plant, 2)
    plant.call("deploy", "keys", "remove", "bo")
    refused = plant.call("deploy", "--key", elsewhere / "bo.key", code=1)
    assert "not signed by anybody who may deploy" in refused
    assert deploy(plant) == 3
    wait_applied(plant, 3)
    plant.call("deploy", "renew")
    assert sorted(path.name for path in (plant.root / "trust").glob("*.json")) == [
        "1.root.json",
        "2.root.json",
        "3.root.json",
    ]


def test_a_step_that_is_added_sends_its_table_through_the_hub_that_runs(plant):
    begin(plant, "n1")
    deploy(plant)
    wait_applied(plant, 1)
    plant.write()
    added = plant.root / "steps" / "added.sql"
    added.write_text("-- segue: {on: shops}\nselect n, n + 1 as next from readings\n")
    deploy(plant)
    wait_applied(plant, 2, healthy=False)

    def arrived():
        plant.trickle()
        return (plant.root / "lake" / "added" / "_delta_log").exists()

    wait_for(arrived, 60)
