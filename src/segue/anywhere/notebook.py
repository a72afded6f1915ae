"""Segue in notebooks: ``%load_ext segue``, then SQL over the frames in scope by ``%%segue``."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.error import UsageError as BadLine
from IPython.display import display

from segue.anywhere.run_query import query, quote_ticked
from segue.anywhere.sessions import find_owner
from segue.declare.sql import read_query
from segue.errors import UnknownNameError
from segue.frames.html import SHOWN_ROWS, write_rows
from segue.frames.kinds import find_kind
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

_ENOUGH = SHOWN_ROWS + 1
"""Rows that tell whether there are more than are shown."""

_TABLE = ("pyarrow.lib", "Table")
_USAGE = """Run one SELECT over the frames and paths that variables of this notebook hold.

%%segue [--on WHERE] [--returns KIND] [-o NAME]

--on WHERE      where to work: an engine, an address, or a variable with a session
--returns KIND  frame to return: pandas, polars, arrow, rows, duckdb, native
-o NAME         variable that gets the result, which is not shown then
"""


class Rows(list[dict[str, Any]]):
    """A list of dicts that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        import pyarrow as pa

        from segue.frames.convert import from_frame
        from segue.spec.step import FrameKind

        if not self:
            return write_rows(pa.table({}))
        return write_rows(from_frame(list(self), FrameKind.ROWS))


class _Line(argparse.ArgumentParser):
    """Reads the line behind the magic's name."""

    def error(self, message: str) -> NoReturn:
        """Tell a mistake as notebooks do."""
        raise BadLine(f"%%segue: {message}\n{self.format_usage().rstrip()}")


def _make_parser() -> _Line:
    parser = _Line("%%segue", add_help=False)
    parser.add_argument("--on")
    parser.add_argument("--returns")
    parser.add_argument("-o", "--output", type=_read_name)
    return parser


def _read_name(text: str) -> str:
    if not text.isidentifier():
        raise argparse.ArgumentTypeError(f"{text} is no name of a variable")
    return text


def run_cell(shell: InteractiveShell, line: str, cell: str) -> Any:
    """Run the SELECT of a cell over the frames and paths that variables hold.

    Args:
        shell: The notebook's.
        line: Options, as `_USAGE` tells them.
        cell: The SELECT.

    Returns:
        The result, if it shows itself and no variable is to have it.
    """
    asked = _make_parser().parse_args(shlex.split(line))
    scope = shell.user_ns
    sql, names = read_query(quote_ticked(cell))
    frames = {name: _find_frame(name, scope) for name in names}
    result = query(sql, on=_find_place(asked.on, scope), returns=asked.returns, **frames)
    if asked.output is None:
        return _show(result)
    scope[asked.output] = result
    return None


def _find_frame(name: str, scope: Mapping[str, Any]) -> Any:
    """Return what the variable holds that a SELECT names, whatever its case.

    Raises:
        UnknownNameError: There is no such variable.
    """
    if name in scope:
        return scope[name]
    known = [each for each, value in scope.items() if each[:1] != "_" and _is_frame(value)]
    found = [each for each in known if each.casefold() == name.casefold()]
    if len(found) == 1:
        return scope[found[0]]
    hint = nearest(name, known, noun="frame") if known else "load one into a variable first"
    raise UnknownNameError(f"there is no variable called {name!r}", hint=hint)


def _is_frame(value: Any) -> bool:
    return find_kind(value) is not None or find_owner(value) is not None


def _find_place(text: str | None, scope: Mapping[str, Any]) -> Any:
    """Return the session that a variable holds, else what was written."""
    value = scope.get(text or "")
    return value if value is not None and find_owner(value) is not None else text


def _show(result: Any) -> Any:
    """Return a frame that shows itself, or show the first rows of an engine's own."""
    if find_owner(result) is not None:
        head = query(f"select * from frame limit {_ENOUGH}", frame=result, returns="arrow")
        show: Any = display
        show({"text/html": _write_head(head), "text/plain": str(head)}, raw=True)
        return None
    return Rows(result) if isinstance(result, list) else result


def _write_head(head: Any) -> str:
    return write_rows(head.slice(0, SHOWN_ROWS), more=head.num_rows == _ENOUGH)


def _find_formatter(shell: InteractiveShell) -> Any:
    assert shell.display_formatter is not None  # noqa: S101  # every shell makes one
    return shell.display_formatter.formatters["text/html"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add ``%%segue``, and show Arrow's tables as HTML."""

    def segue(line: str, cell: str) -> Any:
        return run_cell(shell, line, cell)

    segue.__doc__ = _USAGE
    shell.register_magic_function(segue, "cell", "segue")  # type: ignore[arg-type]  # it is a method
    _find_formatter(shell).for_type_by_name(*_TABLE, write_rows)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take away what was added."""
    shell.magics_manager.magics["cell"].pop("segue", None)
    _find_formatter(shell).pop(".".join(_TABLE), None)
