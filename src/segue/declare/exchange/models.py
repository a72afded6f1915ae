"""Models of pandera and pydantic as contracts: what they check of each row and column."""

from __future__ import annotations

import enum
import typing
from collections.abc import Mapping
from typing import Any

from segue.declare.exchange.draft import Draft, TableDraft, anywhere, literal
from segue.declare.row_types import is_row_class
from segue.spec.sql import quote_identifier
from segue.spec.types import parse_type

_PANDERA_TYPES = {
    "str": "string",
    "object": "string",
    "string": "string",
    "string[python]": "string",
    "string[pyarrow]": "string",
    "bool": "bool",
    "boolean": "bool",
    "datetime64[ns]": "timestamp(ns)",
    "datetime64[us]": "timestamp",
    "datetime64[ns, utc]": "timestamp(ns, UTC)",
    "datetime64[us, utc]": "timestamp(us, UTC)",
    "date": "date",
    "utf8": "string",
    "boolean[pyarrow]": "bool",
}
_COMPARISONS = {
    "greater_than": (">", "min_value"),
    "less_than": ("<", "max_value"),
    "equal_to": ("=", "value"),
    "not_equal_to": ("<>", "value"),
}


def read_model(model: Any, table: str) -> Draft:
    """Return the contract that a model speaks of.

    Args:
        model: A `DataFrameSchema` or `DataFrameModel` of pandera, or a model of pydantic.
        table: Name of the table.

    Raises:
        ValueError: It is none of these.
    """
    draft = Draft()
    schema = model.to_schema() if hasattr(model, "to_schema") else model
    if hasattr(schema, "columns") and hasattr(schema, "strict"):
        _read_pandera(draft, draft.table(table), schema)
    elif is_row_class(model) and hasattr(model, "model_fields"):
        _read_pydantic(draft, draft.table(table), model)
    else:
        raise ValueError(f"{model!r} is no model of pandera or pydantic")
    return draft


def _read_pandera(draft: Draft, table: TableDraft, schema: Any) -> None:
    for name, column in schema.columns.items():
        if getattr(column, "regex", False):
            draft.refuse(name, "a pattern of columns' names: write each column")
            continue
        _read_pandera_column(draft, table, str(name), column)
    for check in schema.checks or ():
        draft.refuse(f"check {check.name}", "a function over the frame: use `python`")
    if schema.unique:
        table.unique.append({"columns": list(schema.unique), "nulls": "equal"})
    if schema.strict is True:
        table.keys["closed"] = True
    if schema.ordered:
        table.keys["ordered"] = True
    if getattr(schema, "index", None) is not None:
        draft.refuse("index", "tables have no index: make a column of it")


def _read_pandera_column(draft: Draft, table: TableDraft, name: str, column: Any) -> None:
    said = table.column(name)
    if column.dtype is not None:
        type_ = name_type(str(column.dtype))
        if type_:
            said["type"] = type_
        else:
            draft.refuse(f"{name}: {column.dtype}", "no type of segue's is the same")
    if not column.required:
        draft.refuse(name, "a column that may be missing: its checks need it")
    elif "type" not in said:
        said["present"] = True
    if not column.nullable:
        said["required"] = True
    if column.unique:
        said["unique"] = {"nulls": "equal"} if column.nullable else True
    if column.description:
        said["about"] = str(column.description)
    for check in column.checks or ():
        options = {"severity": "warn"} if getattr(check, "raise_warning", False) else {}
        try:
            _add_pandera_check(table, name, check.name, check.statistics or {}, options)
        except ValueError as error:
            draft.refuse(f"{name}: check {check.name}", str(error))


def name_type(dtype: str) -> str:
    """Return segue's name of a type of pandas or Polars; empty if there is none.

    Example:
        >>> name_type("Int64"), name_type("datetime64[ns]"), name_type("complex128")
        ('int64', 'timestamp(ns)', '')
    """
    lowered = dtype.lower()
    if lowered in _PANDERA_TYPES:
        return _PANDERA_TYPES[lowered]
    try:
        return str(parse_type(lowered.removesuffix("[pyarrow]")))
    except ValueError:
        return ""


