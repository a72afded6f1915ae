"""``segue.toml``: the project's settings, places and sources."""

from __future__ import annotations

import re
import tomllib
from ast import literal_eval
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from segue import registry
from segue.declare.edge import is_edge_source, read_edge_source, read_fleets
from segue.declare.locate import find_deep_key, find_lines, line_of
from segue.declare.problems import check_name, read_text
from segue.declare.sources import plain_message, read_source
from segue.errors import Location
from segue.registry import nearest
from segue.settings import (
    AlertSettings,
    ChannelSettings,
    ConnectionSettings,
    LakeSettings,
    PlaceSettings,
    ProjectSettings,
    Settings,
    StepSettings,
    StreamAlertSettings,
    find_secrets,
)
from segue.spec.fleet import ENGINE as FLEET
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from segue.declare.problems import Problems
    from segue.spec.fleet import FleetSpec
    from segue.spec.step import SourceSpec

FILE = "segue.toml"
_MODELS: dict[str, type[BaseModel]] = {
    "project": ProjectSettings,
    "lake": LakeSettings,
    "places": PlaceSettings,
    "steps": StepSettings,
    "alerts": AlertSettings,
    "connections": ConnectionSettings,
    "stream_alerts": StreamAlertSettings,
}
_NAMED = ("places", "steps", "connections", "stream_alerts")

_TWICE = re.compile(r"Cannot declare (\(.*\)) twice")
"""What Python's reader says of a table that is declared again."""


@dataclass(frozen=True, slots=True)
class Config:
    """What ``segue.toml`` says.

    Attributes:
        settings: Its tables, typed.
        lines: Line of each key, by path.
        sources: Source tables by name.
        broken: Names of source tables that are declared and wrong.
        places: Places by name, ``local`` among them.
        secrets: Names that it mentions as ``${NAME}``.
        readable: Whether it is TOML at all; if not, nobody knows which tables there are.
        fleets: The places that are fleets, by name.
    """

    settings: Settings
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    sources: Mapping[str, SourceSpec] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    places: Mapping[str, PlaceSpec] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    readable: bool = True
    fleets: Mapping[str, FleetSpec] = field(default_factory=dict)

    def locate(self, *path: str) -> Location:
        """Return where a key stands."""
        return Location(FILE, line_of(path, self.lines))


def read_config(root: Path, environ: Mapping[str, str], problems: Problems) -> Config:
    """Read ``segue.toml``; what is wrong is reported and left out.

    Args:
        root: The project's folder.
        environ: Where ``${NAME}`` must be set.
        problems: Takes what is wrong.
    """
    text = read_text(root / FILE, FILE, problems)
    data = _parse(text, problems) if text is not None else None
    if text is None or data is None:
        return Config(Settings(project=ProjectSettings(name=root.name)), readable=False)
    lines = find_lines(text)
    settings = _validate(data, lines, root.name, problems)
    sources = _read_sources(settings, lines, root, problems)
    return Config(
        settings=settings,
        lines=lines,
        sources={name: source for name, source in sources.items() if source is not None},
        broken=frozenset(name for name, source in sources.items() if source is None),
        places=_read_places(settings, lines, problems),
        secrets=_read_secrets(_leave_nodes(data), lines, environ, problems),
        fleets=read_fleets(settings, lines, problems),
    )


def _read_sources(
    settings: Settings, lines: Mapping[tuple[str, ...], int], root: Path, problems: Problems
) -> dict[str, SourceSpec | None]:
    """Return the source tables by name, None for those that are wrong."""
    urls = {name: connection.url for name, connection in settings.connections.items()}
    fleets = [name for name, place in settings.places.items() if place.engine == FLEET]
    sources: dict[str, SourceSpec | None] = {}
    for name, table in settings.tables.items():
        if is_edge_source(table):
            places = ("local", *settings.places)
            sources[name] = read_edge_source(name, table, places, fleets, lines, problems)
            continue
        where = Location(FILE, line_of(("tables", name), lines))
        here = {key: value for key, value in table.items() if key != "on"}
        sources[name] = read_source(name, here, where, lines, root, problems, urls)
    return sources


