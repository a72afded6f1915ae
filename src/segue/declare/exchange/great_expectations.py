"""Expectation suites of Great Expectations, as its JSON files hold them (0.x and 1.x).

The meaning of each expectation is that of https://greatexpectations.io/expectations: values
that are null count for none but those that ask for them, `mostly` is the least share of the
others that must be as expected, and a pattern may match anywhere in a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segue.declare.exchange.draft import Draft, TableDraft, anywhere, literal, tolerate
from segue.spec.sql import quote_identifier

PREFIX = "expect_"

Arguments = Mapping[str, Any]
Writer = Callable[[TableDraft, Arguments, dict[str, Any]], None]

_ASIDE = frozenset(("batch_id", "result_format", "catch_exceptions", "meta", "description"))
_WARNINGS = ("warning", "info")


def read_suite(document: Mapping[str, Any], table: str) -> Draft:
    """Return the contract that a suite speaks of.

    Args:
        document: The suite, as JSON has it.
        table: Name of the table, which a suite does not tell.
    """
    draft = Draft()
    target = draft.table(table)
    for place, each in enumerate(document.get("expectations", ()), start=1):
        name = str(each.get("type") or each.get("expectation_type") or "")
        where = f"expectation {place}, {name}"
        arguments = {
            key: value
            for key, value in each.get("kwargs", {}).items()
            if key not in _ASIDE and value is not None
        }
        try:
            _add(target, name, arguments, str(each.get("severity") or ""))
        except (ValueError, KeyError, TypeError) as error:
            draft.refuse(where, _say(error))
    return draft


def _say(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)


def _add(table: TableDraft, name: str, arguments: dict[str, Any], severity: str) -> None:
    writer = WRITERS.get(name.removeprefix(PREFIX))
    if writer is None:
        raise ValueError("contracts have no check for it")
    if arguments.pop("row_condition", None) is not None:
        raise ValueError("its row_condition is written in another language than SQL")
    arguments.pop("condition_parser", None)
    options: dict[str, Any] = {"severity": "warn"} if severity in _WARNINGS else {}
    mostly = arguments.pop("mostly", 1)
    if mostly != 1:
        if severity in _WARNINGS:
            options = {"warn": tolerate(1 - mostly)}
        else:
            options["fail"] = tolerate(1 - mostly)
        if name not in _COUNTS_NULLS and "column" in arguments:
            # the share is one of the values that are not null
            options["where"] = f"{quote_identifier(arguments['column'])} is not null"
    writer(table, arguments, options)


_COUNTS_NULLS = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_null")


def _bounds(arguments: Arguments) -> list[Any]:
    if arguments.get("min_value") is None and arguments.get("max_value") is None:
        raise ValueError("it states no bound")
    return [arguments.get("min_value"), arguments.get("max_value")]


def _is_strict(arguments: Arguments) -> bool:
    return bool(arguments.get("strict_min") or arguments.get("strict_max"))


def _compare(value: str, arguments: Arguments) -> str:
    """Return SQL that holds a value against bounds which may be outside."""
    ends = (
        (">" if arguments.get("strict_min") else ">=", arguments.get("min_value")),
        ("<" if arguments.get("strict_max") else "<=", arguments.get("max_value")),
    )
    return " and ".join(f"{value} {sign} {literal(end)}" for sign, end in ends if end is not None)


def _between(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    column, bounds = arguments["column"], _bounds(arguments)
    if _is_strict(arguments):
        table.add_rule(column, _compare(quote_identifier(column), arguments), options)
    else:
        table.check_column(column, "between", bounds, options)


def _column(kind: str, read: Callable[[Arguments], Any] = lambda _: True) -> Writer:
    def write(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
        table.check_column(arguments["column"], kind, read(arguments), options)

    return write


def _rule(text: Callable[[str, Arguments], str]) -> Writer:
    def write(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
        column = arguments["column"]
        table.add_rule(column, text(quote_identifier(column), arguments), options)

    return write


def _metric(kind: str, expression: str) -> Writer:
    def write(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
        column, bounds = arguments["column"], _bounds(arguments)
        if _is_strict(arguments):
            value = expression.format(quote_identifier(column))
            text = _compare(value, arguments)
            table.add_check(f"{kind} of {column}", metric=text, equals=True, **options)
        elif kind == "share of distinct":
            value = expression.format(quote_identifier(column))
            table.add_check(f"{kind} {column}", metric=value, between=bounds, **options)
        else:
            table.check_column(column, kind, bounds, options)

    return write


def _rows(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    exact = arguments.get("value")
    low, high = (exact, exact) if exact is not None else _bounds(arguments)
    if _is_strict(arguments):
        low = None if low is None else low + bool(arguments.get("strict_min"))
        high = None if high is None else high - bool(arguments.get("strict_max"))
    ends = {key: end for key, end in (("min", low), ("max", high)) if end is not None}
    if "rows" in table.keys:
        raise ValueError("a second bound of the number of rows")
    table.keys["rows"] = {**ends, **options}


def _exists(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    if arguments.get("column_index") is not None:
        raise ValueError("contracts tell the order of columns, not the position of one")
    table.check_column(arguments["column"], "present", True, options)


def _column_set(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    for column in arguments["column_set"]:
        table.check_column(column, "present", True, options)
    if arguments.get("exact_match", True):
        table.keys["closed"] = options or True


def _column_list(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    for column in arguments["column_list"]:
        table.check_column(column, "present", True, options)
    table.keys["closed"] = table.keys["ordered"] = options or True


def _compound(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
    columns = arguments["column_list"]
    ignored = arguments.get("ignore_row_if", "all_values_are_missing")
    signs = {"all_values_are_missing": " or ", "any_value_is_missing": " and ", "never": ""}
    if ignored not in signs:
        raise ValueError(f"ignore_row_if: {ignored} is not known")
    said: dict[str, Any] = {"columns": list(columns), "nulls": "equal", **options}
    if signs[ignored]:
        names = map(quote_identifier, columns)
        said["where"] = signs[ignored].join(f"{name} is not null" for name in names)
    table.unique.append(said)


def _pair(sign: str) -> Writer:
    def write(table: TableDraft, arguments: Arguments, options: dict[str, Any]) -> None:
        first, second = arguments["column_A"], arguments["column_B"]
        one, other = quote_identifier(first), quote_identifier(second)
        compared = sign + "=" if arguments.get("or_equal") and sign != "=" else sign
        ignored = arguments.get("ignore_row_if", "both_values_are_missing")
        kept = {
            "both_values_are_missing": f"{one} is not null or {other} is not null",
            "either_value_is_missing": f"{one} is not null and {other} is not null",
        }.get(ignored)
        where = {"where": kept} if kept else {}
        rule = f"coalesce({one} {compared} {other}, false)"
        table.add_rule(f"{first}, {second}", rule, {**where, **options})

    return write


def _increasing(arguments: Arguments) -> Any:
    return {"strictly": True} if arguments.get("strictly") else True


def _length(arguments: Arguments) -> list[Any]:
    if "value" in arguments:
        return [arguments["value"], arguments["value"]]
    if _is_strict(arguments):
        raise ValueError("bounds that are outside: write the next length")
    return _bounds(arguments)


def _listed(arguments: Arguments) -> list[Any]:
    return [value for value in arguments["value_set"] if value is not None]


WRITERS: dict[str, Writer] = {
    "column_to_exist": _exists,
    "table_columns_to_match_set": _column_set,
    "table_columns_to_match_ordered_list": _column_list,
    "table_row_count_to_be_between": _rows,
    "table_row_count_to_equal": _rows,
    "column_values_to_not_be_null": _column("required"),
    "column_values_to_be_null": _rule(lambda name, _: f"{name} is null"),
    "column_values_to_be_unique": _column("unique"),
    "compound_columns_to_be_unique": _compound,
    "column_values_to_be_between": _between,
    "column_values_to_be_in_set": _column("in", _listed),
    "column_values_to_not_be_in_set": _rule(
        lambda name, arguments: f"{name} not in ({', '.join(map(literal, _listed(arguments)))})"
    ),
    "column_values_to_match_regex": _column("matches", lambda told: anywhere(told["regex"])),
    "column_values_to_not_match_regex": _rule(
        lambda name, told: f"not regexp_full_match({name}, {literal(anywhere(told['regex']))})"
    ),
    "column_value_lengths_to_be_between": _column("length", _length),
    "column_value_lengths_to_equal": _column("length", _length),
    "column_values_to_be_increasing": _column("increasing", _increasing),
    "column_values_to_be_json_parseable": _column("format", lambda _: "json"),
    "column_values_to_match_json_schema": _column(
        "format", lambda told: {"json": told["json_schema"]}
    ),
    "column_distinct_values_to_be_in_set": _column("in", _listed),
    "column_unique_value_count_to_be_between": _metric("distinct", "count(distinct {})"),
    "column_proportion_of_unique_values_to_be_between": _metric(
        "share of distinct", "count(distinct {0}) / count({0})"
    ),
    "column_min_to_be_between": _metric("min", "min({})"),
    "column_max_to_be_between": _metric("max", "max({})"),
    "column_mean_to_be_between": _metric("mean", "avg({})"),
    "column_median_to_be_between": _metric("median", "median({})"),
    "column_stdev_to_be_between": _metric("stddev", "stddev_samp({})"),
    "column_sum_to_be_between": _metric("sum", "sum({})"),
    "column_pair_values_to_be_equal": _pair("="),
    "column_pair_values_a_to_be_greater_than_b": _pair(">"),
}
"""What each expectation becomes, by its name without ``expect_``."""
