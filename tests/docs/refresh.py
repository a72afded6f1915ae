"""Puts into pages what commands answer now: ``python -m tests.docs.refresh PAGE...``.

An answer that still fits is left alone, and so is one that is shortened by a line of dots: mend
that by hand. A new answer of ``@@`` is filled in. Look at the change before you commit it.
"""

import re
import sys
import tempfile
from pathlib import Path

from tests.docs.pages import Reader, matches, read_blocks, read_commands

VARYING = (
    re.compile(r"\d{8}-\d{6}-[0-9a-z]{4}"),  # names of runs
    re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b"),
    re.compile(r"\bjust now\b"),
)


def refresh_page(page: Path, home: Path) -> str:
    """Follow a page, and return its text with the answers as they are now."""
    text = page.read_text(encoding="utf-8")
    reader = Reader(home)
    for block in read_blocks(page):
        if block.language != "console":
            reader.follow(block)
            continue
        told = block.text
        for command, expected in read_commands(block.text):
            found = reader.type(command, "")
            shortened = "..." in (line.strip() for line in expected.splitlines())
            if expected and not shortened and not matches(expected, found):
                told = told.replace(f"{command}\n{expected}", f"{command}\n{blur(found, home)}", 1)
        text = text.replace(block.text, told, 1)
    return text


def blur(text: str, home: Path) -> str:
    """Return an answer with dots for what is different each time."""
    for pattern in VARYING:
        text = pattern.sub("...", text)
    lines = text.replace(str(home.parent), "...").rstrip().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> None:
    """Refresh the pages that the arguments name."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            home.mkdir()
            page = Path(name)
            page.write_text(refresh_page(page, home), encoding="utf-8")


if __name__ == "__main__":
    main()
