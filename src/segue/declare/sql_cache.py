"""SQL files that were read before: neither they nor the parser have to be read again.

Loading the parser and parsing a thousand files takes longer than all else that a run does
which finds nothing to do. What was read is kept in the user's cache folder, by the digest of
each text.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.declare.cache import CacheFile, name_maker
from segue.errors import Location
from segue.spec.step import Fingerprint, Limits, Mode, StepSpec

if TYPE_CHECKING:
    from segue.declare.problems import Problems

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
        here = os.path.dirname(__file__)  # noqa: PTH120  # text is what is needed
        maker = name_maker("sqlglot", (f"{here}/{name}" for name in _READERS))
        self._file = CacheFile(folder, "sql", root, maker)
        known = self._file.load()
        self._known: dict[str, list[Any]] = known if isinstance(known, dict) else {}
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
        if self._used.keys() != self._known.keys():
            self._file.keep(self._used)


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
