"""Contracts of the Open Data Contract Standard v3 (https://bitol-io.github.io/open-data-contract-standard)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.declare.exchange.draft import Draft, TableDraft, literal, tolerate
from segue.declare.exchange.odcs_types import NUMBERS, read_duration, read_type
from segue.spec.sql import quote_identifier

_SIGNS = {
    "mustBe": "=",
    "mustNotBe": "<>",
    "mustBeGreaterThan": ">",
    "mustBeGreaterOrEqualTo": ">=",
    "mustBeLessThan": "<",
    "mustBeLessOrEqualTo": "<=",
}
_OPTIONS = {
    "minLength": ("length", 0),
    "maxLength": ("length", 1),
    "minimum": ("between", 0),
    "maximum": ("between", 1),
}
_FORMATS = {"email": "email", "uuid": "uuid", "uri": "url", "ipv4": "ipv4", "ipv6": "ipv6"}
_SENSITIVE = ("confidential", "restricted", "sensitive", "pii")
_WARNINGS = ("warning", "info", "low")


def read_contract(document: Mapping[str, Any]) -> Draft:
    """Return the contracts that a data contract speaks of: one for each object of its schema.

    Args:
        document: The data contract, as YAML has it.

    Raises:
        ValueError: It is of another version.
    """
    version = str(document.get("apiVersion", ""))
    if not version.startswith("v3"):
        raise ValueError(f"it is of version {version or 'unknown'}; versions v3.x are read")
    draft = Draft()
    owner = _find_owner(document)
    for element in document.get("schema") or ():
        table = draft.table(str(element.get("physicalName") or element["name"]))
        if owner:
            table.keys["owner"] = owner
        if element.get("description"):
            table.keys["about"] = str(element["description"]).strip()
        _read_object(draft, table, element)
    _read_service_levels(draft, document)
    return draft


def _find_owner(document: Mapping[str, Any]) -> str:
    team = document.get("team") or {}
    members = team.get("members") or () if isinstance(team, Mapping) else team
    owners = [m for m in members if str(m.get("role", "")).lower() in ("owner", "data owner")]
    return str(owners[0].get("username") or owners[0].get("name") or "") if owners else ""


def _read_object(draft: Draft, table: TableDraft, element: Mapping[str, Any]) -> None:
    keys: list[tuple[int, str]] = []
    for each in element.get("properties") or ():
        name = str(each.get("physicalName") or each["name"])
        if each.get("primaryKey"):
            keys.append((int(each.get("primaryKeyPosition", -1)), name))
        _read_property(draft, table, name, each)
    names = [name for _, name in sorted(keys)]
    if len(names) == 1:
        table.column(names[0])["unique"] = True
    elif names:
        table.unique.append(names)
    for name in names:
        table.column(name)["required"] = True
    for rule in element.get("quality") or ():
        _add(draft, table, str(element["name"]), "", rule)
    for relation in element.get("relationships") or ():
        _try(draft, "a relationship", _add_relation, table, relation.get("from"), relation)


def _read_property(draft: Draft, table: TableDraft, name: str, each: Mapping[str, Any]) -> None:
    said = table.column(name)
    if each.get("description"):
        said["about"] = str(each["description"]).strip()
    physical, logical = str(each.get("physicalType") or ""), str(each.get("logicalType") or "")
    if physical or logical:
        if type_ := read_type(physical, logical):
            said["type"] = type_
        else:
            said["present"] = True
        if not type_ and (physical or logical not in NUMBERS):
            draft.refuse(f"{name}: {physical or logical}", "no type of segue's is the same")
    for flag in ("required", "unique"):
        if each.get(flag):
            said[flag] = True
    if str(each.get("classification", "")).lower() in _SENSITIVE:
        said["sensitive"] = True
    _read_type_options(draft, table, name, each.get("logicalTypeOptions") or {})
    for rule in each.get("quality") or ():
        _add(draft, table, name, name, rule)
    for relation in each.get("relationships") or ():
        _try(draft, f"{name}: a relationship", _add_relation, table, name, relation)


def _read_type_options(
    draft: Draft, table: TableDraft, name: str, options: Mapping[str, Any]
) -> None:
    ends: dict[str, list[Any]] = {}
    for key, value in options.items():
        if key in _OPTIONS:
            kind, place = _OPTIONS[key]
            ends.setdefault(kind, [None, None])[place] = value
        elif key == "pattern":
            table.check_column(name, "matches", str(value))
        elif key == "exclusiveMinimum" and not isinstance(value, bool):
            table.add_rule(name, f"{quote_identifier(name)} > {literal(value)}")
        elif key == "exclusiveMaximum" and not isinstance(value, bool):
            table.add_rule(name, f"{quote_identifier(name)} < {literal(value)}")
        elif key == "format" and value in _FORMATS:
            table.check_column(name, "format", _FORMATS[value])
        else:
            draft.refuse(f"{name}: {key}: {value}", "contracts have no check for it")
    for kind, bounds in ends.items():
        table.check_column(name, kind, bounds)


def _try(draft: Draft, where: str, add: Any, *arguments: Any) -> None:
    try:
        add(*arguments)
    except (ValueError, KeyError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        draft.refuse(where, what)


def _add(draft: Draft, table: TableDraft, where: str, column: str, rule: Mapping[str, Any]) -> None:
    kind = rule.get("type") or "library"
    told = rule.get("name") or rule.get("metric") or rule.get("query") or rule.get("description")
    shown = f"{where}: {told}"
    if kind == "library":
        _try(draft, shown, _add_metric, table, column, rule)
    elif kind == "sql":
        _try(draft, shown, _add_query, table, column, rule)
    elif kind == "text":
        draft.refuse(shown, "a text for people, which nothing measures")
    else:
        draft.refuse(shown, f"a check of {rule.get('engine', 'another tool')}")


def _severity(rule: Mapping[str, Any]) -> dict[str, Any]:
    warns = str(rule.get("severity") or "").lower() in _WARNINGS
    return {"severity": "warn"} if warns else {}


def _compare(rule: Mapping[str, Any], value: str) -> str:
    """Return SQL that holds a value against a rule's threshold."""
    for key, sign in _SIGNS.items():
        if key in rule:
            return f"{value} {sign} {literal(rule[key])}"
    for key, word in (("mustBeBetween", "between"), ("mustNotBeBetween", "not between")):
        if key in rule:
            low, high = map(literal, rule[key])
            return f"{value} {word} {low} and {high}"
    raise ValueError("it states no threshold")


