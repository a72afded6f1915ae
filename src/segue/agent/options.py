"""What a user stated for a source or a destination at a node, with defaults filled in.

Standard library only: a node has no pydantic to spare.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.errors import SegueError
    from segue.spec.edge import DestinationSpec, EdgeSource

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BYTES |= {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_METHODS = {bool: "flag", int: "whole", str: "text", list: "texts", dict: "table"}
"""How an option is read, by the type of its default."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options that are complete; each is read as the type that it must have.

    Attributes:
        where: Whose they are, for errors: ``destination 'archive'``.
        values: The options.
        error: Class of the errors.

    Example:
        >>> from segue.errors import SourceError
        >>> found = Options("table 'a'", {"every": "1.5m", "most": "2KB"}, SourceError)
        >>> found.seconds("every"), found.size("most")
        (90.0, 2000)
    """

    where: str
    values: Mapping[str, Any]
    error: type[SegueError]

    def text(self, name: str) -> str:
        """Return a text; a number is one too."""
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(name, "a text")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return texts; one by itself is a list of one."""
        value = self.values[name]
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
            raise self.wrong(name, "a text or a list of texts")
        return tuple(found)

    def whole(self, name: str, least: int = 0) -> int:
        """Return a whole number."""
        value = self.values[name]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.wrong(name, f"a whole number from {least}")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.values[name]
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def choice(self, name: str, *known: str) -> str:
        """Return one of some words."""
        value = self.values[name]
        if str(value) not in known:
            raise self.wrong(name, f"one of {', '.join(known)}")
        return str(value)

    def seconds(self, name: str) -> float:
        """Return seconds: a number, or a text such as ``90s``, ``5m``, ``2h``."""
        return self._measure(name, _SECONDS, "a duration, such as 90s, 5m or 2h")

    def size(self, name: str) -> int:
        """Return bytes: a number, or a text such as ``500KB``, ``8MiB``."""
        return int(self._measure(name, _BYTES, "a size, such as 500KB or 8MiB"))

    def _measure(self, name: str, units: Mapping[str, float], what: str) -> float:
        value = self.values[name]
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return float(value)
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(value))
        factor = match and (units.get(match[2]) or units.get(match[2].upper()))
        if match is None or factor is None:
            raise self.wrong(name, what)
        return float(match[1]) * factor

    def table(self, name: str) -> dict[str, Any]:
        """Return names and values."""
        value = self.values[name]
        if not isinstance(value, dict):
            raise self.wrong(name, "a table of names and values")
        return value

    def wrong(self, name: str, what: str) -> SegueError:
        """Return the error that an option is not what it must be; its value is not shown."""
        return self.error(f"{self.where}: {name} must be {what}")


class CheckedKind:
    """What a kind of source or destination inherits to have its options checked and filled.

    Attributes:
        optional: Options that may be stated, and their defaults; a value must be of the type of
            its default.
        shapes: Options that must be more than that: a method of `Options`, and its arguments.
    """

    optional: Mapping[str, Any]
    shapes: Mapping[str, tuple[str, ...]] = {}

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with the values of options, one sentence each.

        What has a secret in it is known at the node only, and passed over.
        """
        from segue.errors import UsageError

        problems = []
        reader = Options("", options, UsageError)
        for name, value in options.items():
            if "${" in str(value) or name not in (*self.optional, *self.shapes):
                continue
            method, *words = self.shapes.get(name) or (_METHODS[type(self.optional[name])],)
            try:
                getattr(reader, method)(name, *words)
            except UsageError as error:
                problems.append(error.message.removeprefix(": "))
        return problems

    def fill_source(self, source: EdgeSource) -> Options:
        """Return the options of a source, with defaults; see `fill_options`."""
        from segue.errors import SourceError

        return fill_options(f"table {source.name!r}", self, source.options, SourceError)

    def fill_destination(self, destination: DestinationSpec) -> Options:
        """Return the options of a destination, with defaults; see `fill_options`."""
        from segue.errors import DestinationError

        where = f"destination {destination.name!r}"
        return fill_options(where, self, destination.options, DestinationError)


def fill_options(
    where: str,
    kind: Any,
    stated: Mapping[str, Any],
    error: type[SegueError],
) -> Options:
    """Return what was stated, with the defaults of a kind.

    Args:
        where: Whose options they are, for errors.
        kind: What has `required` and `optional`.
        stated: What was stated.
        error: Class of the errors.

    Raises:
        SegueError: One is missing, or is none of the kind's: an instance of `error`.
    """
    from segue.registry import nearest

    known = (*kind.required, *kind.optional)
    for name in stated:
        if name not in known:
            raise error(f"{where}: there is no option {name!r}", hint=nearest(name, known))
    for name in kind.required:
        if stated.get(name) in (None, "", [], ()):
            raise error(f"{where}: {name} must be stated")
    return Options(where, {**kind.optional, **stated}, error)
