"""Contracts as a data contract of the Open Data Contract Standard v3.1.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.declare.exchange.draft import Unsaid
from segue.declare.exchange.odcs_types import write_logical
from segue.settings import parse_duration
from segue.spec.types import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.spec.contract import Check, Contract

VERSION = "v3.1.0"
_FORMATS = {"email": "email", "uuid": "uuid", "url": "uri", "ipv4": "ipv4", "ipv6": "ipv6"}


def write_contract(
    contracts: Sequence[Contract], name: str, version: str = "1.0.0"
) -> tuple[dict[str, Any], tuple[Unsaid, ...]]:
    """Return contracts as one data contract, and what it can't say.

    Args:
        contracts: One for each table.
        name: Name of the project; it is the data contract's `id` as well.
        version: The data contract's own version.
    """
    unsaid: list[Unsaid] = []
    document: dict[str, Any] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": name,
        "name": name,
        "version": version,
        "status": "active",
    }
    owners = sorted({contract.owner for contract in contracts if contract.owner})
    if owners:
        members = [{"username": owner, "role": "owner"} for owner in owners]
        document["team"] = {"name": name, "members": members}
    if len(owners) > 1:
        told = ", ".join(f"{each.table} is {each.owner}'s" for each in contracts if each.owner)
        unsaid.append(Unsaid("owner", f"a data contract has one team for all its tables: {told}"))
    document["schema"] = [_write_object(contract, unsaid) for contract in contracts]
    if levels := [level for contract in contracts for level in _write_levels(contract)]:
        document["slaProperties"] = levels
    return document, tuple(unsaid)


def _write_object(contract: Contract, unsaid: list[Unsaid]) -> dict[str, Any]:
    written = _Object(contract)
    # what options a column may have depends on its type
    for check in sorted(contract.checks, key=lambda check: check.kind != "type"):
        where = f"{contract.table}: {check.name}"
        try:
            _refuse_options(check)
            _find_writer(check.kind)(written, check)
        except ValueError as error:
            unsaid.append(Unsaid(where, str(error)))
    if contract.rejects:
        unsaid.append(Unsaid(contract.table, "the standard sets no rows aside"))
    return written.plain()


def _find_writer(kind: str) -> Callable[[_Object, Check], None]:
    if kind not in WRITERS:
        raise ValueError(f"the standard has no word for `{kind}`")
    return WRITERS[kind]


def _refuse_options(check: Check) -> None:
    if str(check.slice):
        raise ValueError(f"the standard has no word for `{check.slice}`")
    if check.anomaly is not None:
        raise ValueError("the standard has no word for `anomaly`")
    if check.fail is not None and check.warn is not None:
        raise ValueError("a rule of the standard has one threshold, and this check two")


class _Object:
    """An object of a schema that is written check by check."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.properties: dict[str, dict[str, Any]] = {}
        self.quality: list[dict[str, Any]] = []
        self.relationships: list[dict[str, Any]] = []
        for name, about in contract.columns.items():
            said = self.property(name)
            if about:
                said["description"] = about
        for name in contract.sensitive.among({**contract.columns, **contract.marks}):
            self.property(name)["classification"] = "confidential"

    def property(self, name: str) -> dict[str, Any]:
        return self.properties.setdefault(name, {"name": name})

    def options(self, name: str) -> dict[str, Any]:
        options: dict[str, Any] = self.property(name).setdefault("logicalTypeOptions", {})
        return options

    def add_rule(self, check: Check, column: str = "", **said: Any) -> None:
        rule = {"name": check.name, "type": "library", **said}
        if check.fail is None:
            rule["severity"] = "warning"
        target = self.property(column).setdefault("quality", []) if column else self.quality
        target.append(rule)

    def plain(self) -> dict[str, Any]:
        about = {"description": self.contract.about} if self.contract.about else {}
        parts = {"quality": self.quality, "relationships": self.relationships}
        return {
            "name": self.contract.table,
            "logicalType": "object",
            **about,
            "properties": list(self.properties.values()),
            **{key: value for key, value in parts.items() if value},
        }


def _is_plain(check: Check) -> bool:
    """Return whether a check fails at the first bad row."""
    tolerance = check.fail
    return tolerance is not None and not tolerance.count and not tolerance.share


def _limit(check: Check) -> dict[str, Any]:
    """Return the tolerance of a check as a threshold of its failing rows."""
    tolerance = check.fail or check.warn
    if tolerance is None or not (tolerance.count or tolerance.share):
        return {"mustBe": 0}
    if tolerance.share is not None:
        return {"mustBeLessOrEqualTo": round(tolerance.share * 100, 10), "unit": "percent"}
    return {"mustBeLessOrEqualTo": tolerance.count, "unit": "rows"}


def _write_type(written: _Object, check: Check) -> None:
    said = written.property(check.columns[0])
    said["physicalType"] = check.arguments["type"]
    if logical := write_logical(parse_type(check.arguments["type"])):
        said["logicalType"] = logical


def _write_present(written: _Object, check: Check) -> None:
    written.property(check.columns[0])


