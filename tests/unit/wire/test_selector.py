"""Selectors of nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import SelectionError
from segue.wire.selector import find_unknown, parse_selector

SHOP = {"role": "shop", "country": "BE", "tier": "new"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("*", True),
        ("role=shop", True),
        ("role = shop, country in (BE, NL)", True),
        ("country in (NL)", False),
        ("country not in (NL, FR)", True),
        ("country IN (BE)", True),
        ("role", True),
        ("!role", False),
        ("!spare", True),
        ("tier!=old", True),
        ("spare!=yes", True),
        ("spare not in (yes)", True),
        ("spare=yes", False),
        ("node=n1", True),
        ("node in (n2, n3)", False),
        ('role="shop"', True),
        ("role=shop, tier=old", False),
    ],
)
def test_nodes_are_meant_or_not(text, meant):
    selector = parse_selector(text)
    assert selector.matches("n1", SHOP) is meant
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize(
    "text",
    ["", ",", "role=", "=shop", "role==shop", "a b", "a inn (b)", "a in b", "a in (b", "a in ()",
     "a=b,", "a=b c=d", "!!a", "! ", "a=b;c", "(a)", "a" * 5000, 'a="b', "a not (b)"],
)  # fmt: skip
def test_what_can_not_be_read_tells_how(text):
    with pytest.raises(SelectionError) as caught:
        parse_selector(text)
    assert caught.value.hint


def test_a_misspelled_operator_has_a_hint():
    with pytest.raises(SelectionError) as caught:
        parse_selector("country inn (BE)")
    assert "did you mean 'in'" in caught.value.hint


def test_a_node_can_not_pretend_to_another_name():
    assert not parse_selector("node=n2").matches("n1", {"node": "n2"})


def test_labels_that_no_node_has_are_told():
    nodes = [{**SHOP, "node": "n1"}, {"role": "van", "node": "n2"}]
    assert find_unknown(parse_selector("role=shop, country in (BE, NL)"), nodes) == [
        "no node has country=NL"
    ]
    assert find_unknown(parse_selector("rolle, role=vam"), nodes) == [
        "no node has role=vam: did you mean 'van'?",
        "no node has a label 'rolle': did you mean 'role'?",
    ]


@given(st.text(alphabet='ab=!,() in"*', max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        selector = parse_selector(text)
    except SelectionError:
        return
    assert parse_selector(str(selector)) == selector
    selector.matches("n", {"a": "b"})