def _leave_nodes(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's values without those whose secrets are in the nodes' environments."""
    left = {key: data[key] for key in data if key not in ("destinations", "stream_alerts")}
    tables = data.get("tables")
    if isinstance(tables, dict):
        left["tables"] = {
            name: table
            for name, table in tables.items()
            if not (isinstance(table, dict) and is_edge_source(table))
        }
    return left


def _parse(text: str, problems: Problems) -> dict[str, Any] | None:
    deep = find_deep_key(text)
    if deep is not None:
        problems.add("toml-syntax", "a key has too many parts", Location(FILE, deep))
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at ")
        if again := _TWICE.fullmatch(message):
            message = f"[{'.'.join(literal_eval(again[1]))}] stands in it twice"
        found = re.match(r"line (\d+)", place)
        line = int(found[1]) if found else text.count("\n") + 1
        problems.add("toml-syntax", f"not valid TOML: {message}", Location(FILE, line))
    except RecursionError:
        problems.add("toml-syntax", "not valid TOML: nested too deeply", Location(FILE))
    return None


def _validate(
    data: dict[str, Any],
    lines: Mapping[tuple[str, ...], int],
    default_name: str,
    problems: Problems,
) -> Settings:
    """Return the typed settings; each key that is wrong is reported and left out."""
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        # a value that fits none of several types has an error for each
        wrong = {_inside(found["loc"], data): found for found in error.errors()}
    for path, found in wrong.items():
        where = Location(FILE, line_of(path, lines) or 1)
        code, message, hint = _explain(found, path)
        problems.add(code, message, where, hint)
        _drop(path, data)
    project = data.setdefault("project", {})
    if isinstance(project, dict):
        project.setdefault("name", default_name)
    return Settings.model_validate(data)


def _inside(path: tuple[int | str, ...], data: Any) -> tuple[str, ...]:
    """Return the part of an error's path that stands in the file."""
    kept: list[str] = []
    for key in path:
        if not isinstance(data, dict) or key not in data:
            break
        kept.append(str(key))
        data = data[key]
    return tuple(kept)


def _drop(path: tuple[str, ...], data: dict[str, Any]) -> None:
    for key in path[:-1]:
        data = data.get(key, {})
    if path:
        data.pop(path[-1], None)


def _explain(found: ErrorDetails, path: tuple[str, ...]) -> tuple[str, str, str]:
    """Return code, message and hint of a problem that pydantic found."""
    name = ".".join(path)
    if found["type"] == "extra_forbidden":
        hint = nearest(path[-1], _known_keys(path[:-1]))
        return "unknown-key", f"there is no key {name!r}", hint
    if found["type"] == "missing":
        missing = ".".join(map(str, found["loc"]))
        return "missing-key", f"{missing!r} is missing", 'write [project] with name = "..."'
    if path[:1] == ("params",):
        return "bad-value", f"{name} must be true or false, a number or a text", ""
    return "bad-value", f"{name}: {plain_message(found)}", ""


def _known_keys(path: tuple[str, ...]) -> tuple[str, ...]:
    if not path:
        return tuple(Settings.model_fields)
    if path[:2] == ("alerts", "channels"):
        return tuple(ChannelSettings.model_fields) if path[3:] == () else ()
    model = _MODELS.get(path[0])
    deep = 2 if path[0] in _NAMED else 1
    return tuple(model.model_fields) if model and len(path) == deep else ()


def _read_places(
    settings: Settings, lines: Mapping[tuple[str, ...], int], problems: Problems
) -> dict[str, PlaceSpec]:
    places = {"local": PlaceSpec("local")}
    for name, place in settings.places.items():
        where = Location(FILE, line_of(("places", name, "engine"), lines))
        check_name(name, "place", where, problems)
        places[name] = PlaceSpec(
            name, place.engine, place.address, place.threads, place.memory, place.options
        )
        known = (*registry.names(registry.ENGINES), FLEET)
        # whether its libraries are installed is asked once a step is to run there
        if place.engine not in known:
            message = f"there is no engine called {place.engine!r}"
            problems.add("unknown-name", message, where, registry.nearest(place.engine, known))
    return places


def _read_secrets(
    data: dict[str, Any],
    lines: Mapping[tuple[str, ...], int],
    environ: Mapping[str, str],
    problems: Problems,
) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for path, text in _walk_texts(data, ()):
        for name in find_secrets(text):
            names.setdefault(name)
            if name not in environ:
                where = Location(FILE, line_of(path, lines))
                message = f"the environment variable {name} is not set"
                problems.add("secret-not-set", message, where, f"export {name}=... and try again")
    return tuple(sorted(names))


def _walk_texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk_texts(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk_texts(inner, path)
