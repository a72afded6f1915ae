"""Checks in Soda's language (SodaCL), as ``checks.yml`` holds them: https://docs.soda.io/soda-cl.

Shares in percent are of all rows, as Soda counts them; a check without thresholds of its own
fails, and `warn: when ...` warns. Pass where a threshold holds, fail where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from segue.declare.exchange.draft import Draft, TableDraft, literal
from segue.declare.exchange.soda_valid import count_invalid
from segue.spec.sql import quote_identifier

_CHECKS_FOR = re.compile(r"checks for (\S+)(?:\s+\[(.+)\])?\s*")
_CHECK = re.compile(
    r"(?P<metric>[a-z_]+)(?:\((?P<columns>[^()]*)\))?\s*"
    r"(?:(?P<sign>!=|<=|>=|<|>|=)\s*(?P<limit>-?[\d.]+)\s*%?"
    r"|(?P<not>not )?between\s+(?P<low>-?[\d.]+)\s*%?\s+and\s+(?P<high>-?[\d.]+)\s*%?)\s*"
)
_FRESH = re.compile(r"freshness\((?P<column>[^()]+)\)\s*<\s*(?P<age>\S+)\s*")
_REFERENCE = re.compile(
    r"values in \((?P<columns>.+?)\) must exist in (?P<table>\S+) \((?P<to>.+?)\)"
)
_WHEN = re.compile(r"when\s+(?P<rest>(?:[<>=!]|not |between).*)")

_AGGREGATES = {
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
    "sum": "sum({})",
    "stddev": "stddev_samp({})",
    "avg_length": "avg(length({}))",
    "min_length": "min(length({}))",
    "max_length": "max(length({}))",
}


def read_checks(document: Mapping[str, Any]) -> Draft:
    """Return the contracts that a file of checks speaks of.

    Args:
        document: The file, as YAML has it.
    """
    draft = Draft()
    for key, checks in document.items():
        found = _CHECKS_FOR.fullmatch(str(key))
        if found is None:
            draft.refuse(str(key), "only `checks for TABLE` are carried over")
            continue
        if found[2]:
            draft.refuse(str(key), "a named filter of rows: write it as `where` of each check")
            continue
        table = draft.table(found[1])
        for check in checks or ():
            text, details = (check, {}) if isinstance(check, str) else next(iter(check.items()))
            try:
                _add(table, str(text), details or {})
            except ValueError as error:
                draft.refuse(f"{found[1]}: {text}", str(error))
    return draft


def _add(table: TableDraft, text: str, details: Any) -> None:
    if text == "schema":
        _add_schema(table, details)
    elif text == "failed rows":
        _add_failed_rows(table, details)
    elif found := _FRESH.fullmatch(text):
        _add_fresh(table, found, details)
    elif found := _REFERENCE.fullmatch(text):
        _add_reference(table, found, details)
    else:
        _add_metric(table, text, details)


def _options(details: Mapping[str, Any]) -> dict[str, Any]:
    return {"where": str(details["filter"])} if details.get("filter") else {}


def _add_metric(table: TableDraft, text: str, details: Mapping[str, Any]) -> None:
    for severity, condition in _conditions(text, details):
        found = _CHECK.fullmatch(condition)
        if found is None:
            raise ValueError("contracts have no check for it")
        columns = [each.strip() for each in (found["columns"] or "").split(",") if each.strip()]
        options = _options(details) | ({"severity": "warn"} if severity == "warn" else {})
        name = str(details.get("name") or condition)
        if _add_plain(table, found, columns, details, options):
            continue
        if found["metric"] == "duplicate_count" and columns and "where" not in options:
            held = _write_threshold(_count_duplicates(table.name, columns), found)
            table.add_check(name, sql=f"select {held}", equals=True, **options)
        else:
            held = _write_threshold(_write_metric(found["metric"], columns, details), found)
            table.add_check(name, metric=held, equals=True, **options)


def _add_plain(
    table: TableDraft,
    found: re.Match[str],
    columns: list[str],
    details: Mapping[str, Any],
    options: dict[str, Any],
) -> bool:
    """Add a check that no row may break as one of rows, so that these can be told."""
    if found["metric"] == "row_count" and "rows" not in table.keys and not columns:
        ends = _read_ends(found)
        table.keys.update({"rows": {**ends, **options}} if ends else {})
        return bool(ends)
    none = (found["sign"], found["limit"]) in (("=", "0"), ("<", "1"))
    if not none or details.get("missing values") or not columns:
        return False
    if found["metric"] == "missing_count" and len(columns) == 1:
        table.check_column(columns[0], "required", True, options)
    elif found["metric"] == "duplicate_count" and len(columns) == 1:
        table.check_column(columns[0], "unique", True, options)
    elif found["metric"] == "duplicate_count":
        table.unique.append({"columns": columns, **options} if options else columns)
    else:
        return False
    return True


def _read_ends(found: re.Match[str]) -> dict[str, int]:
    """Return a threshold as bounds of a whole number; none if it is not that simple."""
    numbers = {key: found[key] for key in ("limit", "low", "high") if found[key] is not None}
    if found["not"] or found["sign"] == "!=" or not all(n.isdigit() for n in numbers.values()):
        return {}
    if not found["sign"]:
        return {"min": int(numbers["low"]), "max": int(numbers["high"])}
    limit = int(numbers["limit"])
    ends = {">": (limit + 1, None), ">=": (limit, None), "<": (None, limit - 1)}
    low, high = ends.get(found["sign"], (None if found["sign"] == "<=" else limit, limit))
    return {key: end for key, end in (("min", low), ("max", high)) if end is not None}


def _conditions(text: str, details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the conditions under which a check passes, each with its severity."""
    stated = []
    for severity in ("warn", "fail"):
        if severity in details:
            when = _WHEN.fullmatch(str(details[severity]).strip())
            if when is None:
                raise ValueError(f"`{severity}: {details[severity]}` can't be read")
            stated.append((severity, f"{text} {_oppose(when['rest'])}"))
    return stated or [("fail", text)]


