"""What a step's code is, so that a change of it can be seen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from segue.declare.digest import digest_parts, digest_text
from segue.declare.libraries import find_version
from segue.declare.modules import is_project_file
from segue.declare.reach import CodeReader, collect_things

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import FunctionType

    from segue.declare.reach import Thing
    from segue.spec.step import Fingerprint


def fingerprint_function(
    function: Callable[..., Any],
    root: Path,
    options: Sequence[tuple[str, str]] = (),
    libraries: Iterable[str] = (),
    reader: CodeReader | None = None,
) -> Fingerprint:
    """Return the fingerprint of a function.

    It covers the function's normalised syntax, defaults and closure, every function, class and
    constant of the project that it reaches, and the versions of libraries that these use.

    Args:
        function: The function.
        root: The project's folder.
        options: The step's options that decide its result, as texts by name.
        libraries: Top-level modules that count though the code does not name them.
        reader: Reads code; a shared one reads a shared helper once.
    """
    reader = reader or CodeReader(root)
    first = reader.read_function(cast("FunctionType", function))
    things = list(collect_things(first))
    opaque = sorted({reason for thing in things for reason in thing.opaque})
    used = {name for thing in things for name in thing.libraries}.union(libraries)
    parts = [*option_parts(options), *_name_things(things)]
    parts += [(f"library {name}", find_version(name)) for name in sorted(used)]
    if opaque:
        parts.append(("project files", digest_files(root)))
    return digest_parts(parts, "; ".join(opaque))


def digest_files(root: Path) -> str:
    """Return the digest of all Python files of a project."""
    texts = []
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if is_project_file(f"{base}/{name}/", root))
        for name in sorted(name for name in names if name.endswith(".py")):
            with open(f"{base}/{name}", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as os.walk gives it
                texts.append(f"{os.path.relpath(base, root)}/{name}\0{digest_text(file.read())}")
    return digest_text("\0".join(texts))


def option_parts(options: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parts of a fingerprint that options are."""
    return [(f"option {name}", digest_text(value)) for name, value in options]


def _name_things(things: Sequence[Thing]) -> list[tuple[str, str]]:
    """Name each thing for people: with its module, if that is not the step's own."""
    first = things[0]
    named: dict[str, list[str]] = {}
    for thing in things:
        noun = "function" if thing is first else thing.noun
        own = thing.module in (first.module, "")
        name = f"{noun} {thing.name}" if own else f"{noun} {thing.module}.{thing.name}"
        named.setdefault(name, []).append(thing.digest)
    return [
        (name if number == 1 else f"{name} ({number})", digest)
        for name, digests in named.items()
        for number, digest in enumerate(sorted(digests), start=1)
    ]