def _add_metric(table: TableDraft, column: str, rule: Mapping[str, Any]) -> None:
    metric, arguments = str(rule.get("metric") or rule.get("rule")), rule.get("arguments") or {}
    name = str(rule.get("name") or f"{metric} {column}".strip())
    options = _severity(rule)
    if metric == "rowCount":
        table.add_check(name, metric=_compare(rule, "count(*)"), equals=True, **options)
        return
    if metric == "duplicateValues":
        _add_unique(table, column, arguments, rule, options)
        return
    if not column:
        raise ValueError("it names no column")
    if metric == "nullValues" and rule.get("mustBe") == 0:
        table.check_column(column, "required", True, options)
        return
    failing = _write_failing(metric, quote_identifier(column), arguments)
    value = f"count(*) filter (where {failing})"
    if rule.get("unit") == "percent":
        value = f"coalesce({value} * 100.0 / nullif(count(*), 0), 0)"
    table.add_check(name, metric=_compare(rule, value), equals=True, **options)


def _write_failing(metric: str, name: str, arguments: Mapping[str, Any]) -> str:
    if metric == "nullValues":
        return f"{name} is null"
    if metric == "missingValues":
        values = [value for value in arguments.get("missingValues") or () if value is not None]
        listed = f" or {name} in ({', '.join(map(literal, values))})" if values else ""
        return f"{name} is null{listed}"
    if metric == "invalidValues":
        broken = []
        if "validValues" in arguments:
            listed = ", ".join(map(literal, arguments["validValues"]))
            broken.append(f"{name} not in ({listed})")
        if "pattern" in arguments:
            broken.append(f"not regexp_full_match({name}, {literal(arguments['pattern'])})")
        if broken:
            return f"coalesce({' or '.join(broken)}, false)"
    raise ValueError("contracts have no check for it")


