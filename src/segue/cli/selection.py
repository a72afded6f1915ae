"""Options that `plan` and `run` share: what to run, and with which settings."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import click

from segue.cli.complete import complete_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.spec.step import Scalar


def selection_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``SELECT...``, ``--force``, ``--since`` and ``-p``."""
    for option in (
        click.option(
            "-p",
            "params",
            metavar="STEP.NAME=VALUE",
            multiple=True,
            callback=_read_settings,
            help="Value of a step's setting, for this time only; can be repeated.",
        ),
        click.option(
            "--since",
            metavar="WHEN",
            help="Run selected steps again that last ran before WHEN: a date or time (UTC if it"
            " has no zone), a span such as 2h or 3d, or a run's id.",
        ),
        click.option("--force", is_flag=True, help="Run selected steps that are up to date, too."),
        click.argument("select", nargs=-1, metavar="[SELECT]...", shell_complete=complete_step),
    ):
        function = option(function)
    return function


def parse_setting(text: str) -> tuple[str, Scalar]:
    """Read ``step.name=value``.

    The value is what TOML makes of it (a number, ``true``, a quoted text); what TOML can't
    read is a text as it stands.

    Raises:
        ValueError: It is not of that form.

    Example:
        >>> parse_setting("forecast.horizon=7"), parse_setting("forecast.store=north")
        (('forecast.horizon', 7), ('forecast.store', 'north'))
    """
    name, equals, value = text.partition("=")
    step, dot, setting = name.strip().partition(".")
    if not (equals and dot and step and setting):
        raise ValueError(f"{text!r} is not of the form step.name=value")
    return name.strip(), _parse_scalar(value.strip())


def _parse_scalar(text: str) -> Scalar:
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    scalar = value["value"]
    return scalar if len(value) == 1 and isinstance(scalar, bool | int | float | str) else text


def _read_settings(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, Any]:
    try:
        return dict(map(parse_setting, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
