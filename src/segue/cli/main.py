"""The command ``segue``: runs a command and turns what went wrong into an exit code."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING, NoReturn, cast

import click

from segue.cli.group import segue
from segue.errors import ProjectError, SegueError, UsageError

if TYPE_CHECKING:
    import io
    from collections.abc import Sequence

DONE = 0
FAILED = 1
WRONG_INPUT = 2
SEGUE_FAILED = 3
INTERRUPTED = 128 + signal.SIGINT
COMPLETION = "_SEGUE_COMPLETE"
"""Variable by which a shell asks for what could be typed next."""
PIPE_CLOSED = 128 + signal.SIGPIPE


def main() -> NoReturn:
    """Run the command that the arguments name, and end the process."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal can't show must not end a run.
        if hasattr(stream, "reconfigure"):
            cast("io.TextIOWrapper", stream).reconfigure(errors="backslashreplace")
    if asked := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(segue, {}, "segue", COMPLETION, asked))
    code = run_command(sys.argv[1:])
    if code != DONE:
        gc.collect()  # what an error has kept alive of DuckDB it would tell as leaked at the end
    sys.exit(code)


def run_command(arguments: Sequence[str]) -> int:
    """Run a command and say what went wrong, if something did.

    Args:
        arguments: What was typed after ``segue``.

    Returns:
        The exit code.
    """
    try:
        typed = shlex.join(["segue", *arguments])
        with segue.make_context("segue", list(arguments), obj=typed) as context:
            segue.invoke(context)
            sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted: what was not yet published stays unpublished.", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # What Python would still flush at its end has no reader either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = PIPE_CLOSED
    except click.ClickException as error:
        code = _report_click(error, arguments)
    except Exception as error:  # noqa: BLE001  # the last resort: a fault of segue itself
        code = report(error, arguments)
    else:
        code = DONE
    return code


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong; return the exit code."""
    if isinstance(error, SegueError):
        return _report_error(error, arguments)
    return _report_fault(error, arguments)


def exit_code(error: BaseException) -> int:
    """Return the exit code that an error stands for.

    Example:
        >>> exit_code(UsageError("no such table"))
        2
    """
    if isinstance(error, ProjectError | UsageError):
        return WRONG_INPUT
    return FAILED if isinstance(error, SegueError) else SEGUE_FAILED


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--json" in arguments


def _report_click(error: click.ClickException, arguments: Sequence[str]) -> int:
    error.show()
    if _wants_json(arguments):
        from segue.cli.call import print_json

        print_json({"error": {"code": "usage", "message": error.format_message(), "hint": ""}})
    return WRONG_INPUT


def _report_error(error: SegueError, arguments: Sequence[str]) -> int:
    from segue.cli.call import make_console, print_json
    from segue.cli.documents import describe_error
    from segue.cli.look import say
    from segue.cli.render_error import render_error

    color = False if "--no-color" in arguments else None
    say(make_console(sys.stderr, color=color), *render_error(error))
    if _wants_json(arguments):
        print_json({"error": describe_error(error)})
    if os.environ.get("SEGUE_DEBUG"):
        click.echo(_write_trace(error, arguments), err=True, nl=False)
    return exit_code(error)


def _write_trace(error: Exception, arguments: Sequence[str]) -> str:
    """Return an error's traceback without the passwords that were typed."""
    from segue.spec.secrets import hide_passwords

    return hide_passwords("".join(traceback.format_exception(error)), *arguments)


def _report_fault(error: Exception, arguments: Sequence[str]) -> int:
    from segue.spec.secrets import hide_passwords

    told = hide_passwords(f"{type(error).__name__}: {error}", *arguments)
    lines = [f"segue itself failed: {told}"]
    if os.environ.get("SEGUE_DEBUG"):
        click.echo(_write_trace(error, arguments), err=True, nl=False)
        path = ""
    else:
        with tempfile.NamedTemporaryFile(
            "w", prefix="segue-", suffix=".txt", encoding="utf-8", delete=False
        ) as file:
            file.write(hide_passwords(f"segue {' '.join(arguments)}\n\n", *arguments))
            file.write(_write_trace(error, arguments))
        path = file.name
        lines.append(f"  The traceback lies in {path}")
    lines.append("  This is a fault of segue, not yours: please report it, with that file.")
    click.echo("\n".join(lines), err=True)
    if _wants_json(arguments):
        from segue.cli.call import print_json

        hint = "please report it, with the traceback"
        document = {"code": "internal", "message": told, "hint": hint}
        print_json({"error": {**document, "traceback": path}})
    return SEGUE_FAILED
