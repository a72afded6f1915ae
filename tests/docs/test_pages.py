"""Every page is followed as a reader would, in a folder of its own."""

import re
from pathlib import Path

import pytest

from segue.testing.processes import running, start_call, wait_until
from tests.docs.pages import Reader, matches, read_blocks, read_commands
from tests.docs.typed import serve, write_stub

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPENED = re.compile(r"^ *```", re.MULTILINE)


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with a ``segue`` that starts quickly."""
    folder = tmp_path_factory.mktemp("bin")
    path = folder / "socket"
    with running(start_call(serve, str(path))):
        wait_until(path.exists, "segue to be loaded")
        write_stub(folder, path)
        yield folder


@pytest.mark.timeout(300)  # one of them runs the conformance suite of engines
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_does_what_it_says(page, tmp_path_factory, programs):
    folder = tmp_path_factory.mktemp("page") / "home"  # a short path, for it is in what is shown
    folder.mkdir()
    problem = follow_page(page, Reader(folder, programs))
    assert not problem, problem


def follow_page(page, reader):
    """Return what is wrong with a page, up to where it can be followed."""
    for block in read_blocks(page):
        try:
            reader.follow(block)
        except AssertionError as error:
            hint = f"to take what it answers now: python -m tests.docs.refresh {name(page)}"
            return f"{name(page)}:{block.line}\n{error}\n{hint}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_block_is_overlooked(page):
    text = page.read_text(encoding="utf-8")
    assert len(OPENED.findall(text)) == 2 * len(list(read_blocks(page)))


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("run ... done", "run 7 done", True),
        ("run ... done", "run 7 failed", False),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...\nz", "a\nz", True),
        ("a\n...", "a\nb", True),
        ("a", "a\nb", False),
        ("a", "a   \n\n", True),
        ("1.5", "1x5", False),
    ],
)
def test_dots_stand_for_anything_and_nothing_else_does(expected, found, same):
    assert matches(expected, found) is same


def test_the_first_page_leads_to_all_others():
    docs = ROOT / "docs"
    first = (docs / "index.md").read_text()
    pages = [*docs.glob("*/*.md")]
    told = [each.relative_to(docs).as_posix() for each in pages if each.parent.name != "decisions"]
    assert [each for each in told if f"]({each})" not in first] == []


def test_commands_are_told_from_their_answers():
    text = "$ segue plan\nrun daily\n$ segue run \\\n    daily  # exit 1\nfailed\n"
    assert list(read_commands(text)) == [
        ("segue plan", "run daily\n"),
        ("segue run \\\n    daily  # exit 1", "failed\n"),
    ]
