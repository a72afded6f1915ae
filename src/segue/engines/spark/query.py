"""SELECTs over bound data: DuckDB says what they mean, Spark runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.engines.spark.bound import Bound, carried_names, cast_between, rename
from segue.engines.spark.failures import translated
from segue.engines.spark.inputs import lay_out
from segue.engines.spark.start import MEANING
from segue.engines.spark.types import quote, read_type, write_type
from segue.engines.spark.versions import prove_workers
from segue.errors import SqlError, UnsupportedError
from segue.frames.arrow_types import to_arrow
from segue.spec.nearest import find_storage
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.engines.spark.driver import Driver
    from segue.spec.types import DataType, TableSchema

_MATTERS = {
    "spark.sql.decimalOperations.allowPrecisionLoss": "decimal",
    "spark.sql.session.timeZone": "timestamp",
}
"""Settings that matter to queries of one kind of types; others do to all."""

_INTEGERS = ("int8", "int16", "int32", "int64")


class Query:
    """What the queries of one session see."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._local = driver.local.fork()
        self._bound: dict[str, Bound] = {}
        self._new: set[str] = set()
        self._refused: dict[str, SqlError] = {}
        self._views: dict[str, tuple[Any, TableSchema]] = {}

    def add(self, name: str, bound: Bound) -> None:
        """Let queries see data; DuckDB hears of it when the first query asks."""
        self._bound[name] = bound
        self._new.add(name)

    def remove(self, name: str) -> None:
        """Forget data."""
        del self._bound[name]
        self._views.pop(name, None)
        if name not in self._new and name not in self._refused:
            self._local.unbind(name)
        self._new.discard(name)
        self._refused.pop(name, None)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, as DuckDB tells them; Spark does nothing for it.

        Raises:
            SqlError: It does not parse or bind, or reads a table whose names differ only by case.
        """
        for name in sorted(self._new):
            self._tell(name)
        self._new.clear()
        try:
            return self._local.describe(query)
        except SqlError:
            from segue.engines.dialects.prepare import find_tables, fold

            read = set(map(fold, find_tables(query)))
            for name, error in self._refused.items():
                if fold(name) in read:
                    raise error from None
            raise

    def _tell(self, name: str) -> None:
        try:
            self._local.bind(name, to_arrow(self._bound[name].schema).empty_table())
        except SqlError as error:
            self._refused[name] = error

    def resolve(self, query: str) -> Bound:
        """Return a SELECT as a carried frame, unevaluated.

        Raises:
            SqlError: It does not parse or bind.
            UnsupportedError: Spark can't mean it as DuckDB does.
        """
        from segue.engines.spark.delegated import registered
        from segue.engines.spark.sql import translate_query

        schema = self.describe(query)
        sound = [name for name in self._bound if name not in self._refused]
        schemas = {name: self._local.describe(_select_all(name)) for name in sound}
        local = None if self._driver.lax else self._local
        made, delegated = translate_query(query, schemas, local)
        self._refuse_odd([schema, *(schemas[name] for name in made.tables.values())])
        views = {view: self._view(name) for view, name in made.tables.items()}
        if delegated:
            prove_workers(self._driver)
        with translated("the query"), registered(self._driver, delegated):
            frame = self._driver.spark.sql(made.text, **views)
            return Bound(_carry(frame, schema), schema)

    def _refuse_odd(self, schemas: Sequence[TableSchema]) -> None:
        """Refuse a query that means something else in a session that the user has set up."""
        kinds = {each.type.kind for schema in schemas for each in schema}
        for key, text in self._driver.odd.items():
            if key not in _MATTERS or _MATTERS[key] in kinds:
                raise UnsupportedError(
                    f"with {key} = {text or 'unset'} this query has another meaning on Spark",
                    hint=f"spark.conf.set({key!r}, {MEANING[key]!r})",
                )

    def _view(self, name: str) -> Any:
        """Return the frame that queries see: names, and types as DuckDB reads them."""
        from segue.engines.dialects.prepare import fold

        if name not in self._views:
            bound = self._bound[name]
            seen = self._local.describe(_select_all(name))
            if len({each.casefold() for each in seen.names}) < len(seen):
                raise UnsupportedError(
                    f"table {name!r} has columns that Spark can't tell apart", hint="rename one"
                )
            columns = zip(carried_names(len(seen)), bound.schema, seen, strict=False)
            expressions = [
                f"{cast_between(carried, found.type, shown.type)} as {quote(fold(shown.name))}"
                for carried, found, shown in columns
            ]
            # Spark names it for a moment, and forgets with the name what is cached of the very
            # same rows: the filter, which it leaves out, makes them others
            self._views[name] = bound.frame.selectExpr(*expressions or ["c0"]).where("true"), seen
        return self._views[name][0]

    def close(self) -> None:
        """Let DuckDB go."""
        self._local.close()


def _select_all(name: str) -> str:
    return f"select * from {quote_identifier(name)}"


def _carry(frame: Any, schema: TableSchema) -> Any:
    """Return a result as a carried frame: casts are added only where types are not yet right."""
    struct = frame.schema
    if len(struct.fields) != len(schema):
        raise UnsupportedError(
            f"Spark gives {len(struct.fields)} columns for a query of {len(schema)}"
        )
    names = carried_names(len(schema))
    expressions = []
    for name, field, column in zip(names, struct.fields, schema, strict=False):
        plain = lay_out(name, field.dataType)
        found = "bigint" if plain != name else field.dataType.simpleString()
        expressions.append(_fit(plain, found, field.dataType, column.type, column.name))
    return rename(frame.toDF(*names), expressions)


def _fit(expression: str, found: str, type_: Any, wanted: DataType, name: str) -> str:
    """Return the SQL that brings a column of a result to the type that carries its own.

    Raises:
        UnsupportedError: The types are too far apart for Spark to have meant the same.
    """
    stored = find_storage(wanted)
    target = write_type(stored)
    if found == "void" or expression.startswith("cast(") or _plain(found) == _plain(target):
        return expression if _plain(found) == _plain(target) else f"cast({expression} as {target})"
    if found == "bigint" and stored.kind == "int64":
        return expression
    try:
        read = read_type(type_)
    except ValueError as error:
        raise UnsupportedError(f"column {name!r}: {error}") from None
    if _fits(read, stored):
        return f"cast({expression} as {target})"
    raise UnsupportedError(
        f"Spark gives column {name!r} as {found}, and not as {wanted}", hint="cast it in the query"
    )


def _plain(name: str) -> str:
    return name.replace("`", "").replace(" ", "")


def _fits(found: DataType, wanted: DataType) -> bool:
    if found.kind in _INTEGERS:
        return wanted.kind in (*_INTEGERS, "float64", "decimal")
    if found.kind == "decimal":
        scale = int(wanted.arguments[1]) if wanted.kind == "decimal" else 0
        whole = int(found.arguments[1]) <= scale
        return wanted.kind == "float64" or (whole and wanted.kind in (*_INTEGERS, "decimal"))
    if found.kind in ("date", "timestamp"):
        return wanted.kind == "timestamp"
    if found.fields and found.kind == wanted.kind and len(found.fields) == len(wanted.fields):
        pairs = zip(found.fields, wanted.fields, strict=True)
        return all(part == other or _fits(part, other) for (_, part), (_, other) in pairs)
    return (found.kind, wanted.kind) in (("float32", "float64"), ("float64", "float32"))
