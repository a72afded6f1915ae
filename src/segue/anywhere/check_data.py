"""Any data against a contract."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.anywhere.compute import bind_inputs
from segue.anywhere.data import read_data
from segue.anywhere.sessions import open_session
from segue.errors import UsageError
from segue.frames.convert import name_type
from segue.protocols import Context

if TYPE_CHECKING:
    from collections.abc import Collection

    from segue.spec.contract import Contract, Report

TABLE = "data"


def check(
    data: Any, contract: Mapping[str, Any] | str | PathLike[str], *, on: Any = None, **tables: Any
) -> Report:
    """Measure data against a contract.

    Args:
        data: A frame of any kind, an engine's own frame, or the path of files.
        contract: What must be true of it, as ``contracts.yml`` says it of a table: a dict, a
            YAML text, or the path of a file.
        on: Where to work: None for where the data is, the name of an engine, an address, or
            a live session of an engine.
        **tables: Other data that the contract refers to, by name.

    Returns:
        One measurement for each check; ``report.stops`` tells whether one failed.

    Raises:
        UsageError: The contract or the data can't be read.

    Example:
        >>> import pyarrow as pa
        >>> contract = {"columns": {"id": {"unique": True}, "n": {"between": [0, 9]}}}
        >>> report = check(pa.table({"id": [1, 2], "n": [3, 30]}), contract)
        >>> [(found.check, str(found.verdict)) for found in report.measurements]
        [('id unique', 'pass'), ('n between', 'fail')]
    """
    from segue.judge.measure import measure_table

    given = {TABLE: data, **tables}
    declared = _read_contract(contract, list(given))
    # the contract may know the data by another name
    named = {declared.table if name == TABLE else name: each for name, each in given.items()}
    with open_session(on, list(named.values())) as session:
        datas = [
            read_data(each, name, live=session.is_live(each)).hold() for name, each in named.items()
        ]
        schema = bind_inputs(session.session, datas)[declared.table]
        files = session.local.read_footers(declared.table) if session.local else None
        context = Context(files=files)
        return measure_table(session.session, declared.table, declared, schema, context=context)


def _read_contract(contract: Any, tables: Collection[str]) -> Contract:
    from segue.declare.contracts import parse_contract
    from segue.declare.problems import Problems, read_text

    problems = Problems()
    shown, text = "", ""
    if isinstance(contract, Mapping):
        import yaml

        text = yaml.safe_dump(dict(contract), sort_keys=False)
    elif isinstance(contract, PathLike) or (isinstance(contract, str) and _is_path(contract)):
        shown = str(contract)
        text = read_text(Path(contract), shown, problems) or ""
    elif isinstance(contract, str):
        text = contract
    else:
        hint = "give a dict, a YAML text, or the path of a file"
        raise UsageError(f"the contract is of type {name_type(contract)}", hint=hint)
    found = None if len(problems) else parse_contract(text, shown, TABLE, tables, problems)
    if found is None or len(problems):
        first, *others = problems.sorted()
        more = "".join(f"\n  {each.message}" for each in others)
        where = first.location if shown else None
        raise UsageError(f"the contract: {first.message}{more}", hint=first.hint, location=where)
    return found


def _is_path(text: str) -> bool:
    return "\n" not in text and text.lower().endswith((".yml", ".yaml"))
