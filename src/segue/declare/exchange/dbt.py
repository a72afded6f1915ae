"""The data tests of dbt, as a project's ``schema.yml`` declares them.

Read are the tests that dbt brings (https://docs.getdbt.com/reference/resource-properties/data-tests)
and those of the package ``dbt_utils`` that rows or columns can keep. A test of dbt fails if its
query returns rows, unless `severity`, `warn_if` and `error_if` say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from segue.declare.exchange.draft import Draft, TableDraft, literal, tolerate
from segue.spec.sql import quote_identifier

Arguments = Mapping[str, Any]
Writer = Callable[[TableDraft, str, Arguments, dict[str, Any]], None]

_FRESHNESS = ("freshness", "loaded_at_field", "loaded_at_query")
_CONFIG = ("name", "description", "config", "severity", "where", "warn_if", "error_if", "limit")
_REF = re.compile(r"ref\(\s*['\"](?:[^'\"]+['\"]\s*,\s*['\"])?([^'\"]+)['\"]\s*\)")
_SOURCE = re.compile(r"source\(\s*['\"][^'\"]+['\"]\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_MORE_THAN = re.compile(r"\s*>\s*(\d+)\s*")


def read_properties(document: Mapping[str, Any]) -> Draft:
    """Return the contracts that a file of properties speaks of.

    Args:
        document: The file, as YAML has it.
    """
    draft = Draft()
    for kind in ("models", "seeds", "snapshots"):
        for model in document.get(kind) or ():
            _read_model(draft, model)
    for source in document.get("sources") or ():
        for table in source.get("tables") or ():
            _read_model(draft, table)
            _read_freshness(draft, source, table)
    return draft


def _read_freshness(draft: Draft, source: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Add how old a source may be; what its table does not say, the source does."""
    said: dict[str, Any] = {}
    for node in (source, table):
        said |= {key: item for key, item in node.items() if key in _FRESHNESS}
        config = node.get("config") or {}
        said |= {key: item for key, item in config.items() if key in _FRESHNESS}
    limits = said.get("freshness") or {}
    column = str(said.get("loaded_at_field") or "")
    for key, severity in (("warn_after", "warn"), ("error_after", "fail")):
        limit = limits.get(key) or {}
        if not limit.get("count"):
            continue
        if said.get("loaded_at_query") or not column.isidentifier():
            draft.refuse(f"{table['name']}: freshness", "it is not of a column: write `fresh`")
            return
        unit = {"minute": "m", "hour": "h", "day": "d"}[str(limit["period"])]
        fresh = {"column": column, "within": f"{limit['count']}{unit}"}
        where = {"where": str(limits["filter"])} if limits.get("filter") else {}
        options = where | ({"severity": "warn"} if severity == "warn" else {})
        name = f"freshness: {key} {fresh['within']}"
        draft.table(str(table["name"])).add_check(name, fresh=fresh, **options)


def _read_model(draft: Draft, model: Mapping[str, Any]) -> None:
    name = str(model["name"])
    table = draft.table(name)
    if about := str(model.get("description") or "").strip():
        table.keys["about"] = about
    for test in _list_tests(model):
        _add(draft, table, name, "", test)
    for constraint in model.get("constraints") or ():
        _add_constraint(draft, table, name, constraint)
    config = model.get("config") or {}
    enforced = (config.get("contract") or model.get("contract") or {}).get("enforced") is True
    for column in model.get("columns") or ():
        said = table.column(str(column["name"]))
        if about := str(column.get("description") or "").strip():
            said["about"] = about
        for test in _list_tests(column):
            _add(draft, table, name, str(column["name"]), test)
        if enforced and column.get("data_type"):
            what = "types have other names in each database: write `type`"
            draft.refuse(f"{name}.{column['name']}: data_type {column['data_type']}", what)
        for constraint in column.get("constraints") or ():
            listed = {"columns": [column["name"]], **constraint}
            _add_constraint(draft, table, name, listed)


def _list_tests(node: Mapping[str, Any]) -> list[Any]:
    return [*(node.get("tests") or ()), *(node.get("data_tests") or ())]


