"""What the reference shows at the head of a kind is what contracts take."""

import inspect
import re

import pytest
import yaml

from segue.registry import CHECKS, load_check, names
from tests.unit.judge.checks.tables import read_contract

MINE = (
    "closed",
    "finite",
    "format",
    "increasing",
    "length",
    "no_gaps",
    "no_overlaps",
    "ordered",
    "references",
    "sign",
    "unique",
)
NAMED = {"SCHEMA": "{type: object}"}


def find_examples(kind):
    """Return the examples of a kind's first paragraphs that begin with its name."""
    text = inspect.getmodule(type(load_check(kind))).__doc__
    found = re.findall(rf"``({kind}: [^`]+)``", text)
    for word, value in NAMED.items():
        found = [each.replace(word, value) for each in found]
    return [" ".join(each.split()) for each in found]


@pytest.mark.parametrize("kind", MINE)
def test_examples_are_read(kind):
    examples = find_examples(kind)
    assert examples, "the page shows none"
    for example in examples:
        below = load_check(kind).scope == "column"
        tries = [f"columns: {{x: {{{example}}}}}"]
        if not below:
            tries = [f"columns: {{x: {{}}}}\n{example}", *tries]
        problems = [read_contract(text)[1].sorted() for text in tries]
        assert () in problems, (example, problems)


def test_every_kind_has_its_examples_as_yaml():
    for kind in names(CHECKS):
        for example in find_examples(kind):
            assert kind in yaml.safe_load("{" + example + "}")
