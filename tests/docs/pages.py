"""What a page of the documentation holds, and how to follow it as a reader would.

Blocks are followed from top to bottom in one folder that is empty at first:

- ``console``: each line after ``$ `` is typed into a shell; the lines below it are what it
  answers, where ``...`` stands for anything, and on a line of its own for any lines. It must
  succeed, unless the line ends with ``# exit 1`` or another code.
- any language, below a sentence that names a file and ends with a colon: written to that file;
  added to it if the sentence begins with "Add". If it ends with "holds:", the file must be there
  already, with this text in it.
- ``python`` without a file: run as a script; as a doctest if it has ``>>>``.
- ``toml``, ``yaml``, ``sql`` without a file: must parse.
- ``text``, ``sh``: only shown.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlglot
import yaml

FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w./=-]+\.\w+)`")
EXIT = re.compile(r"#\s*exit (\d+)$")
SHOWN = ("text", "sh")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with the sentence before it and the line at which it begins."""

    language: str
    text: str
    before: str
    line: int

    @property
    def file(self) -> str | None:
        """The file that the block is written to, or compared with."""
        names = NAMED.findall(self.before) if self.before.endswith(":") else []
        assert len(names) < 2, f"which file is meant: {names}"
        return names[0] if names else None


def read_blocks(page: Path) -> Iterator[Block]:
    """Go through the blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        indent, language, body = match.groups()
        before = re.split(r"\n|\. ", text[: match.start()].rstrip())[-1].strip()
        lines = [line.removeprefix(indent) for line in body.splitlines(keepends=True)]
        yield Block(language, "".join(lines), before, text.count("\n", 0, match.start()) + 1)


def matches(expected: str, found: str) -> bool:
    """Return whether a text is what a page shows, in which ``...`` stands for anything.

    How wide a table is drawn depends on how long something took: widths don't count.
    """
    pattern = ""
    for line in squeeze(expected):
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(map(re.escape, line.split("..."))) + "\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in squeeze(found))) is not None


def squeeze(text: str) -> list[str]:
    """Return the lines of a text with blanks and rules as narrow as can be."""
    return [re.sub(r"([ ─])\1+", r"\1", line).strip() for line in text.rstrip().splitlines()]


class Reader:
    """Follows a page in a folder.

    Args:
        folder: An empty folder.
        programs: Where programs are looked for first; the folder of this Python's otherwise.
    """

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        self.folder, self.programs = folder, programs
        self.state = folder.parent / f"{folder.name}.pwd"

    def follow(self, block: Block) -> None:
        """Do what a block says; an `AssertionError` tells what came of it instead."""
        if block.language == "console":
            for command, expected in read_commands(block.text):
                self.type(command, expected)
        elif block.file is not None:
            self.write(block, self.folder / block.file)
        elif block.language == "python":
            self.run_python(block.text)
        elif block.language not in SHOWN:
            parse(block)

    def write(self, block: Block, path: Path) -> None:
        """Write a block to its file, add it, or compare it."""
        if block.before.endswith("holds:"):
            assert block.text in path.read_text(encoding="utf-8"), f"{path} reads otherwise"
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if block.before.startswith("Add") else "w", encoding="utf-8") as file:
            file.write(block.text)

    def type(self, command: str, expected: str) -> str:
        """Type a command into a shell, compare its answer and exit code; return the answer."""
        script = f'{command}\ncode=$?\npwd > "{self.state}"\nexit $code\n'
        done = self.start(["bash", "-c", script])
        self.folder = Path(self.state.read_text().strip())
        stated = EXIT.search(command.splitlines()[0])
        code = int(stated[1]) if stated else 0
        told = f"$ {command}\n{done.stdout}"
        assert done.returncode == code, f"exit {done.returncode} instead of {code}:\n{told}"
        if expected:
            assert matches(expected, done.stdout), f"expected:\n{expected}\nfound:\n{told}"
        return done.stdout

    def run_python(self, text: str) -> None:
        """Run Python as a script, or as a doctest."""
        script = self.folder / ".block"
        script.write_text(text, encoding="utf-8")
        options = ["-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE"]
        doctest = ["-m", "doctest", *options] if ">>> " in text else []
        done = self.start([sys.executable, *doctest, str(script)])
        script.unlink()
        assert done.returncode == 0, f"{text}\n{done.stdout}"

    def start(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a process in the folder, with answers and errors in one stream."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(os.environ, self.programs),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def environment(caller: Mapping[str, str], programs: Path | None = None) -> dict[str, str]:
    """Return the caller's environment with some programs and this Python's commands first."""
    folders = [*filter(None, [programs]), Path(sys.executable).parent, caller["PATH"]]
    return {**caller, "PATH": os.pathsep.join(map(str, folders)), "COLUMNS": "100"}


def read_commands(text: str) -> Iterator[tuple[str, str]]:
    """Go through the commands of a console block, each with the answer that is shown."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while lines[count - 1].endswith("\\\n"):
            count += 1
        yield "".join(lines[:count]).rstrip(), "".join(lines[count:])


def parse(block: Block) -> None:
    """Make sure that a block is of its language."""
    if block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "yaml":
        yaml.safe_load(block.text)
    elif block.language == "sql":
        sqlglot.parse_one(block.text, read="duckdb")
    else:
        raise AssertionError(f"a block of {block.language!r}: nobody knows how to test it")
