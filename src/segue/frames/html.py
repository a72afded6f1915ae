"""Tables as HTML for notebooks, on light and dark pages; all text in them is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

SHOWN_ROWS = 20
"""Rows of a frame that are shown."""
_SHOWN_COLUMNS = 30
_LONGEST = 120
"""Characters of a value that are shown."""

# the page's own colours: what is laid over them is half transparent
_STYLE = (
    ".segue-shown{font:13px/1.45 ui-sans-serif,system-ui,sans-serif;overflow-x:auto;margin:4px 0}"
    ".segue-shown table{border-collapse:collapse;margin:4px 0;font-size:12.5px}"
    ".segue-shown th,.segue-shown td{text-align:left;vertical-align:top;padding:3px 10px;"
    "border-bottom:1px solid rgba(128,128,128,.3);white-space:pre-wrap;max-width:44em;"
    "background:none;color:inherit}"
    ".segue-shown th{border-bottom:1px solid rgba(128,128,128,.7);font-weight:600}"
    ".segue-shown .segue-number{text-align:right;font-variant-numeric:tabular-nums;"
    "white-space:nowrap}"
    ".segue-shown .segue-soft{opacity:.65;font-weight:400}"
    ".segue-shown .segue-good{color:#2c974b;font-weight:600}"
    ".segue-shown .segue-warn{color:#b3800f;font-weight:600}"
    ".segue-shown .segue-bad{color:#db4a4a;font-weight:600}"
)


class Markup(str):
    """Text that is HTML already; any other is escaped."""

    __slots__ = ()


def write_text(value: object, kind: str = "") -> Markup:
    """Return a value as HTML.

    Args:
        value: Anything; `Markup` is left as it is.
        kind: ``soft``, ``good``, ``warn`` or ``bad``, in whose colour it is written.

    Example:
        >>> write_text("a < b", "soft")
        '<span class="segue-soft">a &lt; b</span>'
    """
    from html import escape

    text = value if isinstance(value, Markup) else escape(str(value))
    return Markup(f'<span class="segue-{kind}">{text}</span>' if kind else text)


def join_markup(parts: Iterable[object], between: str = " ") -> Markup:
    """Return parts one after the other, each as HTML."""
    return Markup(write_text(between).join(write_text(part) for part in parts))


def write_grid(
    header: Sequence[object], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()
) -> Markup:
    """Return cells as an HTML table.

    Args:
        header: Titles of the columns.
        rows: Their cells.
        numbers: Which columns are aligned as numbers are, counted from 0.
    """
    right = frozenset(numbers)

    def write_row(cells: Sequence[object], tag: str) -> str:
        begin = {True: f'<{tag} class="segue-number">', False: f"<{tag}>"}
        written = (
            f"{begin[at in right]}{write_text(cell)}</{tag}>" for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(written)}</tr>"

    body = "".join(write_row(row, "td") for row in rows)
    return Markup(f"<table><thead>{write_row(header, 'th')}</thead><tbody>{body}</tbody></table>")


def write_block(*parts: object) -> str:
    """Return parts below each other as what a notebook shows; empty ones are left out."""
    lines = (
        part if part.startswith("<table>") else f"<div>{part}</div>"
        for part in map(write_text, filter(None, parts))
    )
    return f'<div class="segue-shown"><style>{_STYLE}</style>{"".join(lines)}</div>'


def write_rows(table: pa.Table, *, more: bool = False) -> str:
    """Return the first rows of a table, its columns and types, as HTML.

    Args:
        table: The rows.
        more: Whether there are more of them, which nobody has counted.
    """
    from segue.frames.arrow_types import from_arrow

    schema = from_arrow(table.schema)
    columns = schema.columns[:_SHOWN_COLUMNS]
    numbers = [at for at, column in enumerate(columns) if _is_number(column.type.kind)]
    header = [
        Markup(f"{write_text(column.name)}<br>{write_text(column.type, 'soft')}")
        for column in columns
    ]
    head = table.select(range(len(columns))).slice(0, SHOWN_ROWS)
    values = [column.to_pylist() for column in head.columns]
    rows = [[_write_value(value) for value in row] for row in zip(*values, strict=True)]
    noun = "column" if len(schema) == 1 else "columns"
    size = f"{len(schema):,} {noun}"
    if more:
        size = f"first {head.num_rows:,} rows, {size}"
    else:
        size = f"{table.num_rows:,} {'row' if table.num_rows == 1 else 'rows'}, {size}"
        if table.num_rows > head.num_rows:
            size = f"first {head.num_rows:,} of {size}"
    if len(schema) > len(columns):
        size += f", of which {len(columns)} are shown"
    grid = write_grid(header, rows, numbers) if columns else ""
    return write_block(grid, write_text(size, "soft"))


def _is_number(kind: str) -> bool:
    return kind.startswith(("int", "uint", "float", "decimal"))


def _write_value(value: Any) -> Markup:
    if value is None:
        return write_text("null", "soft")
    text = str(value)
    return write_text(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
