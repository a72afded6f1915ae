"""A plan on a terminal."""

import pytest

from segue.cli.render_plan import render_plan
from tests.unit.cli.golden import assert_golden, show
from tests.unit.plan.samples import make_history, make_project, make_step, plan_of, publish
from tests.unit.plan.test_explain import half_done


@pytest.mark.parametrize("width", [80, 120])
def test_plan_is_as_agreed(width):
    assert_golden(f"plan_{width}", show(*render_plan(half_done()), width=width))


def many(number: int):
    return make_project(*(make_step(f"step_{each}", "raw") for each in range(number)))


def test_long_plan_groups_what_is_up_to_date():
    project = many(1000)
    text = show(*render_plan(plan_of(project, publish(plan_of(project, make_history())))))
    assert "1,000 steps up to date" in text
    assert "unchanged" in text
    assert len(text.splitlines()) < 8


def test_long_plan_lists_what_runs():
    text = show(*render_plan(plan_of(many(40), make_history())))
    assert text.count("never ran") == 40


def test_project_without_steps():
    text = show(*render_plan(plan_of(make_project(), make_history())))
    assert "no steps yet" in text


def test_next_command_repeats_the_selection():
    text = show(*render_plan(plan_of(many(3), make_history(), "step_1", force=True)))
    assert "segue run step_1 --force" in text
