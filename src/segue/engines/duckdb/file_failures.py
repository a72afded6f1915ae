"""Files that DuckDB could not read, with the line that is bad."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from segue.errors import Location, SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_TEXT = re.compile(r"Original Line: ?(.*)")
_CSV_FILE = re.compile(r"^\s*file = (.*)$", re.MULTILINE)
_JSON = re.compile(r'(?:JSON \w+ error|Malformed JSON) in file "(.*?)",? .*?in line (\d+): (.*)')
_ADVICE = re.compile(
    r"(?:Column .* is being converted|Possible|Try setting|\n\s*file = ).*", re.DOTALL
)
_WIDTH = 200


def explain_file_failure(message: str, files: Mapping[str, str]) -> SourceError | None:
    """Return the error of a file that can't be read, or None if no file is to blame.

    Args:
        message: DuckDB's message.
        files: How to show each file that is bound, by path.
    """
    if "CSV" in message and _CSV_FILE.search(message):
        return _explain_csv(message, files)
    found = _JSON.search(message)
    if found:
        return _explain_json(found[1], int(found[2]), found[3], files)
    path = next((path for path in files if path in message), "")
    if path:
        reason = _shorten(message.replace(path, files[path]).partition("\n")[0])
        return SourceError(
            f"the file can't be read: {reason}",
            location=Location(files[path]),
            hint="is it whole, and of the kind that its name says?",
        )
    return None


def _explain_json(path: str, line: int, reason: str, files: Mapping[str, str]) -> SourceError:
    malformed = find_bad_json(path)
    if malformed is not None:
        line, reason = malformed
    return SourceError(
        f"not the JSON that is expected here: {_shorten(reason)}",
        location=Location(files.get(path, path), line),
        hint="correct the line, or state the type of its columns with `types`",
    )


def find_bad_json(path: str) -> tuple[int, str] | None:
    """Return line and reason of the first line that is no JSON; DuckDB's count is not exact.

    None for a file that is whole, or is not written as one value a line.
    """
    if not path.endswith((".jsonl", ".ndjson")):
        return None
    number = 1
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as DuckDB wrote it
            for text in file:
                if text.strip():
                    json.loads(text)
                number += 1
    except ValueError as error:
        return number, str(error)
    except OSError:
        return None
    return None


def _explain_csv(message: str, files: Mapping[str, str]) -> SourceError:
    path = _CSV_FILE.findall(message)[0].strip()
    found = _CSV_LINE.search(message)
    line = int(found[1]) if found else None
    if "not utf-8" in message or "unicode" in message:
        return _explain_encoding(path, files.get(path, path), line)
    text = _CSV_TEXT.search(message)
    reason = _ADVICE.sub("", message)
    for pattern in (_CSV_LINE, _CSV_TEXT):
        reason = pattern.sub("", reason)
    shown = f" in {_shorten(text[1])!r}" if text and text[1].strip() else ""
    return SourceError(
        f"{_shorten(reason).rstrip('.')}{shown}",
        location=Location(files.get(path, path), line),
        hint=_advise(message),
    )


def _advise(message: str) -> str:
    column = re.search(r'converting column "(.*?)"', message)
    if column:
        return (
            f'correct the value, add it to `nulls`, or set types = {{ "{column[1]}" = "string" }}'
        )
    if "Expected Number of Columns" in message:
        return "correct the line, or set ragged = true to fill short lines with nulls"
    if "quote" in message.lower():
        return "correct the line, or set `quote` and `escape`"
    return "correct the line, or describe the file with `delimiter`, `quote`, `header`, `skip`"


def _explain_encoding(path: str, shown: str, line: int | None) -> SourceError:
    bad = find_bad_utf8(path)
    if bad is not None:
        line, byte = bad
        detail = f"byte 0x{byte:02x} is not UTF-8"
    else:
        detail = "its text is not in the stated encoding"
    return SourceError(
        detail,
        location=Location(shown, line),
        hint='state what it is written in, such as encoding = "cp1252"',
    )


def find_bad_utf8(path: str) -> tuple[int, int] | None:
    """Return line and value of a file's first byte that is not UTF-8, None if all of it is."""
    number = 1
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as DuckDB wrote it
            for text in file:
                text.decode()
                number += 1
    except UnicodeDecodeError as error:
        return number, error.object[error.start]
    except OSError:
        return None
    return None


def _shorten(text: str) -> str:
    return textwrap.shorten(" ".join(text.split()), _WIDTH, placeholder="…")
