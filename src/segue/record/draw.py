"""A lineage as a tree of text, as Mermaid, and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.record.lineage import Edge, Lineage

_SHAPES = {
    "source": ("[(", ")]"),
    "table": ("[", "]"),
    "view": ("(", ")"),
    "effect": ("[/", "/]"),
    "rejects": ("[", "]"),
}
_UNSAFE = {
    **{ord(sign): f"#{ord(sign)};" for sign in '"#<>[](){}|\\/&;`'},
    **dict.fromkeys((*range(32), 127), " "),
}


def lineage_to_json(lineage: Lineage) -> dict[str, Any]:
    """Return a lineage as plain values."""
    return {
        "nodes": [asdict(node) for node in lineage.nodes],
        "edges": [asdict(edge) for edge in lineage.edges],
    }


def draw_tree(lineage: Lineage, root: str | None = None, *, onward: bool = False) -> str:
    """Return a lineage as indented text: below each node what it is made from.

    A node that was shown before is not followed a second time.

    Args:
        lineage: The lineage.
        root: Node to begin with; all nodes at the far end if None.
        onward: Whether to show below each node what is made from it instead.

    Example:
        >>> from segue.record.lineage import Edge, Lineage, Node
        >>> nodes = (Node("raw", "source"), Node("orders", "table"))
        >>> print(draw_tree(Lineage(nodes, (Edge("raw", "orders"),))))
        orders
        └─ raw (source)
    """
    branches: dict[str, list[Edge]] = {node.name: [] for node in lineage.nodes}
    for edge in lineage.edges:
        branches[edge.start if onward else edge.end].append(edge)
    reached = {edge.end if onward else edge.start for edge in lineage.edges}
    roots = [root] if root else [n.name for n in lineage.nodes if n.name not in reached]
    kinds = {node.name: node.kind for node in lineage.nodes}
    shown: set[str] = set()
    lines = [line for name in roots for line in _grow(name, branches, kinds, shown, onward)]
    return "\n".join(lines)


def _grow(
    root: str,
    branches: dict[str, list[Edge]],
    kinds: dict[str, str],
    shown: set[str],
    onward: bool,  # noqa: FBT001  # private, and passed on as it came
) -> Iterator[str]:
    """Yield a tree's lines, depth first; an explicit stack, for graphs can be deep."""
    stack: list[tuple[str, str, str, str]] = [(root, "", "", "reads")]
    while stack:
        name, indent, mark, how = stack.pop()
        kind = f" ({kinds[name]})" if kinds.get(name, "table") != "table" else ""
        note = f" — {how}" if how != "reads" and how != kinds.get(name) else ""
        again = " …" if name in shown and branches[name] else ""
        yield f"{indent}{mark}{name}{kind}{note}{again}"
        if name in shown:
            continue
        shown.add(name)
        inner = indent + {"": "", "├─ ": "│  ", "└─ ": "   "}[mark]
        below = branches[name]
        for place, edge in reversed(list(enumerate(below))):
            twig = "└─ " if place == len(below) - 1 else "├─ "
            stack.append((edge.end if onward else edge.start, inner, twig, edge.how))


def draw_mermaid(lineage: Lineage) -> str:
    """Return a lineage as the text of a Mermaid flowchart.

    Example:
        >>> from segue.record.lineage import Edge, Lineage, Node
        >>> nodes = (Node("raw", "source"), Node("orders", "table"))
        >>> print(draw_mermaid(Lineage(nodes, (Edge("raw", "orders"),))))
        flowchart LR
            n0[("raw")]
            n1["orders"]
            n0 --> n1
    """
    numbers = {node.name: f"n{place}" for place, node in enumerate(lineage.nodes)}
    lines = ["flowchart LR"]
    for node in lineage.nodes:
        left, right = _SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'    {numbers[node.name]}{left}"{_escape(node.name)}"{right}')
    for edge in lineage.edges:
        arrow = "-->" if edge.how == "reads" else f'-. "{_escape(edge.how)}" .->'
        lines.append(f"    {numbers[edge.start]} {arrow} {numbers[edge.end]}")
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Return a text whose signs Mermaid would read as its own are written by number."""
    return text.translate(_UNSAFE)