def _add(draft: Draft, table: TableDraft, model: str, column: str, test: Any) -> None:
    if isinstance(test, str):
        test = {test: {}}
    told = {key: value for key, value in test.items() if key not in _CONFIG}
    kind = str(test.get("test_name") or next(iter(told), ""))
    inner = dict(told.get(kind) or {}) | {key: test[key] for key in _CONFIG if key in test}
    inner |= inner.pop("arguments", None) or {}
    where = f"{model}.{column}: {kind}" if column else f"{model}: {kind}"
    column = str(inner.pop("column_name", column))
    config = inner.get("config") or {}
    if config.get("enabled") is False:  # dbt does not run it either
        return
    try:
        options = _read_options(inner)
        arguments = {key: value for key, value in inner.items() if key not in _CONFIG}
        find_writer(kind)(table, column, arguments, options)
    except (ValueError, KeyError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        draft.refuse(where, what)


def find_writer(kind: str) -> Writer:
    """Return what turns a test into a check.

    Raises:
        ValueError: Contracts have no check for it.
    """
    if kind not in WRITERS:
        raise ValueError("contracts have no check for it")
    return WRITERS[kind]


def _read_options(test: Mapping[str, Any]) -> dict[str, Any]:
    config = {**(test.get("config") or {}), **{key: test[key] for key in _CONFIG if key in test}}
    if "fail_calc" in config:
        raise ValueError("fail_calc counts in another way")
    options: dict[str, Any] = {}
    if config.get("where"):
        options["where"] = str(config["where"])
    warns = str(config.get("severity", "error")).lower() == "warn"
    warn_if, error_if = _read_limit(config.get("warn_if")), _read_limit(config.get("error_if"))
    if warn_if is None and error_if is None:
        return options | ({"severity": "warn"} if warns else {})
    # without a limit of its own, either begins with the first row
    limits = {"warn": warn_if or 0} | ({} if warns else {"fail": error_if or 0})
    if limits.get("fail", 1) <= limits["warn"] and not warns:
        limits.pop("warn")
    return options | limits


def _read_limit(text: Any) -> int | None:
    if text is None:
        return None
    found = _MORE_THAN.fullmatch(str(text))
    if found is None and str(text).replace(" ", "") == "!=0":
        return 0
    if found is None:
        raise ValueError(f"`{text}`: a limit is a number of rows that is exceeded, such as >10")
    return int(found[1])


def _accepted_values(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    values = arguments["values"]
    if arguments.get("quote") is False:
        raise ValueError("quote: false makes SQL of the values")
    if "warn" in options or "fail" in options:
        name = quote_identifier(column)
        wrong = f"{name} not in ({', '.join(map(literal, values))})"
        query = f"select count(distinct {name}) {_read_from(table, wrong, options)}"
        _bear(table, f"{column} in", query, options)
        return
    table.check_column(column, "in", list(values), options)


def _relationships(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    target = str(arguments["to"])
    found = _REF.search(target) or _SOURCE.search(target)
    if found is None:
        raise ValueError(f"`{target}` is neither ref('...') nor source('...', '...')")
    said = {"table": found[1], "column": str(arguments["field"])}
    short = "." not in said["table"] + said["column"] and not options
    value: Any = f"{said['table']}.{said['column']}" if short else said
    table.check_column(column, "references", value, options)


def _accepted_range(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if not all(end is None or isinstance(end, int | float) for end in (low, high)):
        raise ValueError("its bounds are SQL: write them as a rule")
    if arguments.get("inclusive", True):
        table.check_column(column, "between", [low, high], options)
        return
    name = quote_identifier(column)
    ends = ((">", low), ("<", high))
    rule = " and ".join(f"{name} {sign} {literal(end)}" for sign, end in ends if end is not None)
    table.add_rule(column, rule, options)


def _unique_combination(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    del column
    columns = list(arguments["combination_of_columns"])
    if "warn" in options or "fail" in options:
        _bear_duplicates(table, columns, "", options)
        return
    # in a GROUP BY nulls are equal
    table.unique.append({"columns": columns, "nulls": "equal", **options})


def _unique(table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]) -> None:
    del arguments
    if "warn" in options or "fail" in options:
        _bear_duplicates(table, [column], f"{quote_identifier(column)} is not null", options)
    else:
        table.check_column(column, "unique", True, options)


def _bear_duplicates(
    table: TableDraft, columns: list[str], among: str, options: dict[str, Any]
) -> None:
    key = ", ".join(map(quote_identifier, columns))
    found = f"select 1 {_read_from(table, among, options)} group by {key} having count(*) > 1"
    _bear(table, f"{', '.join(columns)} unique", f"select count(*) from ({found})", options)


def _read_from(table: TableDraft, among: str, options: dict[str, Any]) -> str:
    wheres = [f"({each})" for each in (among, options.get("where")) if each]
    where = f" where {' and '.join(wheres)}" if wheres else ""
    return f"from {quote_identifier(table.name)}{where}"


def _bear(table: TableDraft, name: str, query: str, options: dict[str, Any]) -> None:
    """Add checks of how many keys or values are wrong, where dbt's limits do not count rows."""
    for severity in ("warn", "fail"):
        if severity in options:
            stated = {"severity": "warn"} if severity == "warn" else {}
            table.add_check(f"{name} ({severity})", sql=query, max=options[severity], **stated)


def _expression(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    expression = str(arguments["expression"])
    rule = f"{quote_identifier(column)} {expression}" if column else expression
    # dbt looks for rows for which it is not true, null included
    table.add_rule(column or table_words(rule), f"coalesce(({rule}), false)", options)


def table_words(rule: str) -> str:
    """Return a short name for a rule."""
    return " ".join(rule.split())[:60]


def _not_null_proportion(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    least = float(arguments["at_least"])
    if arguments.get("at_most", 1) != 1:
        raise ValueError("it states the most values, too")
    table.check_column(column, "completeness", {"min": tolerate(least)}, options)


def _rule(text: str) -> Writer:
    def write(
        table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
    ) -> None:
        if arguments:
            raise ValueError(f"it has arguments: {', '.join(arguments)}")
        table.add_rule(column, text.format(quote_identifier(column)), options)

    return write


def _flag(kind: str) -> Writer:
    def write(
        table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
    ) -> None:
        del arguments
        table.check_column(column, kind, True, options)

    return write


def _at_least_one(
    table: TableDraft, column: str, arguments: Arguments, options: dict[str, Any]
) -> None:
    if arguments:
        raise ValueError(f"it has arguments: {', '.join(arguments)}")
    metric = f"count({quote_identifier(column)})"
    table.add_check(f"{column} has a value", metric=metric, min=1, **options)


def _add_constraint(
    draft: Draft, table: TableDraft, model: str, constraint: Mapping[str, Any]
) -> None:
    kind, columns = str(constraint.get("type")), list(constraint.get("columns") or ())
    if kind in ("not_null", "primary_key"):
        for column in columns:
            table.check_column(column, "required")
    if kind in ("unique", "primary_key"):
        if len(columns) == 1:
            table.check_column(columns[0], "unique")
        else:
            table.unique.append(columns)
    elif kind == "check":
        rule = str(constraint.get("expression"))
        table.add_rule(table_words(rule), rule)
    elif kind != "not_null":
        draft.refuse(f"{model}: constraint {kind}", "contracts have no check for it")


WRITERS: dict[str, Writer] = {
    "not_null": _flag("required"),
    "unique": _unique,
    "accepted_values": _accepted_values,
    "relationships": _relationships,
    "dbt_utils.accepted_range": _accepted_range,
    "dbt_utils.unique_combination_of_columns": _unique_combination,
    "dbt_utils.expression_is_true": _expression,
    "dbt_utils.not_null_proportion": _not_null_proportion,
    "dbt_utils.at_least_one": _at_least_one,
    "dbt_utils.not_empty_string": _rule("trim({}) <> ''"),
}
"""What each test becomes."""
