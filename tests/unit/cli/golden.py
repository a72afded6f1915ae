"""What is shown, compared to the letter with a file; GOLDEN=write writes the files anew."""

import io
import os
from pathlib import Path

from segue.cli.call import make_console
from segue.cli.look import say

FOLDER = Path(__file__).parents[2] / "golden" / "cli"
WRITES = os.environ.get("GOLDEN") == "write"


def show(*parts, width: int = 100) -> str:
    """Return parts as a pipe gets them, in so many columns."""
    stream = io.StringIO()
    console = make_console(stream)
    console.width = width
    say(console, *parts)
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def assert_golden(name: str, text: str) -> None:
    path = FOLDER / f"{name}.txt"
    if WRITES:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