def _add_pandera_check(
    table: TableDraft, column: str, kind: str, told: Mapping[str, Any], options: dict[str, Any]
) -> None:
    name = quote_identifier(column)
    if kind == "greater_than_or_equal_to":
        table.check_column(column, "between", [told["min_value"], None], options)
    elif kind == "less_than_or_equal_to":
        table.check_column(column, "between", [None, told["max_value"]], options)
    elif kind == "in_range":
        low = ">=" if told.get("include_min", True) else ">"
        high = "<=" if told.get("include_max", True) else "<"
        ends = (low, told["min_value"]), (high, told["max_value"])
        rule = " and ".join(f"{name} {sign} {literal(end)}" for sign, end in ends)
        table.add_rule(column, rule, options)
    elif kind in _COMPARISONS:
        sign, key = _COMPARISONS[kind]
        table.add_rule(column, f"{name} {sign} {literal(told[key])}", options)
    elif kind == "isin":
        table.check_column(column, "in", list(told["allowed_values"]), options)
    elif kind == "notin":
        values = ", ".join(map(literal, told["forbidden_values"]))
        table.add_rule(column, f"{name} not in ({values})", options)
    elif kind == "str_length":
        exact = told.get("exact_value")
        ends = (exact, exact) if exact is not None else (told["min_value"], told["max_value"])
        table.check_column(column, "length", list(ends), options)
    elif kind.startswith("str_"):
        table.check_column(column, "matches", _read_pattern(kind, told), options)
    else:
        raise ValueError("a function of your own: use `python`, or a rule in SQL")


def _read_pattern(kind: str, told: Mapping[str, Any]) -> str:
    if kind == "str_matches":
        # it matches from the beginning, and need not reach the end
        return f"(?:{_source(told['pattern'])})(?s:.*)"
    if kind == "str_contains":
        return anywhere(_source(told["pattern"]))
    if kind == "str_startswith":
        return rf"\Q{told['string']}\E(?s:.*)"
    if kind == "str_endswith":
        return rf"(?s:.*)\Q{told['string']}\E"
    raise ValueError("contracts have no check for it")


def _source(pattern: Any) -> str:
    return str(getattr(pattern, "pattern", pattern))


def _read_pydantic(draft: Draft, table: TableDraft, model: Any) -> None:
    from segue.declare.row_types import read_row_class

    types = {column.name: column.type for column in read_row_class(model)}
    for field_name, field in model.model_fields.items():
        name = str(field.alias or field_name)
        said = table.column(name)
        if field_name in types or name in types:
            said["type"] = str(types.get(name) or types[field_name])
        if not _takes_null(field.annotation):
            said["required"] = True
        if field.description:
            said["about"] = str(field.description)
        if values := _list_values(field.annotation):
            said["in"] = values
        for constraint in field.metadata:
            try:
                _add_constraint(table, name, constraint)
            except ValueError as error:
                draft.refuse(f"{name}: {constraint!r}", str(error))
    for validator in model.__pydantic_decorators__.field_validators:
        draft.refuse(f"validator {validator}", "a function of your own: use `python`")
    for validator in model.__pydantic_decorators__.model_validators:
        draft.refuse(f"validator {validator}", "a function of your own: use `python`")


def _takes_null(annotation: Any) -> bool:
    parts = typing.get_args(annotation)
    return annotation is Any or annotation is type(None) or any(map(_takes_null, parts))


def _list_values(annotation: Any) -> list[Any]:
    """Return the values that an annotation lists: of a Literal, or of an Enum."""
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return [each.value for each in annotation]
    found = [_list_values(part) for part in typing.get_args(annotation) if part is not type(None)]
    return found[0] if len(found) == 1 else []


def _add_constraint(table: TableDraft, name: str, constraint: Any) -> None:
    """Add a constraint of `annotated_types`, or of pydantic's own."""
    told = {key: getattr(constraint, key, None) for key in ("ge", "gt", "le", "lt", "pattern")}
    lengths = getattr(constraint, "min_length", None), getattr(constraint, "max_length", None)
    quoted, known = quote_identifier(name), False
    if told["ge"] is not None or told["le"] is not None:
        table.check_column(name, "between", [told["ge"], told["le"]])
        known = True
    for key, sign in (("gt", ">"), ("lt", "<")):
        if told[key] is not None:
            table.add_rule(name, f"{quoted} {sign} {literal(told[key])}")
            known = True
    if told["pattern"] is not None:
        table.check_column(name, "matches", anywhere(_source(told["pattern"])))
        known = True
    if lengths != (None, None):
        before = table.column(name).pop("length", [None, None])
        low, high = (
            new if new is not None else old for new, old in zip(lengths, before, strict=True)
        )
        table.check_column(name, "length", [low, high])
        known = True
    if not known:
        raise ValueError("contracts have no check for it")
