"""Files that DuckDB could not read, with the line that is bad."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from segue.errors import Location, SourceError
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segue.spec.scan import Scan

_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_TEXT = re.compile(r"Original Line: ?(.*)")
_CSV_FILE = re.compile(r"^\s*file = (.*)$", re.MULTILINE)
_JSON = re.compile(r'(?:JSON \w+ error|Malformed JSON) in file "(.*?)",? .*?in line (\d+): (.*)')
_ADVICE = re.compile(
    r"(?:Column .* is being converted|Possible|Try setting|\n\s*file = ).*", re.DOTALL
)
_CSV_VALUE = re.compile(
    r"converting column \"(.*?)\"\. Could not convert string \"(.*?)\" to '(.*?)'", re.DOTALL
)
_WORDS = {
    "BIGINT": "int64",
    "INTEGER": "int32",
    "DOUBLE": "float64",
    "BOOLEAN": "bool",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
_DAMAGE = re.compile(
    r"decompress|corrupt|thrift|know what type|snappy|zstd|out of buffer|parquet|page header",
    re.IGNORECASE,
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
    named = [path for path in sorted(files, key=len, reverse=True) if path in message]
    if not named and _DAMAGE.search(message):
        named = find_damaged(files)
    if not named:
        return None
    reason = message.partition("\n")[0]
    for path in named:
        reason = reason.replace(path, files[path])
    union = "schema mismatch" in message
    return SourceError(
        f"the file can't be read: {_shorten(reason)}",
        location=Location(files[named[0]]),
        hint="set union = true to fill missing columns with nulls"
        if union
        else "is it whole, and of the kind that its name says?",
    )


def find_damaged(files: Iterable[str]) -> list[str]:
    """Return the first Parquet file that can't be read to its end, where DuckDB names none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files:
        if path.endswith((".parquet", ".pq")):
            try:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches():
                        batch.validate()
            except (pa.ArrowException, OSError):
                return [path]
    return []


def show_file(scan: Scan, path: str) -> str:
    """Return how messages name a file of a scan."""
    return str(scan.options.get("shown", {}).get(path, path))


def refuse_unknown_types(scan: Scan, names: Sequence[str]) -> None:
    """Refuse types that are stated of columns that are not there.

    Raises:
        SourceError: One is.
    """
    unknown = next((name for name in scan.types if name not in names), None)
    if unknown is not None:
        raise SourceError(
            f"`types` names a column {unknown!r} that the file does not have",
            location=Location(show_file(scan, scan.paths[0])),
            hint=nearest(unknown, list(names)),
        )


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
    if _find_utf16(path):
        where = Location(files.get(path, path), None)
        return SourceError("its text is UTF-16", location=where, hint='state encoding = "utf-16"')
    if "not utf-8" in message or "unicode" in message:
        return _explain_encoding(path, files.get(path, path), line)
    text = _CSV_TEXT.search(message)
    shown = f": {_shorten(text[1])}" if text and text[1].strip() else ""
    reason, hint = _read_csv_reason(message)
    where = Location(files.get(path, path), line)
    return SourceError(f"{reason}{shown}", location=where, hint=hint)


def _read_csv_reason(message: str) -> tuple[str, str]:
    bad = _CSV_VALUE.search(message)
    if bad:
        kind = _WORDS.get(bad[3], bad[3].lower())
        stated = f'types = {{ "{bad[1]}" = "string" }}'
        dates = ", state its `date_format`" if kind in ("date", "timestamp") else ""
        return (
            f"column {bad[1]!r}: {_shorten(bad[2])!r} is not of type {kind}",
            f"correct the value, add it to `nulls`{dates}, or set {stated}",
        )
    count = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if count:
        return (
            f"{count[1]} fields were expected, and the line has {count[2]}",
            "correct the line, or set ragged = true to fill short lines with nulls",
        )
    if "Maximum line size" in message:
        size = re.search(r"size of (\d+) bytes", message)
        most = int(size[1]) >> 20 if size else 0
        return f"the line is longer than {most} MiB", "is a quote or a line break missing?"
    if "unterminated quote" in message:
        return "a quote is not closed", "correct the line, or set `quote` and `escape`"
    lines = [each for each in _ADVICE.sub("", message).splitlines() if "Line:" not in each]
    return (
        _shorten(" ".join(lines)).rstrip("."),
        "correct the line, or describe the file with `delimiter`, `quote`, `header`, `skip`",
    )


def _find_utf16(path: str) -> bool:
    """Return whether a file begins as UTF-16 does, and is not unpacked or made plain yet."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as DuckDB wrote it
            return file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    except OSError:
        return False


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
