"""What a destination refused for ever, in a file of the node: a line for each record."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from segue.wire.messages import RecordHeader


def add_refusal(path: Path, header: RecordHeader, reason: str) -> None:
    """Write down that a record will not stand at a destination.

    Raises:
        OSError: It can't be written down.
    """
    refusal = {
        "stream": header.stream,
        "epoch": header.epoch,
        "first": header.first,
        "last": header.last,
        "rows": header.rows,
        "reason": reason,
    }
    with path.open("a") as file:
        # what a kill has cut off must not swallow this line
        file.write("\n" * bool(file.tell()) + json.dumps(refusal) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_refusals(path: Path) -> list[dict[str, Any]]:
    """Return what was written down, oldest first, each record once.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from segue.wire.messages import RecordHeader
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, "archive.refused.jsonl")
        ...     for _ in range(2):  # a kill before it is acknowledged writes it down again
        ...         add_refusal(path, RecordHeader("readings", "0" * 16, 7, 7, rows=3), "no")
        ...     [(each["first"], each["rows"]) for each in read_refusals(path)]
        [(7, 3)]
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    found = {}
    for line in lines:
        if line.startswith("{") and line.endswith("}"):
            refusal = json.loads(line)
            found[refusal["stream"], refusal["epoch"], refusal["first"]] = refusal
    return [*found.values()]
