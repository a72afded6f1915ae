"""Fleets of ``segue.toml`` and the sources that their nodes read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from segue import registry
from segue.declare.locate import line_of
from segue.declare.problems import check_name
from segue.declare.sources import plain_message
from segue.errors import Location, MissingExtraError
from segue.registry import nearest
from segue.settings import FleetSettings
from segue.spec.edge import PROVENANCE, EdgeSource, SpoolSettings, WhenFull
from segue.spec.fleet import ENGINE, FleetSpec
from segue.spec.step import LOCAL, SourceSpec
from segue.spec.types import Column, TableSchema, parse_schema, parse_type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.declare.problems import Problems
    from segue.protocols.edge import EdgeSourceKind, FormatKind
    from segue.settings import PlaceSettings, Settings

FILE = "segue.toml"
_OWN = ("on", "kind", "format", "columns")


def read_fleets(
    settings: Settings, lines: Mapping[tuple[str, ...], int], problems: Problems
) -> dict[str, FleetSpec]:
    """Return the places that are fleets, by name; what is wrong is reported and left out."""
    fleets = {}
    for name, place in settings.places.items():
        if place.engine != ENGINE:
            continue
        fleet = _read_fleet(name, place, lines, problems)
        if fleet is not None:
            fleets[name] = fleet
    return fleets


def _read_fleet(
    name: str, place: PlaceSettings, lines: Mapping[tuple[str, ...], int], problems: Problems
) -> FleetSpec | None:
    path = ("places", name)
    where = Location(FILE, line_of(path, lines))
    if place.address and not place.address.startswith(("https://", "http://")):
        at = Location(FILE, line_of((*path, "address"), lines))
        hint = 'write the hub as address = "https://hub.example.com:8443"'
        problems.add("bad-value", f"the address of {name!r} is no hub", at, hint)
    try:
        stated = FleetSettings.model_validate(dict(place.options))
    except ValidationError as error:
        for found in error.errors():
            key = str(found["loc"][0])
            at = Location(FILE, line_of((*path, "options", key), lines) or where.line)
            if found["type"] == "extra_forbidden":
                hint = nearest(key, tuple(FleetSettings.model_fields))
                problems.add("unknown-key", f"fleets have no option {key!r}", at, hint)
            elif found["type"] == "missing":
                hint = f'[places.{name}.options] with spool = "1GB" and when_full = "block"'
                problems.add("missing-key", f"the fleet {name!r} needs {key!r}", at, hint)
            else:
                problems.add("bad-value", f"{key}: {plain_message(found)}", at)
        return None
    spool = SpoolSettings(
        cap=stated.spool,
        when_full=WhenFull(stated.when_full),
        keep=stated.keep,
        batch_rows=stated.batch_rows,
        batch_bytes=stated.batch_bytes,
        linger=stated.linger,
    )
    memory = stated.memory or place.memory
    return FleetSpec(name, where, place.address, spool, memory, stated.cpu)


def is_edge_source(table: Mapping[str, Any]) -> bool:
    """Return whether ``[tables.<name>]`` says that another place reads it."""
    return bool(table.get("on", LOCAL) != LOCAL)


def read_edge_source(
    name: str,
    table: Mapping[str, Any],
    places: Collection[str],
    fleets: Collection[str],
    lines: Mapping[tuple[str, ...], int],
    problems: Problems,
) -> SourceSpec | None:
    """Read a source table that nodes read; None, and reported, if it can't be used.

    Args:
        name: Name of the table.
        table: What the file says about it.
        places: Names of all places.
        fleets: Names of those that are fleets, even wrong ones.
        lines: Line of each key of the file, by path.
        problems: Takes what is wrong.
    """
    reader = _SourceReader(name, table, lines, problems)
    check_name(name, "table", reader.locate(), problems)
    on = str(table["on"])
    if on not in fleets:
        there = f"{on!r} is a place that reads no sources: name a fleet"
        message = there if on in places else f"there is no fleet {on!r}"
        hint = f"{nearest(on, list(fleets), noun='fleet')}; or declare [places.{on}]"
        reader.report("unknown-place", message, "on", hint=hint)
    edge = reader.read()
    return SourceSpec(name, reader.locate(), edge.kind, edge.options, on, edge) if edge else None


class _SourceReader:
    """Reads one ``[tables.<name>]`` of a fleet."""

    def __init__(
        self,
        name: str,
        table: Mapping[str, Any],
        lines: Mapping[tuple[str, ...], int],
        problems: Problems,
    ) -> None:
        self.name = name
        self.table = table
        self.lines = lines
        self.problems = problems
        self.options = {key: value for key, value in table.items() if key not in _OWN}

    def locate(self, *keys: str) -> Location:
        """Return where a key of the table stands."""
        return Location(FILE, line_of(("tables", self.name, *keys), self.lines))

    def report(self, code: str, message: str, *keys: str, hint: str = "") -> None:
        """Report what is wrong with a key of the table."""
        self.problems.add(code, message, self.locate(*keys), hint)

    def read(self) -> EdgeSource | None:
        """Return the source, None if anything is wrong with it."""
        before = len(self.problems)
        kind = self._load_kind()
        named, format_ = self._load_format(kind)
        format_options = self._part_options(kind, format_)
        self._check_options(kind, format_, format_options)
        schema = self._read_columns(kind)
        if len(self.problems) > before or schema is None:
            return None
        if format_ is not None:
            for problem in format_.check(format_options, schema):
                self.report("bad-value", f"format {named} of {self.name!r}: {problem}", "format")
        name = str(self.table["kind"])
        return EdgeSource(self.name, name, self.options, named, format_options, schema)

    def _load_kind(self) -> EdgeSourceKind | None:
        known = registry.names(registry.EDGE_SOURCES)
        stated = str(self.table.get("kind", ""))
        if not stated:
            hint = f'write kind = "tail": one of {", ".join(known)}'
            self.report("missing-key", f"table {self.name!r} needs the key 'kind'", hint=hint)
            return None
        if stated not in known:
            message = f"nodes read no kind of source called {stated!r}"
            self.report("unknown-kind", message, "kind", hint=nearest(stated, known))
            return None
        return cast("EdgeSourceKind | None", self._load(registry.EDGE_SOURCES, stated, "kind"))

    def _load(self, group: str, name: str, key: str) -> Any:
        try:
            return registry.load(group, name)
        except MissingExtraError as error:
            self.report(error.code, error.message, key, hint=error.hint)
            return None

    def _load_format(self, kind: EdgeSourceKind | None) -> tuple[str, FormatKind | None]:
        """Return the format and its name; neither for a kind whose rows are typed."""
        stated = str(self.table.get("format", ""))
        if kind is None:
            return "", None
        if kind.typed:
            if stated:
                message = f"sources of the kind {self.table['kind']} give typed rows"
                self.report("unknown-key", message, "format", hint="leave the format out")
            return "", None
        known = registry.names(registry.EDGE_FORMATS)
        if not stated:
            hint = f'write format = "json": one of {", ".join(known)}'
            self.report("missing-key", f"table {self.name!r} needs the key 'format'", hint=hint)
            return "", None
        if stated not in known:
            message = f"there is no format {stated!r}"
            self.report("unknown-kind", message, "format", hint=nearest(stated, known))
            return "", None
        loaded = self._load(registry.EDGE_FORMATS, stated, "format")
        return stated, loaded() if loaded is not None else None

    def _part_options(
        self, kind: EdgeSourceKind | None, format_: FormatKind | None
    ) -> dict[str, Any]:
        """Take the options of the format out of those of the kind, which goes first."""
        if kind is None or format_ is None:
            return {}
        known = {*format_.required, *format_.optional} - {*kind.required, *kind.optional}
        return {key: self.options.pop(key) for key in tuple(self.options) if key in known}

    def _check_options(
        self,
        kind: EdgeSourceKind | None,
        format_: FormatKind | None,
        format_options: Mapping[str, Any],
    ) -> None:
        if kind is None:
            return
        named = str(self.table["kind"])
        for key in kind.required:
            if key not in self.options:
                self.report("missing-key", f"table {self.name!r} needs the key {key!r}")
        for key in format_.required if format_ else ():
            if key not in format_options:
                message = f"the format of table {self.name!r} needs the key {key!r}"
                self.report("missing-key", message, "format")
        known = (*kind.required, *kind.optional)
        more = (*format_.required, *format_.optional) if format_ else ()
        for key in self.options:
            if key not in known:
                message = f"{named} sources have no key {key!r}"
                hint = nearest(key, (*known, *_OWN, *more))
                self.report("unknown-key", message, key, hint=hint)
        # `kind` is the class; kinds of other packages may have no check
        for problem in kind().check(self.options) if hasattr(kind, "check") else ():  # type: ignore[operator]
            self.report("bad-value", f"table {self.name!r}: {problem}")

    def _read_columns(self, kind: EdgeSourceKind | None) -> TableSchema | None:
        stated = self.table.get("columns", getattr(kind, "columns", None))
        if stated is None:
            if kind is not None:
                hint = 'write columns = {at = "timestamp", value = "float64"}'
                message = f"table {self.name!r} needs the key 'columns'"
                self.report("missing-key", message, hint=hint)
            return None
        try:
            schema = _parse_columns(stated)
        except ValueError as error:
            self.report("bad-value", f"columns of {self.name!r}: {error}", "columns")
            return None
        for column in schema:
            if column.name in PROVENANCE:
                message = f"{self.name!r} can't have a column {column.name!r} of its own"
                hint = "its name is for what segue adds: rename the column"
                self.report("bad-name", message, "columns", hint=hint)
        return schema


def _parse_columns(stated: Any) -> TableSchema:
    """Read columns: types by name, or a schema as one text.

    Raises:
        ValueError: They can't be read.
    """
    if isinstance(stated, str):
        return parse_schema(stated)
    if not isinstance(stated, dict) or not stated:
        raise ValueError("expected types by name, such as {at = 'timestamp'}")
    columns = []
    for name, type_ in stated.items():
        if not isinstance(type_, str):
            raise ValueError(f"the type of {name!r} is no text")  # noqa: TRY004 - reported as one
        columns.append(Column(name, parse_type(type_)))
    return TableSchema(tuple(columns))
