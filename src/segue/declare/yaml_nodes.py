"""YAML as nodes, so that every key has its line; read as YAML 1.2 does where 1.1 surprises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from segue.errors import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.declare.problems import Problems

LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_NODES = 100_000
MAX_DEPTH = 40
_TRUTHS = {"true": True, "false": False}
_TOO_DEEP = yaml.ScalarNode("", "")
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, or an item of a list.

    Attributes:
        key: The key as it is written; empty for an item.
        line: Its line.
        node: What stands there.
    """

    key: str
    line: int
    node: yaml.Node

    @property
    def value(self) -> Any:
        """What stands there, as plain values."""
        return to_value(self.node)


def compose(text: str, shown: str, problems: Problems) -> yaml.Node | None:
    """Return the root of a YAML text, or None if it is empty or after reporting a problem.

    Aliases that blow a text up, circles and deep nests are refused; keys that come twice are
    reported, however deep.
    """
    try:
        # before composing: the parser in C does not survive a deep nest
        root = yaml.compose(text, LOADER) if _is_shallow(text) else _TOO_DEEP
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        said = error.problem or error.context or "it can't be read"
        problems.add("yaml-syntax", f"not valid YAML: {said}", Location(shown, line))
        return None
    except (yaml.YAMLError, RecursionError) as error:
        problems.add("yaml-syntax", f"not valid YAML: {error}", Location(shown))
        return None
    if root is _TOO_DEEP or (root is not None and not _is_bounded(root)):
        hint = "write it out, without anchors and aliases"
        problems.add("yaml-syntax", "nested too deeply, or too large", Location(shown, 1), hint)
        return None
    if root is not None:
        _refuse_twice(root, shown, problems)
    return root


def _refuse_twice(root: yaml.Node, shown: str, problems: Problems) -> None:
    """Report keys that come twice in a mapping, wherever it is: one of them would be lost."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        lines: dict[str, int] = {}
        for child in node.value:
            waiting.extend(child if isinstance(child, tuple) else (child,))
            if not isinstance(child, tuple) or not isinstance(child[0], yaml.ScalarNode):
                continue
            key, line = child[0].value, line_of_node(child[0])
            if key in lines:
                message = f"{key!r} comes twice: the first is in line {lines[key]}"
                problems.add("duplicate-key", message, Location(shown, line), "keep one of them")
            lines.setdefault(key, line)


def _is_shallow(text: str) -> bool:
    depth = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return False
    return True


def _is_bounded(root: yaml.Node) -> bool:
    """Return whether a tree stays small with all its aliases followed."""
    budget = MAX_NODES
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        budget -= 1
        if budget < 0 or depth > MAX_DEPTH:
            return False
        for child in node.value if isinstance(node, yaml.CollectionNode) else ():
            parts = child if isinstance(child, tuple) else (child,)
            waiting.extend((part, depth + 1) for part in parts)
    return True


def read_entries(node: yaml.Node, shown: str, problems: Problems) -> list[Entry]:
    """Return the entries of a mapping; keys that are no words are reported.

    Of keys that come twice, which `compose` reports, the first one stays.
    """
    found: dict[str, Entry] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line = line_of_node(key)
        if not isinstance(key, yaml.ScalarNode):
            problems.add("yaml-syntax", "a key must be a word", Location(shown, line))
        else:
            found.setdefault(key.value, Entry(key.value, line, value))
    return list(found.values())


def read_items(node: yaml.Node) -> Iterator[Entry]:
    """Yield the items of a list."""
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield Entry("", line_of_node(item), item)


def line_of_node(node: yaml.Node) -> int:
    """Return the line at which a node begins."""
    return int(node.start_mark.line) + 1


def to_value(node: yaml.Node) -> Any:
    """Return a node as plain values.

    ``no`` and ``on`` are words, and ``12:30`` is no number: only ``true`` and ``false`` are
    booleans. Of keys that come twice the last one stays.
    """
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): to_value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [to_value(item) for item in node.value]
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return _TRUTHS.get(node.value.lower(), node.value)
    if kind in ("int", "float") and ":" in node.value:
        return node.value
    try:
        return _CONSTRUCTOR.construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node.value