def _write_required(written: _Object, check: Check) -> None:
    column = check.columns[0]
    if _is_plain(check):
        written.property(column)["required"] = True
    else:
        written.add_rule(check, column, metric="nullValues", **_limit(check))


def _write_unique(written: _Object, check: Check) -> None:
    if check.arguments.get("nulls") == "equal":
        raise ValueError("the standard does not say that nulls are equal")
    if len(check.columns) == 1 and _is_plain(check):
        written.property(check.columns[0])["unique"] = True
        return
    column = check.columns[0] if len(check.columns) == 1 else ""
    told = {} if column else {"arguments": {"properties": list(check.columns)}}
    written.add_rule(check, column, metric="duplicateValues", **told, **_limit(check))


def _write_in(written: _Object, check: Check) -> None:
    told = {"validValues": list(check.arguments["values"])}
    written.add_rule(
        check, check.columns[0], metric="invalidValues", arguments=told, **_limit(check)
    )


def _write_matches(written: _Object, check: Check) -> None:
    told = {"pattern": check.arguments["pattern"]}
    written.add_rule(
        check, check.columns[0], metric="invalidValues", arguments=told, **_limit(check)
    )


def _write_ends(low: str, high: str) -> Callable[[_Object, Check], None]:
    def write(written: _Object, check: Check) -> None:
        if not _is_plain(check):
            raise ValueError("the standard's bounds have no tolerance")
        ends = {low: check.arguments["min"], high: check.arguments["max"]}
        said = written.property(check.columns[0])
        bounded = low == "minimum"
        numbers = all(isinstance(end, int | float) for end in ends.values() if end is not None)
        logical = said.setdefault("logicalType", "number" if bounded and numbers else "string")
        if bounded == (logical == "string"):
            raise ValueError(f"the standard has no such bounds for a {logical}")
        told = {key: end for key, end in ends.items() if end is not None}
        written.options(check.columns[0]).update(told)

    return write


def _write_format(written: _Object, check: Check) -> None:
    word = _FORMATS.get(str(check.arguments.get("format")))
    if word is None or not _is_plain(check):
        raise ValueError("the standard has no word for this format")
    written.property(check.columns[0]).setdefault("logicalType", "string")
    written.options(check.columns[0])["format"] = word


def _write_rows(written: _Object, check: Check) -> None:
    low, high = check.arguments["min"], check.arguments["max"]
    if low is not None and low == high:
        written.add_rule(check, metric="rowCount", mustBe=low)
    elif low is not None and high is not None:
        written.add_rule(check, metric="rowCount", mustBeBetween=[low, high])
    elif low is not None:
        written.add_rule(check, metric="rowCount", mustBeGreaterOrEqualTo=low)
    else:
        written.add_rule(check, metric="rowCount", mustBeLessOrEqualTo=high)


def _write_references(written: _Object, check: Check) -> None:
    table = check.arguments["table"]
    if not _is_plain(check):
        raise ValueError("the standard's relationships have no tolerance")
    if "column" in check.arguments:
        target = f"{table}.{check.arguments['column']}"
        relations = written.property(check.columns[0]).setdefault("relationships", [])
        relations.append({"type": "foreignKey", "to": target})
        return
    pairs: Mapping[str, str] = check.arguments["columns"]
    sources = [f"{written.contract.table}.{name}" for name in pairs]
    targets = [f"{table}.{name}" for name in pairs.values()]
    written.relationships.append({"type": "foreignKey", "from": sources, "to": targets})


def _write_rule(written: _Object, check: Check) -> None:
    rule, where = check.arguments["rule"], check.arguments.get("where")
    kept = f"({where}) and " if where else ""
    query = f"select count(*) from ${{object}} where {kept}not coalesce(({rule}), true)"
    limit = _limit(check)
    if limit.pop("unit", "rows") != "rows":
        raise ValueError("a query of the standard counts rows, and the tolerance is a share")
    written.add_rule(check, **{"type": "sql", "query": query, **limit})


def _write_levels(contract: Contract) -> list[dict[str, Any]]:
    levels = []
    for check in contract.checks:
        if check.kind == "fresh" and not str(check.slice) and check.anomaly is None:
            element = f"{contract.table}.{check.columns[0]}"
            hours = parse_duration(check.arguments["within"]) / 3600
            value: float = int(hours) if hours == int(hours) else hours
            levels.append({"property": "latency", "value": value, "unit": "h", "element": element})
    return levels


def _write_fresh(written: _Object, check: Check) -> None:
    del written, check  # it is told as a level of service


WRITERS: dict[str, Callable[[_Object, Check], None]] = {
    "type": _write_type,
    "present": _write_present,
    "required": _write_required,
    "unique": _write_unique,
    "in": _write_in,
    "matches": _write_matches,
    "between": _write_ends("minimum", "maximum"),
    "length": _write_ends("minLength", "maxLength"),
    "format": _write_format,
    "rows": _write_rows,
    "references": _write_references,
    "rule": _write_rule,
    "fresh": _write_fresh,
}
"""How each kind of check is said in the standard."""
