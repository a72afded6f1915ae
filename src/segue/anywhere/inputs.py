"""Giving what users gave a name in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.anywhere.data import scan_path
from segue.anywhere.sessions import SESSIONS
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.anywhere.data import Data
    from segue.protocols import Session
    from segue.spec.types import TableSchema


def bind_inputs(session: Session, datas: Sequence[Data]) -> Mapping[str, TableSchema]:
    """Give inputs names in a session; return the columns of each."""
    return {data.name: bind_data(session, data) for data in datas}


def bind_data(session: Session, data: Data) -> TableSchema:
    """Give an input its name in a session; return its columns."""
    session.bind(data.name, open_data(data))
    return session.describe(f"select * from {quote(data.name)}")


def open_data(data: Data) -> Any:
    """Return an input as what sessions bind."""
    if data.path:
        return scan_path(data.path, data.name, SESSIONS.scratch())
    return data.live if data.table is None else data.table
