"""PostgreSQL's errors as segue's: one sentence, and no password."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from segue.errors import EngineError, SqlError, StepError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 300
_CLASSES = {"08": "gone", "57": "gone", "53": "gone", "42": "refused", "0A": "refused"}


@contextmanager
def translated(doing: str, shown: str) -> Iterator[None]:
    """Raise what goes wrong with PostgreSQL as segue's errors.

    Args:
        doing: What is being done, as a message begins: ``the query``.
        shown: Address of the database, without its password.

    Raises:
        SegueError: It tells what PostgreSQL said.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        said = shorten(str(error))
        state = error.sqlstate or ""
        if state == "57014":  # canceled: by its own limit, or by whoever may
            raise StepError(
                f"{doing} was stopped by PostgreSQL: {said}",
                hint="give it more time: …?timeout=5min, or statement_timeout in the place",
                engine="postgres",
            ) from None
        kind = _CLASSES.get(state[:2], "failed")
        if kind == "refused":
            raise UnsupportedError(
                f"PostgreSQL can't do this: {said}", hint="ask for it in another way"
            ) from None
        if kind == "gone" or (not state and isinstance(error, psycopg.OperationalError)):
            raise EngineError(f"{doing} failed at {shown}: {said}") from None
        raise SqlError(f"{doing} failed: {said}", engine="postgres") from None


def shorten(text: str) -> str:
    r"""Return the first line of what PostgreSQL says.

    Example:
        >>> shorten("invalid input syntax\nLINE 1: select ...")
        'invalid input syntax'
    """
    line = next((line for line in text.strip().splitlines() if line.strip()), "it broke")
    line = re.sub(r":\s*$", "", line.strip().removeprefix("ERROR:").strip())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
