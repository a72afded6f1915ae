"""Writes the reference pages that the code itself knows best: ``python docs/generate.py``.

Each page is made from what users meet: settings from `segue.settings`, errors from
`segue.errors`, commands from the command line, and so on. A test holds that the pages in
``docs/reference/`` are what this script makes.
"""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from find_problems import find_problems
from hub_api import write_hub_api
from patterns import write_patterns
from pydantic_core import PydanticUndefined

import segue
from segue import errors, failpoints, registry, settings
from segue.cli.group import COMMANDS
from segue.cli.group import segue as command_line
from segue.cli.main import exit_code
from segue.judge.history import anomaly, anomaly_verdict
from segue.project import Project
from segue.project.reading import FRAMES
from segue.spec.plan import Action, Cause
from segue.spec.types import ALIASES, PLAIN_KINDS, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from segue.protocols import Capabilities

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/generate.py: change the code, then run it again. -->\n"
PARSED: dict[Any, str] = {settings.parse_size: "size", settings.parse_duration: "duration"}
WORDS: dict[Any, str] = {str: "text", bool: "true or false", int: "whole number", float: "number"}
"""What types of settings are called."""


def main() -> None:
    """Write all pages."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in make_pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


def make_pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    makers: dict[str, Callable[[], Iterable[str]]] = {
        "settings.md": write_settings,
        "commands.md": write_commands,
        "errors.md": write_errors,
        "checks.md": write_checks,
        "sources.md": write_sources,
        "fleet.md": write_fleet,
        "hub-api.md": write_hub_api,
        "patterns.md": write_patterns,
        "engines.md": write_engines,
        "types.md": write_types,
        "python.md": write_python,
        "plans.md": write_plans,
        "failpoints.md": write_failpoints,
    }
    return {name: NOTE + "\n".join(maker()).rstrip() + "\n" for name, maker in makers.items()}


# Markdown


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table; a bar in a cell would end it."""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


def prose(text: str) -> str:
    """Turn the marks of a docstring into those of Markdown."""
    text = re.sub(r"``(.+?)``", r"`\1`", inspect.cleandoc(text), flags=re.DOTALL)
    words = re.sub(r"\s*\n\s*", " ", text).split("`")
    words[::2] = [part.replace("<", "&lt;") for part in words[::2]]
    return "`".join(words)


def paragraphs(text: str | None) -> list[str]:
    """Return the paragraphs of a docstring before its sections."""
    body = re.split(
        r"\n(?:Args|Attributes|Returns|Raises|Example):\n", inspect.cleandoc(text or "")
    )
    return [prose(part) for part in body[0].split("\n\n") if part.strip()]


def section_of(text: str | None, title: str) -> list[tuple[str, str]]:
    """Return name and meaning of each entry in a section of a docstring."""
    clean = f"{inspect.cleandoc(text or '')}\n"
    found = re.search(rf"^{title}:\n((?:    .*\n|\n)*)", clean, re.MULTILINE)
    entries = re.split(r"^    (?=\S)", found[1], flags=re.MULTILINE)[1:] if found else []
    pairs = (entry.partition(":") for entry in entries)
    return [(name.strip(), prose(meaning.strip())) for name, _, meaning in pairs]


# Pages


def write_settings() -> Iterator[str]:
    """Write every table and key of ``segue.toml``."""
    yield "# segue.toml\n"
    yield (
        "The one configuration file of a project. Sizes are numbers of bytes or texts such as"
        ' `"2GB"` (KB, MB, GB, TB are powers of 1000; KiB, MiB, GiB, TiB of 1024); durations are'
        ' seconds or texts such as `"90s"`, `"5m"`, `"2h"`, `"1d"`. A text may hold `${NAME}`,'
        " which is taken from the environment. A key that is not listed here is refused.\n"
    )
    tables = {
        "[project]": settings.ProjectSettings,
        "[lake]": settings.LakeSettings,
        "[places.&lt;name&gt;]": settings.PlaceSettings,
        "[places.&lt;name&gt;.options] of a fleet": settings.FleetSettings,
        "[steps.&lt;name&gt;]": settings.StepSettings,
        "[connections.&lt;name&gt;]": settings.ConnectionSettings,
        "[alerts]": settings.AlertSettings,
        "[alerts.channels.&lt;name&gt;]": settings.ChannelSettings,
        "[stream_alerts.&lt;name&gt;]": settings.StreamAlertSettings,
    }
    for title, model in tables.items():
        about = describe_table(title.strip("[]").partition(".&lt;")[0].split("."))
        yield f"## {title}\n"
        if about:
            yield f"{about}\n"
        yield from table(
            ("key", "type", "default", "meaning"),
            (field_row(*field) for field in fields(model) if not is_table(field[1])),
        )
    more = {
        "tables": " See [sources](sources.md), and [those of fleets](fleet.md).",
        "destinations": " See [fleets](fleet.md).",
        "params": "",
    }
    for name, rest in more.items():
        about = prose(settings.Settings.model_fields[name].description or "")
        noun = "step" if name == "params" else "name"
        yield f"## [{name}.&lt;{noun}&gt;]\n\n{about}{rest}\n"


