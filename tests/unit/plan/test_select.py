"""What a selection means, and how a wrong one is answered."""

import pytest

from segue.errors import SelectionError
from segue.plan.select import select_steps
from segue.spec.step import Mode
from tests.unit.plan.samples import make_contract, make_project, make_step

PROJECT = make_project(
    make_step("stg_orders", "raw", tags=("nightly",)),
    make_step("stg_stores", "stores", mode=Mode.VIEW),
    make_step("orders", "stg_orders"),
    make_step("daily", "orders", "stg_stores", tags=("nightly", "web")),
    make_step("bad", "orders__rejects"),
    make_step("apart", "stores"),
    sources=("raw", "stores"),
    contracts=[make_contract("apart", "orders")],
)
EVERY = ("stg_orders", "stg_stores", "orders", "daily", "bad", "apart")


@pytest.mark.parametrize(
    ("terms", "chosen"),
    [
        ("", EVERY),
        ("daily", ("daily",)),
        ("+daily", ("stg_orders", "stg_stores", "orders", "daily")),
        ("orders+", ("orders", "daily", "bad", "apart")),
        ("+orders+", ("stg_orders", "orders", "daily", "bad", "apart")),
        ("stg_*", ("stg_orders", "stg_stores")),
        ("stg_*+", EVERY),
        ("tag:nightly", ("stg_orders", "daily")),
        ("+tag:web", ("stg_orders", "stg_stores", "orders", "daily")),
        ("tag:web+", ("daily",)),
        ("daily apart", ("daily", "apart")),
        ("apart daily daily", ("daily", "apart")),
        ("orders__rejects", ("orders",)),
        ("stores+", ("stg_stores", "daily", "apart")),
    ],
)
def test_terms(terms, chosen):
    assert select_steps(PROJECT, terms.split()) == chosen


@pytest.mark.parametrize(
    ("term", "message", "hint"),
    [
        ("dayly", "there is no step called 'dayly'", "did you mean 'daily'?"),
        ("+", "'+' names no step", "there are: apart, bad, daily, orders, stg_orders, stg_stores"),
        ("raw", "'raw' is a source", "'raw+'"),
        ("+raw", "'raw' is a source", "'raw+'"),
        ("x_*", "no step's name matches 'x_*'", "there are: "),
        ("tag:nightli", "no step has the tag 'nightli'", "did you mean 'nightly'?"),
    ],
)
def test_wrong_terms(term, message, hint):
    with pytest.raises(SelectionError) as caught:
        select_steps(PROJECT, [term])
    assert message in caught.value.message
    assert hint in caught.value.hint
