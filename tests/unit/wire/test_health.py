"""Health expressions, and what is measured for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import SelectionError
from segue.wire.health import DEFAULT_HEALTH, measure_health, parse_health
from segue.wire.messages import Status


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "errors < 1%"),
        ("errors", "errors < 1%"),
        ("error < 1%", "did you mean 'errors'"),
        ("errors < 1", "errors < 1%"),
        ("restarts < 3%", "restarts < 3"),
        ("errors < 1% or rejects < 1%", "and"),
        ("__import__('os') < 1", "and"),
        ("errors < 1e9%", "and"),
        ("errors == 1%", "and"),
        ("errors < 1% and", "and"),
        ("colour < 3", "there are: errors, rejects"),
        ("errors < " + "9" * 2000 + "%", "and"),
    ],
)
def test_what_can_not_be_read_tells_how(text, hint):
    with pytest.raises(SelectionError) as caught:
        parse_health(text)
    assert hint in caught.value.hint


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read = parse_health(text)
    except SelectionError:
        return
    assert parse_health(str(read)) == read


def test_the_default_holds_for_a_node_that_did_nothing():
    assert not parse_health(DEFAULT_HEALTH).find_broken(measure_health([Status()]))


def test_the_worst_table_counts():
    status = Status(rows={"a": 1000, "b": 10}, rejects={"b__rejects": 10})
    assert measure_health([status])["rejects"] == 0.5


def test_nodes_are_taken_together():
    nodes = [Status(batches=99, errors=0, restarts=1), Status(batches=1, errors=1, restarts=4)]
    measured = measure_health(nodes)
    assert measured["errors"] == 0.01
    assert measured["restarts"] == 4


def test_all_that_does_not_hold_is_told():
    told = parse_health("errors < 1% and restarts <= 2, lag < 5").find_broken(
        {"errors": 0.5, "restarts": 3, "lag": 1}
    )
    assert told == "errors < 1% does not hold: 50%; restarts <= 2 does not hold: 3"
