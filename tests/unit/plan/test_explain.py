"""A plan in words: compared with a golden text, and as JSON."""

import json
from dataclasses import replace
from pathlib import Path

from segue.plan.explain import close_plan, explain_rows, plan_text, plan_to_json
from segue.spec.step import Mode
from tests.unit.plan.samples import (
    make_function,
    make_history,
    make_project,
    make_state,
    make_step,
    plan_of,
    publish,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "plan.txt"

STEPS = (
    make_step("orders", "raw"),
    make_step("stores", "towns"),
    make_step("recent", "orders", mode=Mode.VIEW),
    make_step("daily", "recent", "stores"),
    make_step("log", "raw", mode=Mode.APPEND),
    make_function("forecast", "daily", settings=(("horizon", 14),)),
    make_step("weather", "sky"),
)
SOURCES = ("raw", "towns", "sky")


def half_done():
    """A plan with most kinds of action: one file more, one setting changed, one source gone."""
    project = make_project(*STEPS, sources=SOURCES)
    states = [make_state("raw", "a.csv", "b.csv"), make_state("towns"), make_state("sky")]
    history = publish(plan_of(project, make_history(*states)))
    sources = {"raw": make_state("raw", "a.csv", "b.csv", "c.csv"), "towns": make_state("towns")}
    history = replace(history, sources=sources, missing={"sky": "no file matches sky/*.json"})
    return plan_of(project, history, params={"forecast.horizon": 7})


def test_plan_text_is_as_agreed():
    assert plan_text(half_done()) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_rows_tell_what_is_new():
    rows = {row.step: row for row in explain_rows(half_done())}
    assert rows["log"].inputs == "raw (1 new)"
    assert rows["daily"].inputs == "recent, stores"
    assert rows["orders"].estimate == "reads 300 B, makes ~10 rows, took 0.5 s"


def test_closing_sentences():
    project = make_project(*STEPS[:1], sources=SOURCES)
    plan = plan_of(project, make_history())
    assert close_plan(plan) == "1 step runs."
    assert close_plan(plan_of(project, publish(plan))) == "Nothing to do: 1 step is up to date."
    assert close_plan(plan_of(make_project(), make_history())) == "There are no steps to run."


def test_json_is_plain_and_says_the_same():
    document = plan_to_json(half_done())
    assert json.loads(json.dumps(document)) == document
    steps = {step["step"]: step for step in document["steps"]}
    assert document["format"] == 1
    assert document["parameters"] == {"forecast.horizon": 7}
    assert steps["log"]["new_files"] == {"raw": ["/data/c.csv"]}
    assert steps["forecast"]["reasons"][0] == {
        "cause": "parameter_changed",
        "detail": "horizon 14 -> 7",
        "text": "parameter changed: horizon 14 -> 7",
    }
    assert steps["weather"]["action"] == "blocked"