def _add_unique(
    table: TableDraft,
    column: str,
    arguments: Mapping[str, Any],
    rule: Mapping[str, Any],
    options: dict[str, Any],
) -> None:
    columns = list(arguments.get("properties") or ([column] if column else ()))
    tolerance = _read_tolerance(rule)
    said = {**options, **({"fail": tolerance} if tolerance else {})}
    if not columns:
        raise ValueError("it names no columns")
    if columns == [column]:
        table.check_column(column, "unique", True, said)
    else:
        table.unique.append({"columns": columns, **said} if said else columns)


def _read_tolerance(rule: Mapping[str, Any]) -> Any:
    """Return how many duplicates are borne, if some are."""
    share = rule.get("unit") == "percent"
    if rule.get("mustBe") == 0:
        return None
    if "mustBeLessOrEqualTo" in rule:
        limit = rule["mustBeLessOrEqualTo"]
        return tolerate(limit / 100) if share else limit
    if "mustBeLessThan" in rule and not share:
        return rule["mustBeLessThan"] - 1
    raise ValueError("write it as `unique` with a tolerance")


def _add_query(table: TableDraft, column: str, rule: Mapping[str, Any]) -> None:
    query = str(rule["query"]).strip().rstrip(";")
    for mark, word in (("object", table.name), ("table", table.name), ("property", column)):
        query = query.replace(f"${{{mark}}}", quote_identifier(word))
    query = query.replace("${column}", quote_identifier(column))
    name = str(rule.get("name") or rule.get("description") or query)
    held = f"select {_compare(rule, f'({query})')}"
    table.add_check(name, sql=held, equals=True, **_severity(rule))


def _add_relation(table: TableDraft, source: Any, relation: Mapping[str, Any]) -> None:
    sources = source if isinstance(source, list) else [source]
    targets = relation["to"] if isinstance(relation["to"], list) else [relation["to"]]
    parts = [str(target).rsplit(".", 1) for target in targets]
    tables = {part[0] for part in parts}
    if len(tables) != 1 or any(len(part) != 2 for part in parts):  # noqa: PLR2004
        raise ValueError("it does not name columns of one table")
    other = next(iter(tables))
    names = [str(each).rsplit(".", 1)[-1] for each in sources]
    if len(names) == 1:
        table.check_column(names[0], "references", {"table": other, "column": parts[0][1]})
    else:
        columns = dict(zip(names, (part[1] for part in parts), strict=True))
        table.keys["references"] = {"table": other, "columns": columns}


def _read_service_levels(draft: Draft, document: Mapping[str, Any]) -> None:
    elements = document.get("schema") or ()
    named = {str(each["name"]): str(each.get("physicalName") or each["name"]) for each in elements}
    for level in document.get("slaProperties") or ():
        name, element = str(level.get("property")), str(level.get("element") or "")
        shown = f"service level {name}"
        if name.lower() not in ("latency", "freshness", "ly") or "." not in element:
            draft.refuse(shown, "nothing of a table measures it")
            continue
        table, column = element.split(",", maxsplit=1)[0].strip().rsplit(".", 1)
        table = named.get(table, table)
        if table not in draft.tables:
            draft.refuse(shown, f"there is no table {table}")
            continue
        _try(draft, shown, _add_fresh, draft.table(table), column, level)


def _add_fresh(table: TableDraft, column: str, level: Mapping[str, Any]) -> None:
    table.check_column(column, "fresh", read_duration(level["value"], str(level.get("unit", "d"))))
