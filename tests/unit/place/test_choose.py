"""Places: what a step names, what there is, and where the work is cut."""

from dataclasses import replace

import pytest

from segue.errors import MissingExtraError, UnknownNameError
from segue.place.choose import choose_places
from segue.place.cut import cut_segments
from segue.spec.step import PlaceSpec
from tests.unit.plan.samples import make_history, make_project, make_step, plan_of


def plan_on(*places: str, known: tuple[PlaceSpec, ...] = ()):
    steps = (make_step(f"s{number}", "raw", on=place) for number, place in enumerate(places))
    project = replace(make_project(*steps), places={place.name: place for place in known})
    return plan_of(project, make_history())


def test_local_is_always_there_and_auto_means_it():
    plan = choose_places(plan_on("local", "auto"))
    assert [step.place for step in plan.steps] == ["local", "local"]
    assert [bool(step.place_reason) for step in plan.steps] == [False, True]


def test_a_place_of_the_project_is_taken():
    small = PlaceSpec("small", threads=1)
    assert choose_places(plan_on("small", known=(small,)))["s0"].place == "small"


def test_an_unknown_place_is_refused_where_it_is_named():
    with pytest.raises(UnknownNameError, match="did you mean 'local'") as caught:
        choose_places(plan_on("locl"))
    assert str(caught.value.location) == "steps/s0.sql:1"


def test_an_engine_that_is_not_installed_names_its_command():
    cluster = PlaceSpec("cluster", engine="ray", address="ray://head:10001")
    with pytest.raises(MissingExtraError, match=r"pip install 'segue\[ray\]'"):
        choose_places(plan_on("cluster", known=(cluster,)))


def test_a_place_that_no_step_runs_in_needs_no_engine():
    cluster = PlaceSpec("cluster", engine="ray")
    assert choose_places(plan_on("local", known=(cluster,)))["s0"].place == "local"


def test_work_is_cut_where_the_place_changes():
    small = PlaceSpec("small")
    plan = choose_places(plan_on("local", "local", "small", "local", known=(small,)))
    cut = [(part.place, [step.name for step in part.steps]) for part in cut_segments(plan)]
    assert cut == [("local", ["s0", "s1"]), ("small", ["s2"]), ("local", ["s3"])]
