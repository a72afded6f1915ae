"""Python values as text that is the same in every process, so that a constant counts by value."""

from __future__ import annotations

import copyreg
import types
from dataclasses import dataclass, field
from typing import Any

ATOMS = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented))
_CODE = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ModuleType,
    type,
)


@dataclass
class Value:
    """What a value says.

    Attributes:
        words: Its text, in pieces.
        reached: Functions, classes and modules that it holds.
        types: Types of the objects that it holds.
        unseen: Names of the types whose values can't be seen.
    """

    words: list[str] = field(default_factory=list)
    reached: list[Any] = field(default_factory=list)
    types: set[type] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)


def read_value(value: Any) -> Value:
    """Return what a value says: by its content, never by its address.

    Example:
        >>> read_value({"a": {2, 1}}).words == read_value({"a": {1, 2}}).words
        True
    """
    reader = _ValueReader()
    try:
        reader.read(value)
    except RecursionError:
        reader.value.unseen.add(type(value).__name__)
    return reader.value


class _ValueReader:
    def __init__(self) -> None:
        self.value = Value()
        self.words = self.value.words
        # Kept with their number, so that a circle ends and an address is not used again.
        self.seen: dict[int, tuple[int, Any]] = {}

    def read(self, value: Any) -> None:
        kind = type(value)
        if kind in ATOMS:
            self.words.append(f"{kind.__name__} {value!r}")
            return
        if id(value) in self.seen:
            self.words.append(f"seen {self.seen[id(value)][0]}")
            return
        self.seen[id(value)] = (len(self.seen), value)
        if kind in (list, tuple):
            self._read_items(kind.__name__, value)
        elif kind in (dict, types.MappingProxyType):
            self._read_items("dict", [part for pair in value.items() for part in pair])
        elif kind in (set, frozenset):
            self._read_set(value)
        elif isinstance(value, _CODE) or is_wrapper(value):
            self.words.append(f"code {_name_of(value)}")
            self.value.reached.append(value)
        else:
            self._read_object(value)

    def _read_items(self, noun: str, items: Any) -> None:
        self.words.append(f"{noun}(")
        for item in items:
            self.read(item)
        self.words.append(")")

    def _read_set(self, items: Any) -> None:
        texts = []
        for item in items:
            start = len(self.words)
            self.read(item)
            texts.append("\0".join(self.words[start:]))
            del self.words[start:]
        self.words += ["set(", *sorted(texts), ")"]

    def _read_object(self, value: Any) -> None:
        """Read an object by what pickling would keep of it."""
        kind = type(value)
        self.value.types.add(kind)
        self.words.append(f"object {kind.__module__}.{kind.__qualname__}")
        if kind.__module__ == "_thread":
            return  # a lock says nothing
        try:
            reduce = copyreg.dispatch_table.get(kind)
            parts: Any = reduce(value) if reduce else value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - objects refuse with whatever error they like
            self.value.unseen.add(kind.__name__)
            return
        if isinstance(parts, str):
            self.words.append(parts)
            return
        for part in parts:
            # items of lists and dictionaries come as iterators
            self.read(list(part) if hasattr(part, "__next__") else part)


def is_wrapper(value: Any) -> bool:
    """Return whether an object wraps a function, as `functools.lru_cache` makes one."""
    return type(value).__module__ == "functools" and hasattr(value, "__wrapped__")


def _name_of(value: Any) -> str:
    module = getattr(value, "__module__", None) or ""
    return f"{module}.{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"
