"""Expressions as DuckDB's own parser reads them, and what it knows of their functions.

sqlglot reads and writes some of DuckDB's functions as others. Before a text that it wrote is run
in the place of what a user wrote, DuckDB says whether both are the same.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from segue.spec.sql import quote_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from segue.protocols import LocalSession

_KEPT = "segue_kept_"
_ARROWS = (TokenType.ARROW, TokenType.DARROW)
_LITERALS = (TokenType.STRING, TokenType.NUMBER)

_ODD = frozenset(
    [
        "array_reverse_sort",
        "array_sort",
        "decode",
        "editdist3",
        "generate_series",
        "jaro_winkler_similarity",
        "json_extract",
        "json_extract_path",
        "json_extract_path_text",
        "json_extract_string",
        "list_has_any",
        "list_reduce",
        "list_reverse_sort",
        "list_sort",
        "log10",
        "log2",
        "range",
        "reduce",
    ]
)
"""Functions that sqlglot writes otherwise than it reads them."""

_IGNORED = frozenset(
    {"alias", "is_operator", "qualified_name", "query_location", "query_location_length"}
)
"""What the parser tells that changes no meaning."""

_VALUES = frozenset(
    [
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "TYPE",
    ]
)
"""Classes of expressions that are worth the same wherever they are computed."""


def parse_plainly(query: str) -> exp.Expr:
    """Return a query's tree, in which functions that sqlglot takes for others keep their names.

    Example:
        >>> parse_plainly("select log10(x), j -> 'a.b'").sql("duckdb")
        "SELECT LOG10(x), j -> ('a.b')"
    """
    marked, end = "", 0
    tokens = sqlglot.tokenize(query, read="duckdb")
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        text = query[token.start : token.end + 1]
        if after and after.token_type == TokenType.L_PAREN and text.lower() in _ODD:
            text = _KEPT + text
        elif before and before.token_type in _ARROWS and token.token_type in _LITERALS:
            text = f"({text})"  # else it is read as a path
        else:
            continue
        marked += query[end : token.start] + text
        end = token.end + 1
    tree = sqlglot.parse_one(marked + query[end:], read="duckdb")
    for node in tree.find_all(exp.Anonymous):
        if node.name.lower().startswith(_KEPT):
            node.set("this", node.name[len(_KEPT) :])
    return tree


class Original:
    """A query as DuckDB's parser reads it."""

    def __init__(self, query: str, local: LocalSession) -> None:
        """Keep a query that binds.

        Args:
            query: A SELECT.
            local: DuckDB.
        """
        self._query = query
        self._local = local
        self._shapes: frozenset[str] | None = None
        self._same: bool | None = None
        self._aliases: Mapping[str, str] | None = None
        self._functions: Mapping[str, tuple[str, bool, list[Any]]] | None = None

    def holds(self, text: str) -> bool:
        """Return whether an expression is one of the query's, as DuckDB reads both.

        Args:
            text: The expression, its columns by their names alone.
        """
        if self._shapes is None:
            found = (self._write(each) for each in _expressions(self._parse(self._query)))
            self._shapes = frozenset(found)
        return self._write(self._read_value(text)) in self._shapes or self._is_written_alike()

    def _is_written_alike(self) -> bool:
        """Return whether DuckDB reads the whole query alike after sqlglot has written it."""
        if self._same is None:
            again = self._parse(parse_plainly(self._query).sql("duckdb"))
            self._same = self._write(again) == self._write(self._parse(self._query))
        return self._same

    def is_value(self, text: str, columns: Collection[str]) -> bool:
        """Return whether an expression is worth the same at any time, in any place.

        DuckDB tells it of each function. Aggregates, windows and queries are none of it.

        Args:
            text: The expression.
            columns: What it may be made of; other names, such as `current_date`, are functions.
        """
        return self._is_steady(self._read_value(text), columns, frozenset())

    def _is_steady(self, parsed: Any, columns: Collection[str], seen: frozenset[str]) -> bool:
        parts = list(_expressions(parsed))
        known = {each.lower() for each in columns}
        for each in parts:
            if each["class"] == "LAMBDA":
                known |= {_name(part) for part in _expressions(each["lhs"])}
        return all(
            each["class"] in _VALUES
            and (each["class"] != "COLUMN_REF" or _name(each) in known)
            and (each["class"] != "FUNCTION" or self._is_function_steady(each, seen))
            for each in parts
        )

    def _is_function_steady(self, node: Mapping[str, Any], seen: frozenset[str]) -> bool:
        name = str(node["function_name"]).lower()
        if node.get("filter") or node.get("distinct") or node["order_bys"].get("orders"):
            return False
        _, steady, macros = self._known().get(name, (name, False, []))
        return steady and all(
            name not in seen
            and self._is_steady(self._read_value(each["text"]), each["names"], seen | {name})
            for each in macros
        )

    def _known(self) -> Mapping[str, tuple[str, bool, list[Any]]]:
        """Return what each function is an alias of, whether it is steady, and its macros."""
        if self._functions is None:
            rows = self._local.fetch(_FUNCTIONS).to_pylist()
            self._functions = {
                row["name"]: (row["meant"], row["steady"], row["macros"] or []) for row in rows
            }
        return self._functions

    def _read_value(self, text: str) -> Any:
        tree = self._parse(f"select {text}")
        return tree["statements"][0]["node"]["select_list"][0]

    def _parse(self, query: str) -> Any:
        rows = self._local.fetch(f"select json_serialize_sql({quote_text(query)}) as tree")
        tree = json.loads(rows["tree"][0].as_py())
        return tree if not tree.get("error") else {"statements": [{"node": {"select_list": [{}]}}]}

    def _write(self, parsed: Any) -> str:
        return json.dumps(self._simplify(parsed), sort_keys=True)

    def _simplify(self, parsed: Any) -> Any:
        if isinstance(parsed, list):
            return [self._simplify(each) for each in parsed]
        if not isinstance(parsed, dict):
            return parsed
        made = {key: self._simplify(part) for key, part in parsed.items() if key not in _IGNORED}
        match parsed.get("class"):
            case "COLUMN_REF":
                made["column_names"] = str(parsed["column_names"][-1]).lower()
            case "TYPE":
                name = str(parsed["type_name"]).lower()
                made["type_name"] = self._types().get(name, name)
                if made["type_name"] == "varchar":
                    made["children"] = []  # DuckDB knows of no lengths
            case "OPERATOR" if parsed["type"] == "OPERATOR_NOT" and _is_null_test(parsed):
                made = made["children"][0] | {"type": "OPERATOR_IS_NOT_NULL"}
            case "FUNCTION":
                return self._simplify_function(made)
        return made

    def _simplify_function(self, made: dict[str, Any]) -> dict[str, Any]:
        """Return a function by its first name, with units and counts written in one way."""
        name = str(made["function_name"]).lower()
        made["function_name"] = self._known().get(name, (name,))[0]
        parts = [each["expression"] for each in made["arguments"]]
        if name == "if" and len(parts) == len(("when", "then", "else")):
            check = {"when_expr": parts[0], "then_expr": parts[1]}
            return {"case_checks": [check], "class": "CASE", "else_expr": parts[2]} | _CASE
        for part in _expressions(parts if _TIMED.fullmatch(name) else []):
            literal = part.get("literal")
            if isinstance(literal, dict) and "text" in literal:
                part["literal"] = str(literal["text"]).lower()
        return made

    def _types(self) -> Mapping[str, str]:
        """Return what each type is an alias of."""
        if self._aliases is None:
            rows = self._local.fetch(_TYPES).to_pylist()
            self._aliases = {row["name"]: row["meant"] for row in rows}
        return self._aliases


