"""What a run works on, and what waits for what."""

from segue.plan.build import build_plan
from segue.plan.nodes import find_nodes
from segue.spec.plan import Selection
from segue.spec.step import Mode
from tests.unit.plan.samples import make_contract, make_history, make_project, make_state, make_step


def nodes_of(project, *sources):
    states = make_history(*(make_state(name, "a.csv") for name in sources or ("raw",)))
    return find_nodes(build_plan(project, states, Selection()))


def test_a_source_comes_before_its_readers():
    project = make_project(make_step("orders", "raw"), make_step("daily", "orders"))
    assert nodes_of(project) == {"raw": (), "orders": ("raw",), "daily": ("orders",)}


def test_readers_wait_for_what_a_view_reads():
    view = make_step("clean", "raw", mode=Mode.VIEW)
    nodes = nodes_of(make_project(view, make_step("daily", "clean")))
    assert nodes == {"raw": (), "daily": ("raw",)}


def test_a_view_with_a_contract_is_judged_before_its_readers():
    view = make_step("clean", "raw", mode=Mode.VIEW)
    project = make_project(view, make_step("daily", "clean"), contracts=[make_contract("clean")])
    assert nodes_of(project) == {"raw": (), "clean": ("raw",), "daily": ("clean",)}


def test_a_step_waits_for_what_its_contract_looks_into():
    project = make_project(
        make_step("stores", "raw"),
        make_step("orders", "raw"),
        contracts=[make_contract("orders", "stores")],
    )
    assert nodes_of(project)["orders"] == ("raw", "stores")


def test_a_source_waits_for_sources_that_only_its_contract_looks_into():
    project = make_project(
        make_step("orders", "raw"),
        sources=("raw", "stores"),
        contracts=[make_contract("raw", "stores")],
    )
    nodes = nodes_of(project, "raw", "stores")
    assert nodes == {"raw": ("stores",), "stores": (), "orders": ("raw",)}


def test_a_source_does_not_wait_for_a_step_that_is_made_from_it():
    project = make_project(
        make_step("orders", "raw"),
        make_step("stores", "other"),
        sources=("raw", "other"),
        contracts=[make_contract("raw", "orders", "stores")],
    )
    assert nodes_of(project, "raw", "other")["raw"] == ("stores",)


def test_sources_that_look_into_each_other_do_not_wait_in_a_circle():
    project = make_project(
        make_step("orders", "raw", "other"),
        sources=("raw", "other"),
        contracts=[make_contract("raw", "other"), make_contract("other", "raw")],
    )
    nodes = nodes_of(project, "raw", "other")
    assert sorted([nodes["raw"], nodes["other"]]) in ([(), ("other",)], [(), ("raw",)])


def test_views_that_meet_again_and_again_are_gone_through_once():
    steps = [
        make_step("left_0", "raw", mode=Mode.VIEW),
        make_step("right_0", "raw", mode=Mode.VIEW),
    ]
    for level in range(60):
        reads = (f"left_{level}", f"right_{level}")
        steps += [
            make_step(f"{side}_{level + 1}", *reads, mode=Mode.VIEW) for side in ("left", "right")
        ]
    nodes = nodes_of(make_project(*steps, make_step("daily", "left_60", "right_60")))
    assert nodes == {"raw": (), "daily": ("raw",)}
