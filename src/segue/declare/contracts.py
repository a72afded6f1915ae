"""``contracts.yml``: what must be true of each table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from segue import registry
from segue.declare.digest_checks import digest_checks
from segue.declare.problems import read_text
from segue.declare.slices import (
    SLICE_KEYS,
    read_anomaly,
    read_slice,
    refuse_boundless,
    refuse_options,
)
from segue.declare.tolerances import TOLERANCE_KEYS, read_tolerances
from segue.declare.yaml_nodes import (
    Entry,
    compose,
    line_of_node,
    read_entries,
    read_items,
)
from segue.errors import Location, MissingExtraError
from segue.registry import nearest
from segue.spec.contract import Check, Contract
from segue.spec.sensitive import mark_columns
from segue.spec.types import parse_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from segue.declare.problems import Problems
    from segue.protocols import CheckKind
    from segue.spec.types import DataType

FILES = ("contracts.yml", "contracts.yaml")
_TABLE_KEYS = ("owner", "about", "columns", "checks", "rejects")
_COLUMN_KEYS = ("about", "sensitive")
_CLOSE = 0.8


def read_contracts(
    root: Path, tables: Collection[str], broken: Collection[str], problems: Problems
) -> dict[str, Contract]:
    """Read a project's contracts.

    Args:
        root: The project's folder.
        tables: Names of all tables that there are.
        broken: Names that are declared and could not be read.
        problems: Takes what is wrong.

    Returns:
        Contracts by table; what is wrong is left out.
    """
    found = [name for name in FILES if (root / name).is_file()]
    if len(found) > 1:
        hint = "put all contracts into contracts.yml"
        problems.add("duplicate-file", f"{FILES[0]} is there as well", Location(FILES[1]), hint)
    text = read_text(root / found[0], found[0], problems) if found else None
    return parse_contracts(text, found[0], tables, broken, problems) if text else {}


def parse_contracts(
    text: str, shown: str, tables: Collection[str], broken: Collection[str], problems: Problems
) -> dict[str, Contract]:
    """Read the text of a file of contracts; the rest is as for `read_contracts`.

    Args:
        text: YAML, table by table.
        shown: Path of the file, as problems name it.
        tables: Names of all tables that there are.
        broken: Names that are declared and could not be read.
        problems: Takes what is wrong.
    """
    node = compose(text, shown, problems)
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        hint = "begin with the name of a table, and a colon"
        problems.add("bad-contract", "not a mapping of tables", Location(shown, 1), hint)
        return {}
    kinds = _load_kinds()
    contracts = {}
    for entry in read_entries(node, shown, problems):
        where = Location(shown, entry.line)
        name = find_name(entry.key, tables)
        if name is None:
            if find_name(entry.key, broken) is None:
                hint = nearest(entry.key, list(tables), noun="table")
                problems.add("unknown-table", f"there is no table {entry.key!r}", where, hint)
            name = entry.key
        reader = _ContractReader(name, shown, kinds, tables, broken, problems)
        contracts[name] = reader.read(entry)
    return contracts


def parse_contract(
    text: str, shown: str, table: str, tables: Collection[str], problems: Problems
) -> Contract | None:
    """Read the text of one contract, with the table's name above it or without.

    Args:
        text: YAML.
        shown: Path of the file, as problems name it; empty for a text that was given.
        table: Name of the table, where the text does not tell.
        tables: Names of all tables that there are.
        problems: Takes what is wrong.
    """
    node = compose(text, shown, problems)
    kinds = _load_kinds()
    if not isinstance(node, yaml.MappingNode):
        if not len(problems):
            hint = "begin with columns: or unique:, and what must be true of them"
            problems.add("bad-contract", "not a mapping of checks", Location(shown, 1), hint)
        return None
    entry = Entry(table, 1, node)
    entries = read_entries(node, shown, problems)
    known_keys = {*_TABLE_KEYS, *kinds}
    inner = [part.key for each in entries for part in read_entries(each.node, shown, problems)]
    stated = any(each.key == table for each in entries)
    stated = stated and not get_close_matches(table, known_keys, 1, _CLOSE)  # a misspelled key
    told = stated or known_keys.intersection(inner)
    if known_keys.isdisjoint(each.key for each in entries) and told:
        named = [each for each in entries if len(entries) == 1 or each.key == table]
        if len(named) == 1:
            (entry,) = named
        else:
            listed = ", ".join(each.key for each in entries)
            message = f"it has contracts of several tables: {listed}"
            problems.add("bad-contract", message, Location(shown, 1), "give one of them")
            return None
    known = {*tables, entry.key}
    return _ContractReader(entry.key, shown, kinds, known, (), problems).read(entry)


def find_name(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is meant: the same one, or else the same but for case."""
    if name in known:
        return name
    return next((other for other in known if other.lower() == name.lower()), None)


