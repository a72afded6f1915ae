"""Tables that fit: whole words at every width."""

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from segue.cli.look import facts, make_table, next_moves
from tests.unit.cli.golden import show

COLUMNS = ["table", "rows", "owner", "about", "why"]
ROWS = [
    ["departures__rejects", "1,175", "flights@example.com", "What was set aside", "never ran"],
    [
        "departures",
        "327,346",
        "",
        "Each flight that took off",
        "code changed: function clean_names",
    ],
]


def table(width, **options):
    rows = [[Text(value) for value in row] for row in ROWS]
    return show(make_table(COLUMNS, rows, numbers=["rows"], **options), width=width)


@pytest.mark.parametrize("width", [50, 60, 70, 80, 90, 100, 120, 140])
def test_no_line_is_wider_and_no_word_is_broken(width):
    text = table(width, wrap=["about", "why"], spare=["owner"])
    assert all(len(line) <= width for line in text.splitlines())
    assert {"departures__rejects", "1,175", "327,346"} <= set(text.split())
    shown = set(re.findall(r"[\w@.,:]+", text))
    known = {word for row in [COLUMNS, *ROWS] for cell in row for word in cell.split()}
    assert shown <= known | {"why:"}


def test_a_wide_terminal_shows_all_on_one_line():
    lines = table(140, wrap=["why"], cut=["about"], spare=["owner"]).splitlines()
    cells = ["departures__rejects", "1,175", "flights@example.com", *ROWS[0][3:]]
    assert re.split(" {2,}", lines[2]) == cells
    assert len(lines) == 4


def test_order_in_which_columns_give_way():
    options = {"wrap": ["why"], "cut": ["about"], "spare": ["owner"]}
    assert "…" in table(100, **options)
    assert "flights@example.com" in table(100, **options)
    below = table(80, **options)
    assert "    why: code changed: function clean_names" in below
    assert "flights@example.com" in below
    assert "owner" not in table(60, **options)


def test_a_pipe_has_no_edge():
    wide = [Text("x" * 300), Text("y " * 200)]
    line = show(make_table(["a", "b"], [wide], wrap=["b"]), width=100_000).splitlines()[2]
    assert line.startswith("x" * 300 + "  y y")


def test_cells_keep_their_own_lines():
    text = show(make_table(["a", "b"], [[Text("run\nwhy"), Text("1")]]), width=40)
    assert text.splitlines()[2:] == ["run  1", "why"]


def test_values_and_commands_wrap_at_words():
    text = show(facts([("about", "word " * 30), ("none", "")]), width=40)
    assert all(len(line) <= 40 for line in text.splitlines())
    assert "none" not in text
    command = "segue read a_table_with_a_long_name_indeed"
    told = show(next_moves((command, "look at the rows")), width=40)
    assert " ".join(told.split()) == f"Next: {command} look at the rows"


def test_a_table_without_rows_is_empty():
    assert show(make_table(["a"], []), width=40).strip() == ""


@pytest.mark.parametrize("width", [40, 90, 100_000])
@pytest.mark.parametrize("columns", [COLUMNS, [""] * len(COLUMNS)])
def test_plain_lines_are_the_lines_without_their_styles(width, columns):
    odd = ["日本", "1", "", "two\nlines", "é"]
    rows = [[Text(value, "bold") for value in row] for row in [*ROWS, [*odd[:3], "", ""], odd]]
    console = Console(file=io.StringIO(), width=width)
    for some in (rows, rows[:3], []):
        grid = make_table(columns, some, numbers=["rows"], wrap=["why"])
        styled = [line.plain for line in grid.lines(console, console.options)]
        assert grid.plain_lines(console) == styled
