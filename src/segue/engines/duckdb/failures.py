"""DuckDB's errors as segue's: what was wrong, where, and the next move."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

import duckdb

from segue.engines.duckdb.file_failures import explain_file_failure
from segue.errors import (
    Location,
    SegueError,
    SqlError,
    StepError,
    StepMemoryError,
    StorageFullError,
)
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FULL = re.compile(r"no space left|max_temp_directory_size|disk quota", re.IGNORECASE)
_LINE = re.compile(r"\n\s*LINE (\d+):.*", re.DOTALL)
_WIDTH = 300


def translate_error(
    error: Exception,
    query: str,
    skip: int,
    files: Mapping[str, str],
    tables: Sequence[str] = (),
) -> SegueError:
    """Return the error that a user is to see.

    Args:
        error: What DuckDB raised, with ``errors_as_json`` or without.
        query: The user's query.
        skip: Bytes that stood before the query in what DuckDB was given.
        files: How to show each file that is bound, by path.
        tables: Names that are bound.
    """
    details = _read_details(error)
    message = str(details["exception_message"])
    if isinstance(error, duckdb.InterruptException):
        return StepError("the query was stopped")
    if _FULL.search(message):
        return StorageFullError(
            "no room is left for temporary files or results",
            hint="free some space, or give the engine more memory so that less is put aside",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return StepMemoryError(
            f"the query needs more memory than it may use ({_first_line(message)})",
            hint="raise `memory` of the place or step, or ask for less at a time",
        )
    found = explain_file_failure(message, files)
    if found is not None:
        return found
    line = _find_line(details, query, skip)
    text, hint = _explain(message, details, tables)
    return SqlError(text, hint=hint, location=None if line is None else Location("", line))


def _read_details(error: Exception) -> dict[str, Any]:
    text = str(error)
    try:
        details = json.loads(text[text.index("{") :], strict=False)
    except ValueError:
        details = None
    if isinstance(details, dict) and "exception_message" in details:
        return details
    _, _, body = text.partition(": ")
    line = _LINE.search(body)
    message = _LINE.sub("", body) if line else body or text
    return {"exception_message": message.strip(), "line": int(line[1]) if line else None}


def _find_line(details: Mapping[str, Any], query: str, skip: int) -> int | None:
    """Return the line of the user's query, from 1, at which DuckDB points."""
    if details.get("line"):
        return int(details["line"])
    if "position" not in details:
        return None
    at = int(details["position"]) - skip
    text = query.encode()
    # what stands outside is ours
    return text[:at].count(b"\n") + 1 if 0 <= at <= len(text) else None


def _explain(message: str, details: Mapping[str, Any], tables: Sequence[str]) -> tuple[str, str]:
    """Return one sentence and a hint."""
    name = details.get("name")
    # those of functions are no names, but signatures
    named = details.get("error_subtype") in ("COLUMN_NOT_FOUND", "MISSING_ENTRY")
    candidates = str(details.get("candidates") or "") if named else ""
    close = [part for part in re.split(r",\s*", candidates.replace('"', "")) if part]
    hint = f"did you mean {' or '.join(map(repr, close[:3]))}?" if close else ""
    if details.get("error_subtype") == "COLUMN_NOT_FOUND" and name:
        return f"there is no column called {name!r}", hint
    if details.get("error_subtype") == "MISSING_ENTRY" and name:
        kind = str(details.get("type", "name")).lower()
        if kind == "table":
            hint = nearest(str(name), list(tables), noun="table")
        return f"there is no {kind} called {name!r}", hint
    first, _, rest = message.partition("\n")
    if details.get("error_subtype") == "NO_MATCHING_FUNCTION":
        first, hint = first.partition(". ")[0], "cast an argument to a type it takes: x::double"
    elif details.get("exception_type") == "Conversion" and not rest:
        hint = "try_cast(x as type) gives null for what is no value of the type"
    elif not hint:
        hint = textwrap.shorten(" ".join(rest.split()), _WIDTH, placeholder=" …")
    return _first_line(first), hint


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0].rstrip("!. ")
    return textwrap.shorten(line, _WIDTH, placeholder=" …")
