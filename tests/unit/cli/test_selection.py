"""Settings on the command line."""

import pytest

from segue.cli.selection import parse_setting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("s.n=7", 7),
        ("s.n=-1.5", -1.5),
        ("s.n=true", True),
        ("s.n='7'", "7"),
        ("s.n=north", "north"),
        ("s.n=", ""),
        ("s.n=a=b", "a=b"),
        ("s.n=2026-01-02", "2026-01-02"),
        ("s.n=[1, 2]", "[1, 2]"),
        ("s.n=1\nother = 2", "1\nother = 2"),
        (" s.n = 7 ", 7),
    ],
)
def test_value_is_what_toml_makes_of_it_or_text(text, value):
    name, read = parse_setting(text)
    assert name == "s.n"
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("text", ["horizon=7", "s.n", ".n=1", "s.=1", ""])
def test_other_forms_are_refused(text):
    with pytest.raises(ValueError, match=r"step\.name=value"):
        parse_setting(text)
