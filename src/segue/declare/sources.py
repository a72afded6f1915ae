"""``[tables.<name>]`` of ``segue.toml``: where source tables come from."""

from __future__ import annotations

import os
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from segue import registry
from segue.declare.locate import line_of
from segue.declare.problems import check_name
from segue.errors import Location, MissingExtraError
from segue.registry import nearest
from segue.spec.step import SourceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from segue.declare.problems import Problems

COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".zip")
MAX_SEARCHED = 1000
"""Most files of a folder or pattern that are looked at to learn their kind."""


@cache
def _kinds_by_suffix() -> dict[str, str]:
    kinds: dict[str, str] = {}
    for kind in registry.names(registry.SOURCES):
        try:
            suffixes = registry.load_source(kind).suffixes
        except MissingExtraError:
            continue
        kinds.update(dict.fromkeys(suffixes, kind))
    return kinds


def read_source(
    name: str,
    table: Mapping[str, Any],
    location: Location,
    lines: Mapping[tuple[str, ...], int],
    root: Path,
    problems: Problems,
    urls: Mapping[str, str] | None = None,
) -> SourceSpec | None:
    """Read one source table.

    Args:
        name: Name of the table.
        table: What the file says about it.
        location: Where it begins.
        lines: Line of each key of the file, by path.
        root: The project's folder.
        problems: Takes what is wrong.
        urls: Addresses of databases, by connection.

    Returns:
        The source, or None if it can't be used.
    """
    check_name(name, "table", location, problems)
    options = _read_connection(name, table, urls or {}, lines, problems)
    if options is None:
        return None
    kind = _find_kind(name, options, location, lines, root, problems)
    if kind is None or not _check_options(name, kind, options, location, lines, problems):
        return None
    return SourceSpec(name, location, kind, options)


def _read_connection(
    name: str,
    table: Mapping[str, Any],
    urls: Mapping[str, str],
    lines: Mapping[tuple[str, ...], int],
    problems: Problems,
) -> dict[str, Any] | None:
    """Return a table's options, with the address of the connection that it names, if it does."""
    options = dict(table)
    if "connection" not in options:
        return options
    where = Location("segue.toml", line_of(("tables", name, "connection"), lines))
    stated = str(options.pop("connection"))
    if stated not in urls:
        hint = nearest(stated, list(urls), noun="connection")
        message = f"there is no connection called {stated!r}"
        problems.add("unknown-name", message, where, f"{hint}; write [connections.{stated}]")
        return None
    if bool(options.get("table")) == bool(options.get("query")):
        hint = 'write table = "public.orders" or query = "select ..."'
        problems.add("missing-key", f"table {name!r} says table or query", where, hint)
        return None
    return {**options, "kind": "database", "url": urls[stated]}


def _find_kind(
    name: str,
    options: dict[str, Any],
    location: Location,
    lines: Mapping[tuple[str, ...], int],
    root: Path,
    problems: Problems,
) -> str | None:
    """Return the kind of a source, and take the key that states it out of its options."""
    known = registry.names(registry.SOURCES)
    stated = "kind" if "kind" in options else "format"
    if stated in options:
        word = str(options.pop(stated)).lower()
        kind = word if word in known else _kinds_by_suffix().get(f".{word}")
        if kind is None:
            where = Location(location.path, line_of(("tables", name, stated), lines))
            message = f"there is no kind of source called {word!r}"
            problems.add("unknown-kind", message, where, nearest(word, known))
        return kind
    path = options.get("path")
    if not isinstance(path, str) or not path:
        hint = 'write path = "..." with a file, a folder or a pattern such as data/*.csv'
        meant = get_close_matches("path", [key for key in options if key != "path"], n=1)
        if meant:
            location = Location(location.path, line_of(("tables", name, meant[0]), lines))
            hint = f"is {meant[0]!r} meant to be 'path'?"
        problems.add("missing-key", f"table {name!r} has no path", location, hint)
        return None
    kind = _guess_kind(path, root)
    if kind is None:
        where = Location(location.path, line_of(("tables", name, "path"), lines))
        formats = sorted(set(_kinds_by_suffix().values()))  # a database has no files
        hint = f"say so with format = one of {', '.join(formats)}"
        problems.add("unknown-kind", f"{path!r} does not tell its format", where, hint)
    return kind


def _guess_kind(path: str, root: Path) -> str | None:
    """Return the kind that a path's ending means, or what lies in its folder."""
    kind = _kind_of_name(path)
    if kind is not None:
        return kind
    full = root / path
    if (full / "_delta_log").is_dir():
        return "delta"
    for found, _ in zip(_walk_names(full), range(MAX_SEARCHED), strict=False):
        kind = _kind_of_name(found)
        if kind is not None:
            return kind
    return None


def _kind_of_name(name: str) -> str | None:
    lowered = name.lower()
    for compression in COMPRESSIONS:
        lowered = lowered.removesuffix(compression)
    return _kinds_by_suffix().get(os.path.splitext(lowered.rstrip("/"))[1])  # noqa: PTH122 - a pattern is no path


def _walk_names(path: Path) -> Iterator[str]:
    if path.is_dir():
        for _, folders, names in os.walk(path):
            folders.sort()
            yield from sorted(names)
    elif any(sign in path.name for sign in "*?["):
        parent = path.parent
        yield from (found.name for found in parent.glob(path.name)) if parent.is_dir() else ()


def plain_message(found: ErrorDetails) -> str:
    """Return what pydantic says of a value, as part of a sentence."""
    message = found["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}"


def _check_options(
    name: str,
    kind: str,
    options: Mapping[str, Any],
    location: Location,
    lines: Mapping[tuple[str, ...], int],
    problems: Problems,
) -> bool:
    try:
        model = registry.load_source(kind).options
    except MissingExtraError as error:
        problems.add(error.code, error.message, location, error.hint)
        return False
    try:
        model.model_validate(options)
    except ValidationError as error:
        for found in error.errors():
            path = tuple(str(key) for key in found["loc"])
            where = Location(location.path, line_of(("tables", name, *path), lines))
            shown = ".".join(path)
            if found["type"] == "extra_forbidden":
                hint = nearest(path[-1], tuple(model.model_fields) if len(path) == 1 else ())
                problems.add("unknown-key", f"{kind} sources have no key {shown!r}", where, hint)
            elif found["type"] == "missing":
                message = f"table {name!r} needs the key {shown!r}"
                problems.add("missing-key", message, where)
            else:
                problems.add("bad-value", f"{shown}: {plain_message(found)}", where)
        return False
    return True