def _load_kinds() -> dict[str, CheckKind]:
    kinds = {}
    for name in registry.names(registry.CHECKS):
        try:
            kinds[name] = registry.load_check(name)
        except MissingExtraError:
            continue
    return kinds


@dataclass
class _ContractReader:
    """Reads the contract of one table."""

    table: str
    shown: str
    kinds: Mapping[str, CheckKind]
    tables: Collection[str]
    broken: Collection[str]
    problems: Problems
    checks: list[Check] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    types: dict[str, DataType] = field(default_factory=dict)
    marks: dict[str, bool] = field(default_factory=dict)

    def read(self, entry: Entry) -> Contract:
        texts = {"owner": "", "about": ""}
        rejects = False
        for part in self._entries(entry, "a contract is a mapping: columns, checks, ..."):
            if part.key in texts:
                texts[part.key] = self._read_text(part)
            elif part.key == "columns":
                for column in self._entries(part, "columns are a mapping: name: {type: int64}"):
                    self._read_column(column)
            elif part.key == "checks":
                self._read_checks(part)
            elif part.key == "rejects":
                rejects = self._read_flag(part)
            elif self._serves(part.key, "table"):
                self._read_table_check(part)
            else:
                self._refuse_key(part, (*_TABLE_KEYS, *self._kind_names("table")))
        if rejects:
            self._refuse_sampled()
        self.checks = [each for check in self.checks for each in self._settle(check)]
        checks = tuple(self.checks)
        contract = Contract(
            table=self.table,
            location=Location(self.shown, entry.line),
            checks=checks,
            columns=self.columns,
            marks=self.marks,
            rejects=rejects,
            digest=digest_checks(checks, rejects=rejects),
            types=self.types,
            owner=texts["owner"],
            about=texts["about"],
        )
        marked = (name for name, mark in self.marks.items() if mark)
        return contract.hide(mark_columns(self.table, marked))

    def _refuse_sampled(self) -> None:
        """Refuse checks that would set rows aside and look at some of them only."""
        for check in self.checks:
            aside = self.kinds[check.kind].row_level and check.fail is not None
            if aside and check.slice.sample is not None:
                message = f"{self.table}: {check.name} looks at a sample, and rejects are all rows"
                hint = "take sample out, or rejects, or let it only warn: {sample: 5%, warn: 0}"
                self.problems.add("bad-check", message, check.location, hint)

    def _settle(self, check: Check) -> tuple[Check, ...]:
        """Return a check with what the whole contract tells of it; nothing if it is refused."""
        settle: Any = getattr(self.kinds[check.kind], "settle", None)
        if settle is None:
            return (check,)
        try:
            return (replace(check, arguments=settle(check, tuple(self.columns))),)
        except ValueError as error:
            self.problems.add("bad-check", f"{check.kind}: {error}", check.location)
            return ()

    def _read_column(self, entry: Entry) -> None:
        self.columns[entry.key] = ""
        for part in self._entries(entry, f"write {entry.key}: {{type: int64}}"):
            if part.key == "about":
                self.columns[entry.key] = self._read_text(part)
            elif part.key == "sensitive":
                self.marks[entry.key] = self._read_flag(part)
            elif self._serves(part.key, "column"):
                check = self._read_check(part.key, part, part.value, (entry.key,))
                if check is not None and part.key == "type":
                    self.types[entry.key] = parse_type(check.arguments["type"])
            else:
                self._refuse_key(part, (*_COLUMN_KEYS, *self._kind_names("column")))

    def _read_table_check(self, entry: Entry) -> None:
        items = list(read_items(entry.node))
        if any(not isinstance(item.node, yaml.ScalarNode) for item in items):  # one check each
            for item in items:
                self._read_check(entry.key, item, item.value, ())
        else:
            self._read_check(entry.key, entry, entry.value, ())

    def _read_checks(self, entry: Entry) -> None:
        if not isinstance(entry.node, yaml.SequenceNode):
            hint = "write - {name: ..., rule: ...}"
            self._add("bad-contract", "checks is a list", entry.line, hint)
        for item in read_items(entry.node):
            value = item.value
            if not isinstance(value, dict):
                hint = "write {name: ..., rule: ...}"
                self._add("bad-contract", "a check of this list is a mapping", item.line, hint)
                continue
            read_entries(item.node, self.shown, self.problems)
            named = [key for key in value if self._serves(key, "table")]
            if len(named) == 1:
                self._read_check(named[0], item, value, ())
                continue
            known = self._kind_names("table")
            other = next((str(key) for key in value if key not in ("name", *named)), "")
            hint = nearest(other, known) if other and not named else ""
            self._add("bad-check", "a check says one of: " + ", ".join(known), item.line, hint)

    def _read_check(
        self, kind: str, entry: Entry, value: Any, columns: tuple[str, ...]
    ) -> Check | None:
        """Read a check in its short or long form, and keep it."""
        if value is False and kind in ("required", "unique"):
            return None
        where = Location(self.shown, entry.line)
        served = self.kinds[kind]
        stated, value = _part_options(kind, value, served)
        try:
            arguments = dict(served.read(value))
            fail, warn = read_tolerances(stated, row_level=served.row_level)
            rows = read_slice({**stated, **getattr(served, "implied", {})})
            anomaly = read_anomaly(stated.get("anomaly"))
            refuse_options(served, stated)
            refuse_boundless(served, arguments, anomaly)
        except ValueError as error:
            self.problems.add("bad-check", f"{kind}: {error}", where)
            return None
        self._find_references(arguments, where)
        columns = columns or tuple(arguments.get("columns", ()))
        name = self._name_check(stated.get("name"), kind, columns, arguments, where)
        check = Check(
            name, kind, columns, arguments, fail, warn, where, slice=rows, anomaly=anomaly
        )
        self.checks.append(check)
        return check

    def _name_check(
        self,
        given: Any,
        kind: str,
        columns: tuple[str, ...],
        arguments: Mapping[str, Any],
        where: Location,
    ) -> str:
        taken = {check.name for check in self.checks}
        if given is not None:
            if str(given) in taken:
                message = f"a second check is called {given!r}"
                self.problems.add("duplicate-check", message, where, "give it another name")
            return str(given)
        made = f"{', '.join(columns)} {kind}".strip()
        if kind in ("rule", "metric", "python"):
            made = " ".join(str(arguments.get(kind, kind)).split())
        name, number = made, 2
        while name in taken:
            name, number = f"{made} ({number})", number + 1
        return name

    def _find_references(self, arguments: dict[str, Any], where: Location) -> None:
        """Let a check's arguments name other tables as the project does."""
        if "table" in arguments:
            arguments["table"] = self._find_table(arguments["table"], where)
        if "reads" in arguments:
            found = (self._find_table(name, where) for name in arguments["reads"])
            arguments["reads"] = tuple(name for name in found if name != self.table)

    def _find_table(self, table: str, where: Location) -> str:
        found = find_name(table, self.tables)
        if found is None and find_name(table, self.broken) is None:
            hint = nearest(table, list(self.tables), noun="table")
            self.problems.add("unknown-table", f"there is no table {table!r}", where, hint)
        return found or table

    def _entries(self, entry: Entry, hint: str) -> list[Entry]:
        empty = isinstance(entry.node, yaml.ScalarNode) and entry.value is None
        if not isinstance(entry.node, yaml.MappingNode) and not empty:
            self._add("bad-contract", f"{entry.key!r} is not a mapping", entry.line, hint)
        return read_entries(entry.node, self.shown, self.problems)

    def _read_text(self, entry: Entry) -> str:
        if not isinstance(entry.value, str):
            self._add("bad-contract", f"{entry.key} is not a text", line_of_node(entry.node))
        return str(entry.value).strip()

    def _read_flag(self, entry: Entry) -> bool:
        if not isinstance(entry.value, bool):
            message = f"{entry.key} is true or false, not {entry.value!r}"
            self._add("bad-contract", message, entry.line)
        return entry.value is True

    def _serves(self, key: str, scope: str) -> bool:
        return key in self.kinds and self.kinds[key].scope in (scope, "both")

    def _kind_names(self, scope: str) -> tuple[str, ...]:
        return tuple(name for name in self.kinds if self._serves(name, scope))

    def _refuse_key(self, entry: Entry, known: tuple[str, ...]) -> None:
        if entry.key in self.kinds:
            scope = "below a column" if self.kinds[entry.key].scope == "column" else "of a table"
            message = f"{entry.key!r} is a check {scope}"
            self._add("bad-contract", message, entry.line, "move it there")
        else:
            message = f"there is no key {entry.key!r}"
            self._add("unknown-key", message, entry.line, nearest(entry.key, known))

    def _add(self, code: str, message: str, line: int, hint: str = "") -> None:
        self.problems.add(code, f"{self.table}: {message}", Location(self.shown, line), hint)


def _part_options(kind: str, value: Any, served: CheckKind) -> tuple[dict[str, Any], Any]:
    """Part what a contract says of any check from what it says of this kind."""
    if not isinstance(value, dict):
        return {}, value
    options = {*TOLERANCE_KEYS, *SLICE_KEYS, "anomaly"} - {*getattr(served, "own", ())}
    stated = {key: item for key, item in value.items() if key in options}
    value = {key: item for key, item in value.items() if key not in options}
    # below a column the kind is no key of its own: `min: {min: 0}` states a bound
    inner = set(value) == {kind} and served.scope != "column"
    return stated, value[kind] if inner else value
