"""``segue profile``: what is in a table or in any data, column by column."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.dispatch import find_project, is_any_data, read_connections
from segue.cli.group import Command
from segue.cli.reading import show_reading
from segue.errors import UnknownNameError, UsageError
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.profile import ColumnProfile, Profile


@click.command(
    "profile",
    cls=Command,
    examples=[
        ("segue profile orders", "every column of a table or source of the project"),
        ("segue profile orders --column amount", "all that is known of one column"),
        ("segue profile 'in/*.csv'", "a file, a folder or a pattern"),
        ("segue profile sqlite:///shop.db orders", "a table of a database"),
        ("segue profile orders --html orders.html", "one page, to look at and to hand on"),
    ],
)
@click.argument("data", nargs=-1, required=True, metavar="DATA...", shell_complete=complete_table)
@click.option(
    "--column",
    "patterns",
    metavar="NAME",
    multiple=True,
    help="Tell all of this column: a name or a pattern; can be repeated.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one self-contained page.",
)
@click.option(
    "--sensitive",
    metavar="COLUMN",
    multiple=True,
    help="Keep the values of this column out; a contract's `sensitive: true` does so, too.",
)
@common_options
def show_profile(
    call: Call,
    *,
    data: tuple[str, ...],
    patterns: tuple[str, ...],
    page: Path | None,
    sensitive: tuple[str, ...],
) -> None:
    """Describe every column of a table, or of any data.

    DATA is named as for `segue check`. The values are read twice; what is estimated is marked
    with ~ or said in a note.
    """
    with show_reading(call, data):
        profiles = list(_find_profiles(call, data, sensitive))
    if page is not None:
        from segue.judge.profiling.page import write_page

        _write_file(page, write_page(profiles))
    if call.as_json:
        call.print_json({"tables": [describe_profile(each) for each in profiles]})
        return
    _print(call, profiles, patterns, page)


def _print(
    call: Call, profiles: Sequence[Profile], patterns: Sequence[str], page: Path | None
) -> None:
    from segue.cli.look import line, say
    from segue.cli.render_profile import render_profile

    for at, profile in enumerate(profiles):
        if at:
            say(call.out, line(""))
        chosen = choose_columns(profile, patterns) if patterns else None
        say(call.out, *render_profile(profile, chosen))
    if page is not None:
        say(call.out, line(f"Written: {page}"))


def _find_profiles(call: Call, data: Sequence[str], sensitive: Sequence[str]) -> Iterator[Profile]:
    root = find_project(call.start)
    connections = read_connections(root)
    if root is not None and not is_any_data(data, connections):
        with call.open_project() as project:
            for name in data:
                yield project.profile(name, sensitive=sensitive)
        return
    from segue.anywhere.profile_data import profile_target
    from segue.anywhere.targets import read_targets

    for target in read_targets(data, connections):
        yield profile_target(target, sensitive)


def choose_columns(profile: Profile, patterns: Sequence[str]) -> list[ColumnProfile]:
    """Return the columns whose names are asked for, or match a pattern.

    Raises:
        UnknownNameError: There is no such column.
    """
    names = [column.name for column in profile.columns]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) or name == pattern for name in names):
            raise UnknownNameError(
                f"{profile.table} has no column {pattern!r}",
                hint=nearest(pattern, names, noun="column"),
            )
    return [
        column
        for column in profile.columns
        if any(fnmatchcase(column.name, each) or column.name == each for each in patterns)
    ]


def describe_profile(profile: Profile) -> dict[str, Any]:
    """Return a profile as plain values."""
    document = _plain(asdict(profile))
    for column, told in zip(profile.columns, document["columns"], strict=True):
        told["type"] = str(column.type)
    return {**document, "constant": list(profile.constant), "empty": list(profile.empty)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        hint = "name a file in a folder that is there"
        raise UsageError(f"{path} can't be written: {error.strerror}", hint=hint) from None
