"""Plans that differ in anything that binding looks at have other digests."""

from dataclasses import replace

import pytest

from segue.errors import Location
from segue.plan.bound import name_binding
from segue.spec.contract import Check, Contract, Tolerance
from segue.spec.output import StepMemory
from segue.spec.step import Fingerprint, Mode
from segue.spec.types import parse_schema
from tests.unit.plan.samples import (
    make_function,
    make_history,
    make_project,
    make_step,
    plan_of,
)

RAW = parse_schema("id: int64, v: string")
STEP = make_step("a", "raw", sql="select id from raw")
FUNCTION = make_function("f", "a")
MEMORY = StepMemory("f", "other", (), {}, {}, parse_schema("x: int64"), "1", "now")


def name(*steps, known=None, history=None, **project):
    plan = plan_of(make_project(*steps, **project), history or make_history())
    return name_binding(plan, {"raw": RAW} if known is None else known)


def test_the_same_plan_has_the_same_digest():
    assert name(STEP, FUNCTION) == name(replace(STEP, about="more", tags=("x",)), FUNCTION)


@pytest.mark.parametrize(
    "step",
    [
        replace(STEP, sql="select v from raw"),
        replace(STEP, mode=Mode.VIEW),
        replace(STEP, key=("id",)),
        replace(STEP, schema="id: int64"),
        replace(STEP, reads=("raw", "b")),
        make_step("b", "raw", sql="select id from raw"),
    ],
)
def test_a_changed_step_has_another(step):
    assert name(step) != name(STEP)


def test_changed_columns_have_another():
    assert name(STEP, known={"raw": parse_schema("id: int64")}) != name(STEP)
    assert name(STEP, known={}) != name(STEP)


def test_columns_that_a_contract_speaks_of_count():
    where = Location("contracts.yml", 1)
    checks = (Check("v required", "required", ("v",), {}, Tolerance(0), None, where),)
    assert name(STEP, contracts=[Contract("a", where, checks)]) != name(STEP)


def test_what_is_remembered_of_a_function_counts():
    history = make_history(memories={"f": MEMORY})
    assert name(STEP, FUNCTION, history=history) != name(STEP, FUNCTION)
    other = make_history(memories={"f": replace(MEMORY, schema=RAW)})
    assert name(STEP, FUNCTION, history=other) != name(STEP, FUNCTION, history=history)
    changed = replace(FUNCTION, fingerprint=Fingerprint("9", (("function f", "9"),)))
    assert name(STEP, changed, history=history) != name(STEP, FUNCTION, history=history)
