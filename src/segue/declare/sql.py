"""``steps/*.sql``: one SELECT each, the tables that it reads, and its fingerprint."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from segue.declare.options import NO_OPTIONS, OPTIONS, Options, read_options
from segue.declare.problems import Problems
from segue.declare.sql_fingerprint import fingerprint_sql
from segue.errors import Location, SqlError
from segue.registry import nearest
from segue.spec.step import StepSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlglot.tokenizer_core import Token

SQL_OPTIONS = tuple(name for name in OPTIONS if name not in ("by", "sort", "how"))
TABLE_FUNCTIONS = frozenset(
    ("range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree")
)
"""Table functions whose rows come from their arguments alone."""

_DIALECT = DuckDB()
_OPENINGS = frozenset(
    (TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES, TokenType.L_PAREN)
)
_WRITES = (exp.DML, exp.DDL, exp.Command, exp.Into)
_HEADER = re.compile(r"^[ \t]*--[ \t]*segue:(.*)$", re.MULTILINE)
_CLOSED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NOT_LINE_END = re.compile(r"[^\n]")
_UNCLOSED = re.compile(r"['\"]|/\*")
_TOKEN = re.compile(r" but got <Token.*", re.DOTALL)
_QUERY_HINTS = {
    "sql-empty": "write a SELECT, such as: select count(*) from orders",
    "sql-not-one-select": "a query is one SELECT: it reads tables and changes none",
    "sql-placeholder": "write the value itself",
}
"""Hints for a query, by code, where those for a step would mislead."""


def read_sql_step(name: str, text: str, shown: str, problems: Problems) -> StepSpec | None:
    """Read one SQL file.

    Args:
        name: Name of the step.
        text: Content of the file.
        shown: Path of the file, as problems name it.
        problems: Takes what is wrong.

    Returns:
        The step, or None if its SQL can't be used at all. Its `sql` is the SELECT alone, without
        a semicolon; it begins at the line of the step's location.

    Example:
        >>> from segue.declare.problems import Problems
        >>> read_sql_step("b", "select * from a;", "steps/b.sql", Problems()).reads
        ('a',)
    """
    body = _read_statement(text, shown, problems)
    tree = _parse(body, text, shown, problems) if body else None
    if tree is None:
        return None
    location = Location(shown, body[0].line)
    header = text[: body[0].start]
    options = _read_header(text, header, shown, problems)
    step = StepSpec(
        name=name,
        location=location,
        reads=_read_tables(tree, shown, problems),
        mode=options.mode,
        fingerprint=fingerprint_sql(body, tree, options.meaning),
        sql=text[body[0].start : body[-1].end + 1],
        about=_read_about(header),
    )
    if options is NO_OPTIONS:
        return step  # most have none, and a copy costs as much as the rest
    return replace(
        step,
        key=options.key,
        schema=options.schema,
        tags=options.tags,
        on=options.on,
        limits=options.limits,
        window=options.window,
        model=options.model,
    )


def _read_statement(text: str, shown: str, problems: Problems) -> list[Token]:
    """Return the tokens of the one statement of a text; none if there is none to be used."""
    try:
        tokens = _tokenize(text)
    except TokenError:
        where = Location(shown, _find_unclosed(text))
        problems.add("sql-syntax", "a quote or comment is not closed", where)
        return []
    return _cut_statement(tokens, shown, problems)


def _tokenize(text: str) -> list[Token]:
    """Return the tokens of a text as if its comments were spaces.

    Otherwise a comment between two words that are one keyword, such as ``group by``, would
    make two of them, which do not parse.
    """
    tokens = _DIALECT.tokenize(text)
    if not any(token.comments for token in tokens):
        return tokens
    pieces, end = [], 0
    for token in tokens:
        pieces += [_NOT_LINE_END.sub(" ", text[end : token.start])]
        end = token.end + 1
        pieces.append(text[token.start : end])
    return _DIALECT.tokenize("".join(pieces))


def read_query(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a SELECT without what follows it, its lines kept, and the tables that it reads.

    Raises:
        SqlError: It does not parse, or is something else than one SELECT over tables.

    Example:
        >>> read_query("with x as (select * from b) select * from a join x using (k);")
        ('with x as (select * from b) select * from a join x using (k)', ('b', 'a'))
    """
    problems = Problems()
    step = read_sql_step("query", text, "", problems)
    for problem in problems.sorted():
        hint = _QUERY_HINTS.get(problem.code, problem.hint)
        raise SqlError(problem.message, hint=hint, location=problem.location)
    if step is None or step.sql is None:
        return text, ()
    return "\n" * ((step.location.line or 1) - 1) + step.sql, step.reads


