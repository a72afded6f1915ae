"""A lineage as a picture: one SVG that needs nothing else, on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from segue.record.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.record.layout import Layout
    from segue.record.lineage import Edge, Lineage, Node

BOX_HEIGHT = 44
ROW_GAP = 18
LANE_HEIGHT = 14
COLUMN_GAP = 64
MARGIN = 16
LONGEST_NAME = 34
LETTER = 7.9
"""Width of a letter of the names, at most: no font can be measured here."""

_STYLE = """
.segue { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
.segue .page { fill: #ffffff }
.segue .box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.2 }
.segue .source .box { fill: #ddf4ff; stroke: #0969da }
.segue .view .box { fill: #ffffff; stroke-dasharray: 4 3 }
.segue .effect .box { fill: #fff8c5; stroke: #9a6700 }
.segue .rejects .box { fill: #ffebe9; stroke: #cf222e }
.segue .name { fill: #1f2328; font-size: 13px; font-weight: 600 }
.segue .kind { fill: #57606a; font-size: 10.5px }
.segue .edge { fill: none; stroke: #8c959f; stroke-width: 1.4 }
.segue .soft { stroke-dasharray: 5 4 }
.segue .tip { fill: #8c959f }
@media (prefers-color-scheme: dark) {
.segue .page { fill: #0d1117 }
.segue .box { fill: #161b22; stroke: #8b949e }
.segue .source .box { fill: #0c2d4d; stroke: #58a6ff }
.segue .view .box { fill: #0d1117 }
.segue .effect .box { fill: #3a2d06; stroke: #d29922 }
.segue .rejects .box { fill: #3d1216; stroke: #ff7b72 }
.segue .name { fill: #f0f6fc }
.segue .kind { fill: #9da7b3 }
.segue .edge { stroke: #6e7681 }
.segue .tip { fill: #6e7681 }
}
"""


_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" class="segue" width="{width:.0f}" height="{height:.0f}" \
viewBox="0 0 {width:.0f} {height:.0f}" role="img">
<title>{title}</title>
<style>{style}</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
<rect class="page" width="{width:.0f}" height="{height:.0f}"/>"""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where things stand, in pixels.

    Attributes:
        layout: Which column each name is in, and how edges run.
        lefts: Left side of each column.
        widths: Width of each column.
        middles: Vertical middle of each name.
        ranks: Column of each name.
    """

    layout: Layout
    lefts: list[float]
    widths: list[float]
    middles: Mapping[str, float]
    ranks: Mapping[str, int]


def draw_svg(lineage: Lineage, title: str = "Lineage") -> str:
    """Return a lineage as the text of an SVG file.

    Args:
        lineage: The lineage.
        title: What a screen reader says first.
    """
    layout = lay_out(lineage)
    lefts, widths = _place_columns(layout)
    middles, height = _place_rows(layout)
    ranks = {name: rank for rank, names in enumerate(layout.columns) for name in names}
    grid = _Grid(layout, lefts, widths, middles, ranks)
    width = (lefts[-1] + widths[-1] if lefts else 0) + MARGIN
    head = _HEAD.format(width=width, height=height, title=_safe(title), style=_STYLE)
    edges = (_draw_edge(edge, grid) for edge in lineage.edges)
    boxes = (_draw_box(node, grid) for node in lineage.nodes)
    return "\n".join([head, *edges, *boxes, "</svg>"]) + "\n"


def _is_lane(name: str) -> bool:
    return name.startswith("\0")


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _place_columns(layout: Layout) -> tuple[list[float], list[float]]:
    """Return the left side and the width of each column."""
    lefts: list[float] = []
    widths: list[float] = []
    left = float(MARGIN)
    for names in layout.columns:
        letters = max((len(_shorten(name)) for name in names if not _is_lane(name)), default=8)
        width = max(96.0, letters * LETTER + 28)
        lefts.append(left)
        widths.append(width)
        left += width + COLUMN_GAP
    return lefts, widths


def _place_rows(layout: Layout) -> tuple[dict[str, float], float]:
    """Return the middle of each name from top to bottom, and the height of all."""
    heights = [
        sum(LANE_HEIGHT if _is_lane(name) else BOX_HEIGHT + ROW_GAP for name in names)
        for names in layout.columns
    ]
    tallest = max(heights, default=0)
    middles: dict[str, float] = {}
    for names, height in zip(layout.columns, heights, strict=True):
        top = MARGIN + (tallest - height) / 2
        for name in names:
            taken = LANE_HEIGHT if _is_lane(name) else BOX_HEIGHT + ROW_GAP
            middles[name] = top + taken / 2
            top += taken
    return middles, tallest + 2 * MARGIN


def _draw_edge(edge: Edge, grid: _Grid) -> str:
    """Return an arrow: a curve between columns, straight where it passes one."""
    rank, y = grid.ranks[edge.start], grid.middles[edge.start]
    x = grid.lefts[rank] + grid.widths[rank]
    path = f"M{x:.1f} {y:.1f}"
    for name in grid.layout.routes[edge.start, edge.end][1:]:
        rank, below = grid.ranks[name], grid.middles[name]
        end = grid.lefts[rank]
        half = (x + end) / 2
        path += f"C{half:.1f} {y:.1f} {half:.1f} {below:.1f} {end:.1f} {below:.1f}"
        x, y = end, below
        if _is_lane(name):
            x += grid.widths[rank]
            path += f"H{x:.1f}"
    soft = "" if edge.how == "reads" else " soft"
    told = f"{edge.start} → {edge.end}" + (f": {edge.how}" if soft else "")
    return (
        f'<path class="edge{soft}" marker-end="url(#tip)" d="{path}">'
        f"<title>{_safe(told)}</title></path>"
    )


def _draw_box(node: Node, grid: _Grid) -> str:
    rank, middle = grid.ranks[node.name], grid.middles[node.name]
    left, width = grid.lefts[rank], grid.widths[rank]
    top, center = middle - BOX_HEIGHT / 2, left + width / 2
    corner = BOX_HEIGHT / 2 if node.kind == "source" else 6
    return (
        f'<g class="{_safe(node.kind)}"><title>{_safe(node.name)}</title>'
        f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}"'
        f' height="{BOX_HEIGHT}" rx="{corner:.0f}"/>'
        f'<text class="name" x="{center:.1f}" y="{middle - 1:.1f}" text-anchor="middle">'
        f"{_safe(_shorten(node.name))}</text>"
        f'<text class="kind" x="{center:.1f}" y="{middle + 14:.1f}" text-anchor="middle">'
        f"{_safe(node.kind)}</text></g>"
    )


def _safe(text: str) -> str:
    """Return a text that XML can hold: escaped, and without control characters."""
    return escape("".join(sign if sign.isprintable() else "�" for sign in text))
