"""What a deployment would change at nodes, in the words of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.edge import EdgePart

_LONGEST = 60
_CODE = {"fingerprint": "code", "sql": "code", "digest": "rows"}
_QUIET = ("schema_id", "function", "file")
"""Fields that say nothing that others do not say better."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs.

    Attributes:
        sign: ``+`` added, ``-`` removed, ``~`` changed.
        kind: What it is, such as ``step``.
        name: Its name.
        what: What of it, such as ``code``; empty for what was added or removed.
    """

    sign: str
    kind: str
    name: str
    what: str = ""

    def __str__(self) -> str:
        """Return the change as one line."""
        return f"{self.sign} {self.kind} {self.name}{f': {self.what}' if self.what else ''}"


def compare_parts(old: EdgePart | None, new: EdgePart) -> list[Change]:
    """Return what differs between the part that runs and another.

    Args:
        old: What runs; None for nothing.
        new: What would.
    """
    changes: list[Change] = []
    for kind, key, attribute in _LISTS:
        before = _name(getattr(old, attribute), key) if old is not None else {}
        changes += _compare(kind, before, _name(getattr(new, attribute), key))
    for attribute in ("spool", "memory", "cpu") if old is not None else ():
        then, now = (_plain(getattr(each, attribute)) for each in (old, new))
        if then != now:
            changes.append(Change("~", "setting", attribute, _tell(then, now)))
    return changes


_LISTS = (
    ("source", "name", "sources"),
    ("step", "name", "steps"),
    ("check", "", "checks"),
    ("table", "table", "sent"),
    ("reference table", "table", "references"),
    ("destination", "name", "destinations"),
    ("alert", "name", "alerts"),
)


def _name(items: Sequence[Any], key: str) -> dict[str, dict[str, Any]]:
    named = {}
    for item in items:
        name = getattr(item, key) if key else f"{item.table}.{item.name}"
        named[str(name)] = {field: _plain(value) for field, value in _fields(item).items()}
    return named


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _plain(value: Any) -> Any:
    """Return a value as it is once it was written into a bundle and read: lists are tuples."""
    if hasattr(value, "__dataclass_fields__"):
        return str(value) if type(value).__name__ == "TableSchema" else _plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _compare(
    kind: str, old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]]
) -> Iterator[Change]:
    for name in [*new, *(each for each in old if each not in new)]:
        if name not in old:
            yield Change("+", kind, name)
        elif name not in new:
            yield Change("-", kind, name)
        elif what := _compare_fields(old[name], new[name]):
            yield Change("~", kind, name, what)


def _compare_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    told: dict[str, None] = {}
    for field, value in new.items():
        before = old.get(field)
        if before == value or field in _QUIET:
            continue
        told[_CODE.get(field) or f"{field} {_tell(before, value)}"] = None
    return "; ".join(told)


def _tell(old: Any, new: Any) -> str:
    """Return both values, of mappings only what differs between them.

    Example:
        >>> _tell({"limit": 80, "unit": "C"}, {"limit": 75, "unit": "C"})
        'limit 80 -> 75'
    """
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return ", ".join(f"{name} {_tell(old.get(name), new.get(name))}" for name in names)
    return f"{_cut(old)} -> {_cut(new)}"


def _cut(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