_TIMED = re.compile(r"date.*|to_(?:mi|mo|mon|se|ho|da|we|ye|qu|de|ce).*")
"""Functions that take units and counts, which sqlglot writes as `'DAY'` and `'1'`."""

_CASE = {"type": "CASE_EXPR"}

_TYPES = """
select distinct lower(type_name) as name, lower(logical_type) as meant
from duckdb_types() where lower(type_name) <> 'json'
"""

_FUNCTIONS = """
select lower(function_name) as name, lower(coalesce(any_value(alias_of), any_value(function_name))) as meant,
  bool_and(function_type = 'macro' or (function_type = 'scalar' and stability = 'CONSISTENT')) as steady,
  list({'text': macro_definition, 'names': parameters}) filter (where function_type = 'macro') as macros
from duckdb_functions() where function_type in ('scalar', 'macro', 'aggregate', 'window') group by lower(function_name)
"""  # noqa: E501  # a query


def _is_null_test(negation: Mapping[str, Any]) -> bool:
    return all(each["type"] == "OPERATOR_IS_NULL" for each in negation["children"])


def _name(column: Mapping[str, Any]) -> str:
    """Return the first part of a column's name."""
    return str(column.get("column_names", [""])[0]).lower()


def _expressions(parsed: Any) -> Iterator[dict[str, Any]]:
    """Yield all expressions in what the parser gives."""
    if isinstance(parsed, list):
        for each in parsed:
            yield from _expressions(each)
    elif isinstance(parsed, dict):
        if "class" in parsed:
            yield parsed
        for part in parsed.values():
            yield from _expressions(part)
