"""Places: what a step names, what there is, and where the work is cut."""

from dataclasses import replace

import pytest

from segue.errors import MissingExtraError, UnknownNameError, UnsupportedError
from segue.place.choose import choose_places
from segue.spec.step import Limits, PlaceSpec
from tests.unit.plan.samples import make_history, make_project, make_step, plan_of


def plan_on(*places: str, known: tuple[PlaceSpec, ...] = ()):
    steps = (make_step(f"s{number}", "raw", on=place) for number, place in enumerate(places))
    project = replace(make_project(*steps), places={place.name: place for place in known})
    return plan_of(project, make_history())


def test_local_is_always_there():
    plan = choose_places(plan_on("local"))
    assert [(step.place, step.place_reason) for step in plan.steps] == [("local", "")]


def test_a_place_of_the_project_is_taken():
    small = PlaceSpec("small", threads=1)
    assert choose_places(plan_on("small", known=(small,)))["s0"].place == "small"


def test_an_unknown_place_is_refused_where_it_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'local'") as caught:
        choose_places(plan_on("locl"))
    assert str(caught.value.location) == "steps/s0.sql:1"


def test_an_engine_that_is_not_installed_names_its_command(monkeypatch):
    monkeypatch.setattr("segue.registry.find_spec", lambda module: None)
    cluster = PlaceSpec("cluster", engine="ray", address="ray://head:10001")
    with pytest.raises(MissingExtraError) as caught:
        choose_places(plan_on("cluster", known=(cluster,)))
    assert caught.value.hint == "pip install 'segue[ray]'"


def test_sql_on_an_engine_without_sql_says_who_does_it():
    plan = choose_places(plan_on("cluster", known=(PlaceSpec("cluster", engine="ray"),)))
    assert "one worker" in plan["s0"].place_reason


def test_a_limit_of_memory_is_refused_where_nobody_keeps_it():
    steps = (make_step("s0", "raw", on="cluster", limits=Limits(memory=10**9)),)
    places = {"cluster": PlaceSpec("cluster", engine="spark")}
    project = replace(make_project(*steps), places=places)
    with pytest.raises(UnsupportedError, match="this machine only") as caught:
        choose_places(plan_of(project, make_history()))
    assert "spark" in caught.value.hint


def test_a_place_that_no_step_runs_in_needs_no_engine():
    cluster = PlaceSpec("cluster", engine="ray")
    assert choose_places(plan_on("local", known=(cluster,)))["s0"].place == "local"