def describe_table(path: Sequence[str]) -> str:
    """Return what the setting at a path says of itself."""
    model: type[BaseModel] = settings.Settings
    for name in path[:-1]:
        model = model.model_fields[name].annotation
    return model.model_fields[path[-1]].description or ""


def fields(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Return the fields of a model."""
    return list(model.model_fields.items())


def is_table(field: FieldInfo) -> bool:
    """Return whether a key is a table of tables, which has a section of its own."""
    inner = typing.get_args(field.annotation)
    return bool(inner) and isinstance(inner[-1], type) and issubclass(inner[-1], settings.Table)


def field_row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    """Return the row of one key: its name, type, default and meaning."""
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        shown = "required"
    else:
        shown = "" if default in (None, "", (), {}) else f"`{write_value(default)}`"
    kind = name_type(typing.Annotated[field.annotation, *field.metadata, None])
    return f"`{name}`", kind, shown, prose(field.description or "")


def write_value(value: Any) -> str:
    """Return a value as TOML writes it."""
    whole = isinstance(value, float) and value.is_integer()
    return json.dumps(int(value) if whole else value)


def name_type(annotation: Any) -> str:
    """Return a type in a user's words."""
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        parsers = [getattr(each, "func", None) for each in annotation.__metadata__]
        named = [word for parser, word in PARSED.items() if parser in parsers]
        return named[0] if named else name_type(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{write_value(each)}`" for each in arguments)
    if origin in (tuple, dict):
        inner = [each for each in arguments if each is not ...][-1]
        plural = "" if typing.get_origin(inner) is typing.Literal else "s"
        return f"{'list' if origin is tuple else 'table'} of {name_type(inner)}{plural}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(name_type(each) for each in arguments if each is not type(None))
    return WORDS[annotation]


def write_commands() -> Iterator[str]:
    """Write every command with its options and examples."""
    yield "# Commands\n"
    yield (
        "Exit codes: 0 done, 1 a check or a run failed, 2 the project or the arguments are wrong,"
        " 3 segue itself failed.\n"
    )
    context = click.Context(command_line, info_name="segue")
    yield from table(
        ("command", "does"),
        ((f"[`{name}`](#segue-{name})", entry.help) for name, entry in COMMANDS.items()),
    )
    for name in COMMANDS:
        command = command_line.get_command(context, name)
        if command is not None:
            yield from write_command(f"segue {name}", command)


def write_command(typed: str, command: click.Command, level: str = "##") -> Iterator[str]:
    """Write a command, and those below it."""
    here = click.Context(command, info_name=typed)
    yield f"{level} {typed}\n"
    yield f"```text\n{command.get_usage(here).removeprefix('Usage: ')}\n```\n"
    yield from (f"{part}\n" for part in paragraphs(command.help))
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield from write_options(command, here)
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from write_command(f"{typed} {name}", below, f"{level}#")


def write_options(command: click.Command, here: click.Context) -> Iterator[str]:
    """Write what a command takes, and examples."""
    records = (param.get_help_record(here) for param in command.get_params(here))
    options = [map(shorten_range, record) for record in records if record and record[1]]
    yield from table(("option", "meaning"), ((f"`{name}`", text) for name, text in options))
    examples = getattr(command, "examples", ())
    yield from table(("example", "for"), ((f"`{typed}`", meaning) for typed, meaning in examples))


def shorten_range(text: str) -> str:
    """Return a range of numbers as a person would write it."""
    text = re.sub(r"\s*\[(?:default: (\S+); )?x>=(\d+)\]", r" From \2; \1 if not stated.", text)
    return text.replace("INTEGER RANGE", "N").replace(";  if not stated.", ".")


def write_errors() -> Iterator[str]:
    """Write every error with its code, and every problem that a project can have."""
    yield "# Errors\n"
    tree = (errors.__doc__ or "").split("::\n")[1].split("\n\nEach class")[0]
    yield (
        "Each error has a stable `code`, a message, where it can a place in your files, and a hint:"
        " the next move. With `--json` they are the keys of `error` in the answer. An exception"
        " that is none of these is a fault of Segue itself (code `internal`, exit code 3).\n"
    )
    yield f"```text\n{inspect.cleandoc(tree)}\n```\n"
    rows = []
    for kind in find_errors(errors.SegueError):
        code = exit_code(kind.__new__(kind))
        rows.append(
            (
                f"`{kind.code}`",
                f"`{kind.__name__}`",
                str(code),
                "yes" if kind.retryable else "no",
                " ".join(paragraphs(kind.__doc__)),
            )
        )
    yield from table(("code", "class", "exit", "may go better when repeated", "meaning"), rows)
    yield "## Problems of a project\n"
    yield (
        "`project-invalid` carries every problem of the project's files at once, each with its own"
        " code, file, line and hint.\n"
    )
    problems = find_problems(Path(segue.__file__).parent)
    told = ((f"`{code}`", "<br>".join(map(prose, texts))) for code, texts in problems.items())
    yield from table(("code", "says, for example"), told)


def find_errors(kind: type[errors.SegueError]) -> Iterator[type[errors.SegueError]]:
    """Go through the tree of errors."""
    yield kind
    for below in kind.__subclasses__():
        yield from find_errors(below)


CHECK_KEYS = (
    ("`name`", "what reports and histories call it"),
    ("`severity`", "`warn` or `fail`, for a check that counts no rows"),
    ("`where`", "SQL that is true of the rows that it looks at"),
    ("`by`", "a column or a list: each segment is judged by itself, and the worst one decides"),
    ("`sample`", "a share of the rows that it looks at, such as `5%`: the same ones each time"),
    ("`new`", "`true`: only rows that came since the table was last judged"),
    ("`anomaly`", "`true`: what is measured is held against its own history"),
)
"""Keys that every check takes, unless it says otherwise."""


def write_checks() -> Iterator[str]:
    """Write every kind of check."""
    yield "# Checks\n"
    yield (
        "The kinds of checks in `contracts.yml`. A check fails at the first bad row unless its long"
        " form states a tolerance: `warn` and `fail` are a number of rows or a share such as"
        " `0.1%`. [Recipes](../howto/contracts.md) show whole contracts.\n"
    )
    yield "The long form of a check takes these keys as well:\n"
    yield from table(("key", "meaning"), CHECK_KEYS)
    yield (
        "Bounds are inclusive: `[min, max]` with `~` for none, `{min: …}`, `{max: …}`, `{min: …,"
        " max: …}`, `{between: [min, max]}`, `{equals: …}`, or one value for exactly that. A number"
        ' in quotes (`"0.10"`) is exact, and so are decimals. What is not defined, such as the mean'
        " of no rows, is an error, never a pass.\n"
    )
    yield from write_anomaly()
    for name in registry.names(registry.CHECKS):
        kind = registry.load_check(name)
        module = inspect.getmodule(type(kind))
        where = {
            "column": "below a column",
            "table": "beside `columns`",
            "both": "below a column or beside `columns`",
        }
        rows = "single rows, so they can be set aside" if kind.row_level else "the table as a whole"
        yield f"## {name}\n"
        yield from (f"{part}\n" for part in paragraphs(module.__doc__ if module else ""))
        refused = ", ".join(f"`{key}`" for key in sorted(getattr(kind, "refused", ())))
        without = f" Takes no {refused}." if refused else ""
        yield f"Stands {where[kind.scope]}. Is broken by {rows}.{without}\n"


def write_anomaly() -> Iterator[str]:
    """Write what `anomaly` of a check means, and its keys."""
    yield "### anomaly\n"
    yield from (f"{part}\n" for part in paragraphs(anomaly_verdict.__doc__))
    defaults = anomaly.Rule()
    keys = section_of(anomaly.Rule.__doc__, "Attributes")
    rows = (
        (f"`{name}`", f"`{shown}`" if (shown := getattr(defaults, name)) else "", meaning)
        for name, meaning in keys
    )
    yield from table(("key", "default", "meaning"), rows)
    yield from (f"{part}\n" for part in paragraphs(anomaly.__doc__)[1:-1])


def write_sources() -> Iterator[str]:
    """Write every kind of source with its keys."""
    yield "# Sources\n"
    yield (
        "What `[tables.<name>]` in `segue.toml` can say. The kind follows from the ending of `path`"
        " (below a `.gz`, `.zst`, `.bz2` or `.xz`), or from the files in a folder; `format` states"
        " it. A relative path counts from the project's folder.\n"
    )
    for name in registry.names(registry.SOURCES):
        kind = registry.load_source(name)
        module = inspect.getmodule(type(kind))
        yield f"## {name}\n"
        yield from (f"{part}\n" for part in paragraphs(module.__doc__ if module else ""))
        endings = ", ".join(f"`{suffix}`" for suffix in kind.suffixes)
        yield f"Endings: {endings or 'none'}.\n"
        yield from table(
            ("key", "type", "default", "meaning"),
            (field_row(*each) for each in fields(kind.options)),
        )


def write_fleet() -> Iterator[str]:
    """Write what nodes of a fleet read, in which formats, and where they send it."""
    yield "# Fleets\n"
    yield (
        "What nodes of a fleet read and send, see [Run steps where data is born]"
        "(../howto/fleet.md). Values in `${NAME}` are taken from the environment of the node.\n"
    )
    yield "## Sources\n"
    yield (
        "`[tables.<name>]` with `on`, `kind`, `columns` (types by name), `format` unless the kind"
        " gives typed rows, and the keys of both. A source that is read *exactly once* goes on"
        " where it was, whatever ended the agent; others count what they could not take.\n"
    )
    told = ("kind", "what it does", "exactly once", "needs", "further keys and their defaults")
    yield from table(
        told,
        (
            edge_row(registry.EDGE_SOURCES, name, "replayable")
            for name in registry.names(registry.EDGE_SOURCES)
        ),
    )
    yield "\n## Formats\n"
    rows = (edge_row(registry.EDGE_FORMATS, n, "") for n in registry.names(registry.EDGE_FORMATS))
    told = ("format", "what a record is", "needs", "further keys and their defaults")
    yield from table(told, rows)
    yield "\n## Destinations\n"
    yield (
        "`[destinations.<name>]` with `kind`, `tables`, and the keys of the kind. Where rows stand"
        " *once*, a batch that is sent again changes nothing; elsewhere readers tell it by `_node`,"
        " `_epoch` and `_sequence`.\n"
    )
    told = ("kind", "what it does", "once", "needs", "further keys and their defaults")
    rows = (
        edge_row(registry.DESTINATIONS, n, "exact") for n in registry.names(registry.DESTINATIONS)
    )
    yield from table(told, rows)


def edge_row(group: str, name: str, flag: str) -> list[str]:
    """Return the row of one kind: its name, what it does, a flag of it, and its keys."""
    kind = registry.load(group, name)
    about = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    flags = [("yes" if getattr(kind, flag) else "no")] if flag else []
    optional = ", ".join(f"`{key}` = {json.dumps(value)}" for key, value in kind.optional.items())
    needs = ", ".join(f"`{key}`" for key in kind.required)
    return [f"`{name}`", prose(" ".join(about.split())), *flags, needs, optional]


def write_engines() -> Iterator[str]:
    """Write what each engine can do, and what it can't."""
    engines = {
        name: registry.load_engine(name).capabilities for name in registry.names(registry.ENGINES)
    }
    yield "# Engines\n"
    yield (
        "What plans know of each engine. All of them give the same rows and the same types;"
        " [Run a function anywhere](../howto/engines.md) tells how to use them,"
        " [Write an engine](../tutorial/engine.md) how to add one.\n"
    )
    rows: dict[str, Callable[[Capabilities], str]] = {
        "installed by": lambda can: f"`segue[{can.extra}]`" if can.extra else "core",
        "addresses begin with": lambda can: ", ".join(f"`{each}`" for each in can.schemes) or "-",
        "runs Python functions": lambda can: "yes" if can.functions else "no",
        "on other processes or machines": lambda can: "yes" if can.distributed else "no",
        "one SELECT is shared by": lambda can: (
            "one worker" if can.sql_workers == "one" else "all workers"
        ),
        "its SQL, into which DuckDB's is translated": lambda can: can.dialect,
        "reads by itself": lambda can: ", ".join(sorted(can.scans)) or "-",
        "starts here in about": lambda can: f"{can.start_seconds:g} s",
        "row hash": lambda can: can.row_hash or "-",
        "gaps": lambda can: str(len(can.gaps)),
    }
    heads = ("", *(f"`{name}`" for name in engines))
    yield from table(heads, ((row, *map(tell, engines.values())) for row, tell in rows.items()))
    yield "## Gaps\n"
    yield (
        "What an engine can't do is named here by the test of the conformance suite that it"
        " can't pass, or a pattern of such names, and is a strict expected failure there: one that"
        " closes is noticed. *never* means that it can't be, *upstream* that the engine's present"
        " release can't, *open* that it is not yet written.\n"
    )
    gaps = [
        (f"`{name}`", f"`{test}`", prose(reason))
        for name, can in engines.items()
        for test, reason in sorted(can.gaps.items())
    ]
    if gaps:
        yield from table(("engine", "tests", "reason"), gaps)
    else:
        yield "There is none.\n"


def write_types() -> Iterator[str]:
    """Write the notation of types, and how each is stored."""
    from segue.spec.nearest import find_storage

    yield "# Types\n"
    yield (
        "One notation for contracts, schemas of steps, plans and records. A schema is"
        " `name: type` pairs with commas; a name that is not a word stands in double quotes;"
        " `*` stands for the input's columns, and after it `-name` leaves one out, `+name: type`"
        " changes or adds one. `[int64]`, `{a: int64, b: string}` and `<string, int64>` are short"
        " for a list, a struct and a map.\n"
    )
    timed = ("timestamp", "timestamp(ns)", "timestamp(us, Europe/Rome)", "duration(us)")
    nested = ("list<int64>", "struct<a: int64, b: string>", "map<string, int64>")
    shown = (*sorted(PLAIN_KINDS), "decimal(18,2)", *timed, *nested, "categorical<string>")
    rows = []
    for text in shown:
        stored = str(find_storage(parse_type(text)))
        rows.append((f"`{text}`", f"`{stored}`" if stored != text else "as it is"))
    yield (
        "Delta Lake knows fewer types. A type that it lacks is stored in the nearest one, with the"
        " original in the field's metadata, and restored when Segue reads it.\n"
    )
    yield from table(("type", "stored as"), rows)
    yield "## Other words\n\nUnderstood as well:\n"
    yield from table(
        ("word", "type"), ((f"`{word}`", f"`{type_}`") for word, type_ in ALIASES.items())
    )


def write_python() -> Iterator[str]:
    """Write the public names of the package, and the methods of a project."""
    yield "# Python\n"
    yield f"`import segue` gives: {', '.join(f'`{name}`' for name in segue.__all__)}.\n"
    yield from write_callable("segue.step", segue.step)
    yield from write_callable("segue.load", segue.load)
    for name in ("transform", "query", "check", "persist", "checkpoint"):
        yield from write_callable(f"segue.{name}", getattr(segue, name))
    for name, member in vars(Project).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield from write_callable(f"Project.{name}", member)
    words = ", ".join(f"`{word}` ({frame})" for word, frame in FRAMES.items())
    yield f"`returns` takes one of these words, or the frame's own name: {words}.\n"


def write_callable(name: str, function: Any) -> Iterator[str]:
    """Write one function: signature, meaning, arguments, errors."""
    yield f"## {name}\n"
    yield f"```text\n{name.rpartition('.')[2]}({', '.join(list_parameters(function))})\n```\n"
    yield from (f"{part}\n" for part in paragraphs(function.__doc__))
    for title, head in (("Args", "argument"), ("Raises", "raises")):
        entries = section_of(function.__doc__, title)
        if entries:
            yield from table((head, "meaning"), ((f"`{key}`", text) for key, text in entries))


def list_parameters(function: Any) -> Iterator[str]:
    """Go through the parameters of a function as they are written."""
    starred = False
    for each in inspect.signature(function).parameters.values():
        if each.name == "self":
            continue
        if each.kind is each.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        stars = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "")
        default = "" if each.default is each.empty else f" = {each.default!r}"
        yield f"{stars}{each.name}: {each.annotation}{default}"


def write_plans() -> Iterator[str]:
    """Write the words of a plan."""
    yield "# Words of a plan\n"
    yield "What `segue plan` says that a run does with a step:\n"
    yield from table(
        ("action", "in JSON"), ((str(each), f"`{each.name.lower()}`") for each in Action)
    )
    yield "And why; most reasons name what they are about, such as the input or the helper:\n"
    yield "\n".join(f"- {cause}" for cause in Cause) + "\n"


def write_failpoints() -> Iterator[str]:
    """Write where faults can be injected."""
    yield "# Failpoints\n"
    yield from (f"{part}\n" for part in paragraphs(failpoints.__doc__))
    yield "In the order in which a run passes them:\n"
    yield "\n".join(f"- `{point}`" for point in failpoints.POINTS)


if __name__ == "__main__":
    main()