def _cut_statement(tokens: list[Token], shown: str, problems: Problems) -> list[Token]:
    """Return the tokens of the one statement, without its semicolon."""
    end = next(
        (i for i, token in enumerate(tokens) if token.token_type == TokenType.SEMICOLON),
        len(tokens),
    )
    body = tokens[:end]
    rest = [token for token in tokens[end:] if token.token_type != TokenType.SEMICOLON]
    if not body:
        hint = "write one SELECT, or delete the file"
        problems.add("sql-empty", "there is no SELECT here", Location(shown, 1), hint)
        return []
    if rest:
        where = Location(shown, rest[0].line)
        hint = "one file is one step: move the second statement to a file of its own"
        problems.add("sql-not-one-select", "a second statement begins here", where, hint)
        return []
    if body[0].token_type not in _OPENINGS:
        _refuse_statement(body[0].text.upper(), Location(shown, body[0].line), problems)
        return []
    return body


def _refuse_statement(word: str, location: Location, problems: Problems) -> None:
    hint = "a step is one SELECT; segue writes its rows to the table named after the file"
    problems.add("sql-not-one-select", f"{word} is not a SELECT", location, hint)


def _parse(body: list[Token], text: str, shown: str, problems: Problems) -> exp.Expr | None:
    """Return the syntax tree of the one SELECT, or None after reporting why it is none."""
    first = Location(shown, body[0].line)
    try:
        tree = _DIALECT.parser().parse(body, text)[0]
    except ParseError as error:
        found = error.errors[0]
        near = f" near {found['highlight']!r}" if found.get("highlight") else ""
        description = _TOKEN.sub("", found["description"]).rstrip(".")
        message = f"the SQL does not parse{near}: {description}"
        hint = "look before it for a word that is misspelled, or a comma or bracket too few"
        problems.add("sql-syntax", message, Location(shown, found["line"] or first.line), hint)
        return None
    except RecursionError:
        problems.add("sql-syntax", "the SQL is nested too deeply", first)
        return None
    before = len(problems)
    _check_select(tree, first, problems)
    return tree if len(problems) == before else None


def _check_select(tree: exp.Expr | None, first: Location, problems: Problems) -> None:
    """Report what makes a statement something else than one SELECT that stands for itself."""
    bare = tree.unnest() if isinstance(tree, exp.Subquery) else tree
    if tree is None or not isinstance(bare, exp.Query | exp.Values):
        _refuse_statement(tree.key.upper() if tree else "this", first, problems)
        return
    if isinstance(bare, exp.Select) and not bare.expressions:
        problems.add("sql-syntax", "the SELECT names no columns", first)
    write = tree.find(*_WRITES)
    if write is not None:
        where = Location(first.path, _line(write, first))
        _refuse_statement(write.key.upper(), where, problems)
    if tree.find(exp.Placeholder, exp.Parameter):
        hint = "write the value itself; values that change belong in a table"
        problems.add("sql-placeholder", "placeholders stand for nothing here", first, hint)


def _line(node: exp.Expr, default: Location) -> int | None:
    for name in node.find_all(exp.Identifier):
        if line := name.meta.get("line"):
            return int(line)
    return default.line


def _find_unclosed(text: str) -> int:
    blank = _CLOSED.sub(lambda match: _NOT_LINE_END.sub(" ", match[0]), text)
    found = _UNCLOSED.search(blank)
    return blank.count("\n", 0, found.start() if found else len(blank)) + 1


def _read_tables(tree: exp.Expr, shown: str, problems: Problems) -> tuple[str, ...]:
    """Return the tables that a query reads, in the order in which they are first named."""
    found: dict[str, int] = {}
    for table in _walk_tables(tree):
        name = table.this
        where = Location(shown, name.meta.get("line"))
        if not isinstance(name, exp.Identifier):
            _check_function(name, where, problems)
            continue
        if table.args.get("db"):
            hint = f"tables of a project have one name: {name.this}"
            message = f"{table.sql(dialect='duckdb')} names a schema or database"
            problems.add("qualified-table", message, where, hint)
        elif any(sign in name.this for sign in "./\\*"):
            _refuse_file(repr(name.this), name.this, where, problems)
        else:
            start = int(name.meta.get("start", 0))
            found[name.this] = min(start, found.get(name.this, start))
    return tuple(sorted(found, key=found.__getitem__))


