"""Steps that wait for others: what they do once those are done."""

from dataclasses import replace

from segue.plan.settle import settle
from segue.spec.plan import Action
from segue.spec.step import Fingerprint
from tests.unit.plan.samples import make_history, make_project, make_step, plan_of, publish

ORDERS = make_step("orders", "raw")
DAILY = make_step("daily", "orders")


def planned_again(orders=ORDERS, daily=DAILY):
    history = publish(plan_of(make_project(ORDERS, DAILY), make_history()))
    plan = plan_of(make_project(orders, daily), history)
    return plan["daily"], history


def recode(step):
    return replace(step, fingerprint=Fingerprint("2", ()))


def test_inputs_that_came_out_the_same_cut_the_run_short():
    planned, history = planned_again(recode(ORDERS))
    same = {"orders": history.versions["orders"].identity}
    settled = settle(planned, history.memories["daily"], same)
    assert settled.action is Action.SKIP
    assert [str(reason) for reason in settled.reasons] == ["unchanged: inputs came out the same"]


def test_inputs_that_changed_are_named():
    planned, history = planned_again(recode(ORDERS))
    settled = settle(planned, history.memories["daily"], {"orders": "new"})
    assert settled.action is Action.RUN
    assert [str(reason) for reason in settled.reasons] == ["input changed: orders"]
    assert settled.inputs == {"orders": "new"}


def test_a_step_with_a_reason_of_its_own_runs_anyhow():
    planned, history = planned_again(recode(ORDERS), recode(DAILY))
    same = {"orders": history.versions["orders"].identity}
    settled = settle(planned, history.memories["daily"], same)
    assert settled.action is Action.RUN
    assert [reason.cause for reason in settled.reasons] == ["code changed"]


def test_a_step_that_never_ran_runs_and_one_at_rest_stays_at_rest():
    plan = plan_of(make_project(ORDERS, DAILY), make_history())
    assert settle(plan["daily"], None, {"orders": "new"}).action is Action.RUN
    planned, history = planned_again()
    assert settle(planned, history.memories["daily"], planned.inputs).action is Action.SKIP
