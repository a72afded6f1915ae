"""The list of commands agrees with the commands, and each helps with examples."""

import shlex
from importlib import import_module
from itertools import takewhile

import click
import pytest

from segue.cli.group import COMMANDS, segue

SHARED = {"node": "nodes", "rollback": "deployments"}
"""Commands that look at what another one lists, and share its module."""


def find(name) -> click.Command:
    return segue.get_command(click.Context(segue), name)


@pytest.mark.parametrize("name", COMMANDS)
def test_table_agrees_with_command(name):
    command = find(name)
    assert command.name == name
    assert command.help.partition("\n")[0] == COMMANDS[name].help


def members():
    """Every command that does something, and not the word above it where that alone does not."""
    waiting = [(name, find(name)) for name in COMMANDS]
    while waiting:
        name, command = waiting.pop()
        if isinstance(command, click.Group):
            waiting += [(f"{name} {each.name}", each) for each in command.commands.values()]
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield pytest.param(name, command, id=name)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_module_of_its_own(name):
    module, _, function = COMMANDS[name].target.partition(":")
    assert module == SHARED.get(name, name)
    assert import_module(f"segue.cli.{module}").__doc__.startswith(f"``segue {module}``")
    assert find(name).callback.__name__ == function


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_examples(name):
    command = find(name)
    text = command.get_help(click.Context(command, info_name=f"segue {name}"))
    assert "Examples:" in text
    for typed, meaning in command.examples:
        assert typed in text
        assert meaning.split()[0] in text


def examples():
    for name in COMMANDS:
        for typed, _ in find(name).examples:
            yield pytest.param(name, typed, id=typed)


@pytest.mark.parametrize(("name", "typed"), list(examples()))
def test_example_is_understood(name, typed):
    words = list(takewhile(lambda word: word not in ("|", "<", ">"), shlex.split(typed)))
    assert words[:2] == ["segue", name]
    command, rest = find(name), words[2:]
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(name, rest)


@pytest.mark.parametrize(("name", "command"), list(members()))
def test_every_command_answers_programs_too(name, command):
    options = {option for each in command.params for option in each.opts}
    assert "--json" in options or name == "agent run"  # it runs until it is stopped
    place = "--home" if name.startswith("agent ") else "--project"
    assert place in options or name in ("new", "deploy keys new")


def test_list_of_commands_fits_a_terminal():
    text = segue.get_help(click.Context(segue, info_name="segue", terminal_width=80))
    listed = [line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line[:2]]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)
    assert all(len(line) <= 80 for line in text.splitlines())
