"""`on = "auto"`: size against memory, time here against the start of an engine."""

from dataclasses import replace

import pytest

from segue.place.choose import choose_places
from segue.spec.plan import Estimate
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec, PlaceSpec
from tests.unit.plan.samples import make_history, make_project, make_step, plan_of

MEMORY = 16 * 10**9
RAY = PlaceSpec("cluster", engine="ray", address="ray://head:10001")
SPARK = PlaceSpec("cluster", engine="spark")


def function(*, iterator=False):
    taken = FrameSpec(FrameKind.ARROW_BATCH if iterator else FrameKind.PANDAS, iterator=iterator)
    return FunctionSpec("steps/s.py", "s", (("raw", taken),), FrameSpec(FrameKind.PANDAS))


def choose(estimate, *places, memory=MEMORY, **step):
    made = make_step("s", "raw", on="auto", **step)
    project = replace(make_project(made), places={place.name: place for place in places})
    plan = plan_of(project, make_history())
    plan = replace(plan, steps=tuple(replace(each, estimate=estimate) for each in plan.steps))
    placed = choose_places(plan, memory)["s"]
    return placed.place, placed.place_reason


def python(estimate, *places, iterator=False, **more):
    return choose(estimate, *places, sql=None, function=function(iterator=iterator), **more)


def test_without_another_place_it_is_local():
    assert choose(Estimate(input_bytes=10**12)) == ("local", "auto: no other place can do it")


def test_what_nobody_knows_stays_here():
    assert python(Estimate(), RAY) == ("local", "auto: nothing tells yet how much it reads")


def test_small_data_stays_here_for_a_start_costs_more():
    place, reason = python(Estimate(input_bytes=10**6), SPARK)
    assert place == "local"
    assert reason == "auto: takes about 0.1 s here; reaching cluster alone takes 8 s"


def test_a_function_that_holds_more_than_half_of_the_memory_goes():
    place, reason = python(Estimate(input_bytes=3 * 10**9), RAY)
    assert (place, reason) == ("cluster", "auto: reads about 12 GB at once, of the 16 GB here")


def test_an_iterator_does_not_hold_its_input():
    assert python(Estimate(input_bytes=3 * 10**9, seconds=1), RAY, iterator=True)[0] == "local"


def test_what_took_long_last_time_goes():
    place, reason = python(Estimate(input_bytes=10**6, seconds=120), RAY)
    assert (place, reason) == (
        "cluster",
        "auto: would take about 120 s here; reaching it takes 1 s",
    )


def test_sql_goes_only_where_all_workers_share_it():
    long = Estimate(input_bytes=10**6, seconds=10_000)
    assert choose(long, RAY)[0] == "local"
    assert choose(long, SPARK)[0] == "cluster"


def test_a_stated_memory_counts_instead_of_the_machine_s():
    small = PlaceSpec("local", memory=10**9)
    assert python(Estimate(input_bytes=2 * 10**8), RAY, small)[0] == "cluster"


def test_an_engine_that_is_not_installed_is_no_choice(monkeypatch):
    monkeypatch.setattr("segue.registry.find_spec", lambda module: None)
    assert python(Estimate(input_bytes=10**12), RAY)[0] == "local"


@pytest.mark.parametrize("memory", [0, MEMORY])
def test_it_does_not_need_to_know_the_memory(memory):
    assert python(Estimate(input_bytes=10**6), RAY, memory=memory)[0] == "local"
