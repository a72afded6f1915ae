"""Errors on their way from a worker: a readable text that still holds all of its parts.

Each engine wraps what a worker raises in its own way, most as text. So a worker raises
`WorkerFailure`, whose text ends in a sealed copy of the error; `unseal` finds it in whatever
text arrives.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

from segue import errors
from segue.errors import Location, SegueError

_MARK = "segue-failure:"
_SEALED = re.compile(rf"{_MARK}([A-Za-z0-9+/=]+):")
_TEXTS = ("message", "hint", "step", "engine", "group", "trace", "sample")


class WorkerFailure(Exception):  # noqa: N818  # the error is the one that it holds
    """An error on a worker, told so that it survives any engine.

    Attributes:
        text: The error as people read it, then its sealed copy.
    """

    def __init__(self, text: str) -> None:
        """Keep the text, by which alone it is pickled."""
        super().__init__(text)
        self.text = text


def seal(error: SegueError) -> WorkerFailure:
    """Return an error as one that can travel.

    Args:
        error: Any but a `ProjectError`, which has parts of its own and never comes from a worker.

    Example:
        >>> from segue.errors import StepError
        >>> back = unseal(f"RuntimeError: {seal(StepError('it broke', step='daily', group='a=1'))}")
        >>> type(back).__name__, back.message, back.group
        ('StepError', 'it broke', 'a=1')
    """
    parts: dict[str, Any] = {"class": type(error).__name__}
    parts |= {name: text for name in _TEXTS if (text := getattr(error, name, ""))}
    if error.location is not None:
        parts["path"], parts["line"] = error.location.path, error.location.line
    packed = base64.b64encode(zlib.compress(json.dumps(parts).encode())).decode()
    return WorkerFailure(f"{error}\n[{_MARK}{packed}:]")


def unseal(text: str) -> SegueError | None:
    """Return the error that is sealed in a text, None if there is none."""
    found = _SEALED.search(text)
    if found is None:
        return None
    parts = json.loads(zlib.decompress(base64.b64decode(found[1])))
    kind: type[SegueError] = getattr(errors, parts.pop("class"))
    path, line = parts.pop("path", None), parts.pop("line", None)
    location = None if path is None else Location(path, line)
    message = parts.pop("message", "")
    if not issubclass(kind, errors.StepError):
        return kind(message, hint=parts.get("hint", ""), location=location)
    return kind(message, location=location, **parts)
