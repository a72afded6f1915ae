"""SQL files that were read before: neither they nor the parser have to be read again.

Loading the parser and parsing a thousand files takes longer than all else that a run does
which finds nothing to do. What was read is kept in the user's cache folder, by the digest of
each text; `SEGUE_CACHE` names another folder, or none if it is empty. Losing it costs time only.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.declare.libraries import find_version
from segue.errors import Location
from segue.spec.step import Fingerprint, Limits, Mode, StepSpec

if TYPE_CHECKING:
    from segue.declare.problems import Problems

VARIABLE = "SEGUE_CACHE"
_READERS = ("sql.py", "sql_fingerprint.py", "digest.py", "options.py", Path(__file__).name)
"""Files that decide what is read out of a text: another one of them makes the cache anew."""


class SqlCache:
    """What is known of the SQL files of one project.

    Example:
        >>> cache = SqlCache(Path("shop"), folder=None)
        >>> from segue.declare.problems import Problems
        >>> cache.read("b", "select * from a", "steps/b.sql", Problems()).reads
        ('a',)
    """

    def __init__(self, root: Path, folder: Path | None) -> None:
        """Look up what is known.

        Args:
            root: Folder of the project.
            folder: Where it is kept; None to keep nothing.
        """
        name = hashlib.sha256(str(root).encode()).hexdigest()[:32]
        self._file = None if folder is None else folder / "sql" / f"{name}.json"
        self._maker = _name_maker()
        self._known = self._load()
        self._used: dict[str, list[Any]] = {}

    def read(self, name: str, text: str, shown: str, problems: Problems) -> StepSpec | None:
        """Return what `segue.declare.sql.read_sql_step` does; it is asked where that is new."""
        mark = hashlib.sha256(f"{name}\0{shown}\0{text}".encode()).hexdigest()
        known = self._known.get(mark)
        if known is not None:
            self._used[mark] = known
            return _decode(name, shown, text, known)
        from segue.declare.sql import read_sql_step

        before = len(problems)
        step = read_sql_step(name, text, shown, problems)
        plain = step is not None and step.window is None and step.model is None
        if step is not None and plain and len(problems) == before:
            self._used[mark] = _encode(step, text)
        return step

    def keep(self) -> None:
        """Write down what was read, if that is not what was known."""
        if self._file is None or self._used.keys() == self._known.keys():
            return
        whole = {"maker": self._maker, "steps": self._used}
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a cache that can't be written is none
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(json.dumps(whole, separators=(",", ":")))
            partial.replace(self._file)

    def _load(self) -> dict[str, list[Any]]:
        try:
            whole = json.loads(self._file.read_bytes()) if self._file is not None else {}
            steps = whole["steps"] if whole.get("maker") == self._maker else {}
        except (OSError, ValueError, KeyError, AttributeError):  # not there, or cut off
            return {}
        return steps if isinstance(steps, dict) else {}


def find_cache() -> Path | None:
    """Return the user's cache folder, None if nothing is to be kept."""
    if (named := os.environ.get(VARIABLE)) is not None:
        return Path(named) if named else None
    kept = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(kept) / "segue" if os.path.isabs(kept) else None  # noqa: PTH117 - no home at all


def _name_maker() -> list[str]:
    """Return what reads SQL files: versions, and the state of the files that do it."""
    here = os.path.dirname(__file__)  # noqa: PTH120  # text is what is needed
    stats = (os.stat(f"{here}/{name}") for name in _READERS)  # noqa: PTH116
    return [
        find_version("segue"),
        find_version("sqlglot"),
        *(f"{stat.st_size}-{stat.st_mtime_ns}" for stat in stats),
    ]


def _encode(step: StepSpec, text: str) -> list[Any]:
    sql, code = step.sql or "", step.fingerprint
    start = text.index(sql)
    return [
        step.location.line,
        step.reads,
        step.mode.value,
        [code.digest, code.parts, code.opaque],
        [start, start + len(sql)],
        step.key,
        step.schema,
        step.tags,
        step.on,
        astuple(step.limits),
        step.about,
    ]


def _decode(name: str, shown: str, text: str, known: list[Any]) -> StepSpec:
    line, reads, mode, code, (start, end), key, schema, tags, on, limits, about = known
    digest, parts, opaque = code
    return StepSpec(
        name=name,
        location=Location(shown, line),
        reads=tuple(reads),
        mode=Mode(mode),
        fingerprint=Fingerprint(digest, tuple((part, value) for part, value in parts), opaque),
        sql=text[start:end],
        key=tuple(key),
        schema=schema,
        tags=tuple(tags),
        on=on,
        limits=Limits(*limits),
        about=about,
    )
