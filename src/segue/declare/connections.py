"""``[connections]`` of ``segue.toml`` alone: for who reads databases without the project."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from segue.declare.locate import find_lines, line_of
from segue.declare.problems import Problems, read_text
from segue.declare.sources import plain_message
from segue.errors import Location
from segue.settings import ConnectionSettings

if TYPE_CHECKING:
    from pathlib import Path

FILE = "segue.toml"


def read_connections(root: Path) -> dict[str, str]:
    """Return the addresses of databases by name; what else the file says does not matter.

    Args:
        root: Folder with ``segue.toml``.

    Raises:
        ProjectError: The file can't be read, or says something else of a connection.
    """
    problems = Problems()
    text = read_text(root / FILE, FILE, problems)
    problems.check()
    try:
        stated = tomllib.loads(text or "").get("connections", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems.add("toml-syntax", f"not valid TOML: {error}", Location(FILE))
        stated = {}
    urls = {}
    lines = find_lines(text or "")
    for name, connection in stated.items() if isinstance(stated, dict) else ():
        try:
            urls[name] = ConnectionSettings.model_validate(connection).url
        except ValidationError as error:
            found = error.errors(include_context=False)[0]
            key = ".".join(("connections", name, *map(str, found["loc"])))
            where = Location(FILE, line_of(("connections", name, *found["loc"]), lines))
            problems.add("bad-value", f"{key}: {plain_message(found)}", where)
    problems.check()
    return urls
