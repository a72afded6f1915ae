"""One SELECT over any frames, anywhere."""

from __future__ import annotations

import re
from typing import Any

from segue.anywhere.compute import give_table
from segue.anywhere.data import read_data
from segue.anywhere.inputs import open_data
from segue.anywhere.results import NATIVE, read_returns
from segue.anywhere.sessions import open_session
from segue.errors import UsageError
from segue.frames.kinds import name_type

_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | (?P<ticked>`(?:[^`]|``)*`)""",
    re.VERBOSE | re.DOTALL,
)


def query(sql: str, *, on: Any = None, returns: Any = None, **frames: Any) -> Any:
    """Run one SELECT over frames of any kind, wherever they are.

    It is written in DuckDB's dialect and means the same on every engine: sums of integers are
    integers, ``/`` divides to a fraction, nulls come last, null is not NaN.

    Args:
        sql: The SELECT; it names frames as they are named here.
        on: Where to work: None for where the frames are, the name of an engine, an address,
            or a live session of an engine.
        returns: Frame to return: ``"pandas"``, ``"polars"``, ``"arrow"``, ``"rows"``,
            ``"duckdb"``, ``"native"`` for the engine's own, or a class. The kind of the first
            frame if not stated; Arrow for a path.
        **frames: Pandas, Polars, Arrow and DuckDB frames, lists of dicts, iterators of these,
            an engine's own frames, and paths of files.

    Raises:
        UsageError: It can't be done as it was asked; the hint is the next move.
        SqlError: The SELECT is wrong; the error tells the line.

    Example:
        >>> import pyarrow as pa
        >>> orders = pa.table({"store": [1, 2, 1], "amount": [10, 20, 5]})
        >>> text = "select store, sum(amount) as total from orders group by store order by store"
        >>> query(text, orders=orders, returns="rows")
        [{'store': 1, 'total': 15}, {'store': 2, 'total': 20}]
    """
    if not isinstance(sql, str):
        raise UsageError(f"sql is of type {name_type(sql)}", hint="give a SELECT as text")
    frame = read_returns(returns)
    if "`" in sql:
        sql = quote_ticked(sql)
    with open_session(on, list(frames.values())) as session:
        datas = [read_data(each, name, live=session.is_live(each)) for name, each in frames.items()]
        for data in datas:
            session.session.bind(data.name, open_data(data.hold()))
        first = datas[0] if datas else None
        live = first is not None and first.live is not None
        if session.site is not None and (frame == NATIVE or (frame is None and live)):
            session.keep()
            return session.session.native(sql)
        return give_table(session.session.fetch(sql), first, frame)


def quote_ticked(sql: str) -> str:
    """Return SQL with names in backticks in double quotes.

    Example:
        >>> quote_ticked("select `a b` from t")
        'select "a b" from t'
    """

    def write(match: re.Match[str]) -> str:
        ticked = match["ticked"]
        if ticked is None:
            return match[0]
        name = ticked[1:-1].replace("``", "`").replace('"', '""')
        return f'"{name}"'

    return _TOKENS.sub(write, sql)
