"""Any data against a contract."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.anywhere.contract_dict import write_contract
from segue.anywhere.contract_files import find_contracts
from segue.anywhere.data import read_data
from segue.anywhere.inputs import bind_inputs
from segue.anywhere.open_targets import open_targets
from segue.anywhere.sessions import open_session
from segue.anywhere.targets import is_database, name_path, read_target
from segue.errors import UsageError
from segue.execute.failure import hiding_lines
from segue.frames.kinds import name_type
from segue.protocols import Context
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Collection

    from segue.anywhere.targets import Target
    from segue.spec.contract import Contract, Report

TABLE = "data"


def check(
    data: Any, contract: Mapping[str, Any] | str | PathLike[str], *, on: Any = None, **tables: Any
) -> Report:
    """Measure data against a contract.

    Args:
        data: A frame of any kind, an engine's own frame, the path of files, or a table of a
            database: ``"postgresql://reader:${PASSWORD}@db/crm?table=public.orders"``, or its
            name or a SELECT where `on` is the database. Secrets are taken from the environment.
        contract: What must be true of it, as ``contracts.yml`` says it of a table: a dict (in
            which ``python`` may be a function itself), a YAML text, or the path of a file.
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
    functions: Mapping[str, Any] = {}
    folder = _find_folder(contract)
    if isinstance(contract, Mapping):
        contract, functions = write_contract(contract)
    declared = _read_contract(contract, list(given), data)
    # the contract may know the data by another name
    named = {declared.table if name == TABLE else name: each for name, each in given.items()}
    hiding = hiding_lines({declared.table: declared.sensitive})
    if targets := _find_targets(named, on):
        with hiding, open_targets(targets) as database:
            schema = database.describe(f"select * from {quote_identifier(declared.table)}")
            context = Context(folder=folder, functions=functions)
            return measure_table(database, declared.table, declared, schema, context=context)
    with hiding, open_session(on, list(named.values())) as session:
        datas = [
            read_data(each, name, live=session.is_live(each)).hold() for name, each in named.items()
        ]
        schema = bind_inputs(session.session, datas)[declared.table]
        files = session.local.read_footers(declared.table) if session.local else None
        context = Context(files=files, folder=folder, functions=functions)
        return measure_table(session.session, declared.table, declared, schema, context=context)


def _find_targets(named: Mapping[str, Any], on: Any) -> tuple[Target, ...]:
    """Return the data as tables of databases; nothing if none of it is in one."""
    where = on if isinstance(on, str) and is_database(on) else ""
    texts = {name: fspath(each) for name, each in named.items() if isinstance(each, str | PathLike)}
    if not where and not any(map(is_database, texts.values())):
        return ()
    for name in named.keys() - texts.keys():
        hint = "give its path, or read the database's table into a frame"
        raise UsageError(f"{name} is a frame, which can't be taken to a database", hint=hint)
    return tuple(read_target(text, where, name) for name, text in texts.items())


def _find_folder(contract: Any) -> str:
    """Return the folder of a contract's file, against which paths in it are read."""
    path = isinstance(contract, PathLike) or (isinstance(contract, str) and _is_path(contract))
    return str(Path(contract).parent) if path else ""


def _read_contract(contract: Any, tables: Collection[str], data: Any) -> Contract:
    from segue.declare.contracts import parse_contract
    from segue.declare.problems import Problems, read_text

    problems = Problems()
    shown, text = "", ""
    if isinstance(contract, PathLike) or (isinstance(contract, str) and _is_path(contract)):
        shown = str(contract)
        text = read_text(Path(contract), shown, problems) or ""
    elif isinstance(contract, str):
        text = contract
    else:
        hint = "give a dict, a YAML text, or the path of a file"
        raise UsageError(f"the contract is of type {name_type(contract)}", hint=hint)
    table = TABLE
    if shown and not len(problems) and isinstance(data, str | PathLike):
        listed = find_contracts(Path(shown)).tables
        table = next((name for name in _name_data(fspath(data)) if name in listed), TABLE)
    known = {*tables, table}
    found = None if len(problems) else parse_contract(text, shown, table, known, problems)
    if found is None or len(problems):
        first, *others = problems.sorted()
        more = "".join(f"\n  {each.message}" for each in others)
        where = first.location if shown else None
        raise UsageError(f"the contract: {first.message}{more}", hint=first.hint, location=where)
    return found


def _name_data(text: str) -> tuple[str, ...]:
    """Return the names by which a file of several contracts may know data."""
    if is_database(text):
        return (read_target(text).name,)
    return name_path(text), text.rpartition(".")[2]  # of a file, of a database's table


def _is_path(text: str) -> bool:
    return "\n" not in text and text.lower().endswith((".yml", ".yaml"))