def _walk_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables of a query that are no CTE where they stand. Names fold case."""
    # no recursion: a sum of a thousand numbers is a thousand levels deep
    waiting: list[tuple[exp.Expr, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, ctes = waiting.pop()
        with_ = node.args.get("with_")
        if with_ is not None:
            recursive = with_.args.get("recursive")
            for cte in with_.expressions:
                name = frozenset((cte.alias.lower(),))
                waiting.append((cte.this, ctes | name if recursive else ctes))
                ctes |= name
        if isinstance(node, exp.Table) and not _is_cte(node, ctes):
            yield node
        for key, value in node.args.items():
            if key != "with_":
                children = value if isinstance(value, list) else (value,)
                waiting += [(child, ctes) for child in children if isinstance(child, exp.Expr)]


def _is_cte(table: exp.Table, ctes: frozenset[str]) -> bool:
    name = table.this
    plain = isinstance(name, exp.Identifier) and not table.args.get("db")
    return plain and name.this.lower() in ctes


def _check_function(function: exp.Expr, location: Location, problems: Problems) -> None:
    """Refuse a table function that reads what the project has not declared."""
    if isinstance(function, exp.Func) and not isinstance(function, exp.Anonymous):
        name = function.sql_name().lower()
    else:
        name = str(function.this).lower()
    if isinstance(function, exp.GenerateSeries | exp.Unnest) or name in TABLE_FUNCTIONS:
        return
    _refuse_file(f"{name}()", "...", location, problems)


def _refuse_file(what: str, path: str, location: Location, problems: Problems) -> None:
    hint = f'declare it in segue.toml and use its name: [tables.<name>] with path = "{path}"'
    message = f"{what} reads past the project: its changes would not be seen"
    problems.add("undeclared-source", message, location, hint)


def _read_header(text: str, header: str, shown: str, problems: Problems) -> Options:
    if "segue:" not in text:
        return NO_OPTIONS
    lines = list(_HEADER.finditer(text))
    for extra in (match for match in lines if match.start() >= len(header)):
        where = Location(shown, text.count("\n", 0, extra.start()) + 1)
        problems.add(
            "misplaced-option",
            "this line stands below the SELECT",
            where,
            "move it above the SELECT",
        )
    above = [match for match in lines if match.start() < len(header)]
    if not above:
        return NO_OPTIONS
    location = Location(shown, text.count("\n", 0, above[-1].start()) + 1)
    if len(above) > 1:
        problems.add(
            "misplaced-option",
            "a second line of options",
            location,
            "put all options into one line",
        )
    raw = _parse_flow(
        above[0][1], Location(shown, text.count("\n", 0, above[0].start()) + 1), problems
    )
    for name in [name for name in raw if name not in SQL_OPTIONS]:
        message = f"there is no option {name!r} for SQL steps"
        problems.add("unknown-option", message, location, nearest(name, SQL_OPTIONS))
        del raw[name]
    return read_options(raw, location, problems)


def _parse_flow(text: str, location: Location, problems: Problems) -> dict[str, Any]:
    raw = _read_flow(text)
    if raw is None:
        hint = "write it as -- segue: {mode: merge, key: [id]}"
        problems.add("bad-option", "the options can't be read as YAML", location, hint)
        return {}
    return dict(raw)


@lru_cache
def _read_flow(text: str) -> Mapping[str, Any] | None:
    """Return options as YAML has them, None if it has none; many steps have the same ones."""
    from segue.declare.yaml_nodes import compose, to_value

    found = Problems()
    node = compose(text, "", found)
    raw = to_value(node) if node is not None else None
    return raw if isinstance(raw, dict) and not len(found) else None


def _read_about(header: str) -> str:
    """Return the first paragraph of the comments above a query."""
    if not header.strip():
        return ""
    words: list[str] = []
    for line in header.splitlines():
        bare = line.strip().removeprefix("--").removeprefix("/*").removesuffix("*/").strip()
        if bare.startswith("segue:"):
            continue
        if not bare and words:
            break
        if bare:
            words.append(bare)
    return " ".join(words)