def _oppose(condition: str) -> str:
    """Return when a check passes of which it is told when it does not."""
    opposites = {"<=": ">", ">=": "<", "!=": "=", "<": ">=", ">": "<=", "=": "!="}
    for sign, other in opposites.items():
        if condition.startswith(sign):
            return other + condition.removeprefix(sign)
    if condition.startswith("not "):
        return condition.removeprefix("not ")
    return f"not {condition}"


def _write_threshold(value: str, found: re.Match[str]) -> str:
    if found["sign"]:
        sign = "<>" if found["sign"] == "!=" else found["sign"]
        return f"{value} {sign} {found['limit']}"
    negated = "not " if found["not"] else ""
    return f"{negated}{value} between {found['low']} and {found['high']}"


def _write_metric(metric: str, columns: list[str], details: Mapping[str, Any]) -> str:
    """Return a metric as an aggregate.

    Raises:
        ValueError: It is not known, or its columns are not as it needs them.
    """
    if metric == "row_count":
        return "count(*)"
    if not columns:
        raise ValueError("contracts have no check for it")
    if len(columns) != 1:
        raise ValueError(f"{metric} is of one column")
    name = quote_identifier(columns[0])
    if metric in _AGGREGATES:
        return _AGGREGATES[metric].format(name)
    counted = {"missing": _missing(name, details), "invalid": ""}
    kind, _, unit = metric.rpartition("_")
    if kind == "invalid":
        counted["invalid"] = count_invalid(name, details, counted["missing"])
    if kind not in counted or unit not in ("count", "percent"):
        raise ValueError("contracts have no check for it")
    rows = f"count(*) filter (where {counted[kind]})"
    # no share is missing of no rows
    return rows if unit == "count" else f"coalesce({rows} * 100.0 / nullif(count(*), 0), 0)"


def _missing(name: str, details: Mapping[str, Any]) -> str:
    values = details.get("missing values")
    if not values:
        return f"{name} is null"
    return f"({name} is null or {name} in ({', '.join(map(literal, values))}))"


def _count_duplicates(table: str, columns: list[str]) -> str:
    """Return the SELECT of the number of values that come more than once; null is no value."""
    names = [quote_identifier(column) for column in columns]
    whole = " and ".join(f"{name} is not null" for name in names)
    grouped = f"group by {', '.join(names)} having count(*) > 1"
    source = f"from {quote_identifier(table)} where {whole} {grouped}"
    return f"(select count(*) from (select 1 {source}))"


def _add_schema(table: TableDraft, details: Mapping[str, Any]) -> None:
    """Add what can be said of the columns, and raise of all the rest together."""
    lost = []
    for severity in ("warn", "fail"):
        options = {"severity": "warn"} if severity == "warn" else None
        for condition, said in (details.get(severity) or {}).items():
            if condition == "when required column missing":
                for column in said:
                    table.check_column(str(column), "present", True, options)
            elif condition == "when wrong column type":
                lost.append(f"`{condition}`: types have other names in each database: write `type`")
            else:
                lost.append(f"`{condition}` is not carried over")
    if lost:
        raise ValueError("; ".join(lost))


def _add_failed_rows(table: TableDraft, details: Mapping[str, Any]) -> None:
    name = str(details.get("name") or "failed rows")
    if "fail query" in details:
        table.add_check(name, sql=str(details["fail query"]).strip())
    elif "fail condition" in details:
        condition = str(details["fail condition"]).strip()
        table.add_check(name, rule=f"not coalesce(({condition}), false)", **_options(details))
    else:
        raise ValueError("it has neither a fail condition nor a fail query")


def _add_fresh(table: TableDraft, found: re.Match[str], details: Mapping[str, Any]) -> None:
    if details and set(details) - {"name"}:
        raise ValueError(f"it says more: {', '.join(map(str, details))}")
    table.check_column(found["column"].strip(), "fresh", found["age"])


def _add_reference(table: TableDraft, found: re.Match[str], details: Mapping[str, Any]) -> None:
    del details
    columns = [each.strip() for each in found["columns"].split(",")]
    targets = [each.strip() for each in found["to"].split(",")]
    if len(columns) == 1 == len(targets):
        said = {"table": found["table"], "column": targets[0]}
        table.check_column(columns[0], "references", said)
    else:
        pairs = dict(zip(columns, targets, strict=True))
        table.keys["references"] = {"table": found["table"], "columns": pairs}
