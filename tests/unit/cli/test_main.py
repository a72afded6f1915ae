"""Exit codes, and where what goes: as a shell sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segue import __version__
from segue.cli.main import exit_code, run_command
from segue.errors import (
    ContractError,
    Location,
    Problem,
    ProjectError,
    StepError,
    StorageFullError,
    UnknownNameError,
)


def segue(*arguments, cwd, **options):
    return subprocess.run(
        [sys.executable, "-m", "segue", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownNameError("?"), 2),
        (ProjectError([]), 2),
        (StepError("?"), 1),
        (ContractError("?"), 1),
        (StorageFullError("?"), 1),
        (ZeroDivisionError(), 3),
    ],
)
def test_exit_code_of_an_error(error, code):
    assert exit_code(error) == code


def test_version(tmp_path):
    done = segue("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"segue {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [["plann"], ["read"], ["runs", "--limit", "many"], ["run", "-p", "horizon=7"], ["plan"]],
    ids=" ".join,
)
def test_wrong_arguments_end_with_2(tmp_path, arguments):
    done = segue(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_misspelled_command_is_guessed(capsys):
    assert run_command(["plann"]) == 2
    assert "did you mean 'plan'?" in capsys.readouterr().err


def test_error_is_a_document_with_json(tmp_path):
    done = segue("plan", "--json", cwd=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 2
    assert error["code"] == "usage"
    assert error["hint"]
    assert error["message"] in done.stderr


def test_wrong_option_is_a_document_with_json(capsys):
    assert run_command(["runs", "--limit", "many", "--json"]) == 2
    assert "many" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.fixture
def failing_command(monkeypatch):
    """A command that ends as it is told."""
    import click

    from segue.cli.group import segue

    @click.command("fail")
    @click.option("--json", "as_json", is_flag=True)
    @click.argument("data", nargs=-1)
    def fail(**_options):
        raise fail.error

    monkeypatch.setattr(segue, "get_command", lambda _context, _name: fail)
    monkeypatch.setitem(__import__("segue.cli.group").cli.group.COMMANDS, "fail", None)
    return fail


def test_fault_of_segue_ends_with_3_and_a_file(failing_command, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing_command.error = ZeroDivisionError("inside")
    assert run_command(["fail", "--json"]) == 3
    shown = capsys.readouterr()
    path = Path(json.loads(shown.out)["error"]["traceback"])
    assert path.parent == tmp_path
    assert "raise fail.error" in path.read_text()
    assert str(path) in shown.err
    assert "Traceback" not in shown.err


def test_fault_of_segue_tells_no_password(failing_command, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing_command.error = ZeroDivisionError("no hunter2 at postgresql://me:hunter2@db/x")
    assert run_command(["fail", "postgresql://me:hunter2@db/x", "--json"]) == 3
    shown = capsys.readouterr()
    written = Path(json.loads(shown.out)["error"]["traceback"]).read_text()
    assert "postgresql://me:***@db/x" in written
    assert "hunter2" not in shown.out + shown.err + written


def test_debug_shows_the_traceback(failing_command, capsys, monkeypatch):
    monkeypatch.setenv("SEGUE_DEBUG", "1")
    failing_command.error = ZeroDivisionError("inside")
    assert run_command(["fail", "mysql://me:hunter2@db/x"]) == 3
    told = capsys.readouterr().err
    assert "raise fail.error" in told
    assert "hunter2" not in told


def test_interrupt_is_one_line(failing_command, capsys):
    failing_command.error = KeyboardInterrupt()
    assert run_command(["fail"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_problems_of_a_project_as_json(failing_command, capsys):
    problem = Problem("unknown-table", "no 'ordrs'", Location("steps/a.sql", 3), "orders?")
    failing_command.error = ProjectError([problem])
    assert run_command(["fail", "--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["problems"] == [
        {
            "code": "unknown-table",
            "message": "no 'ordrs'",
            "location": {"path": "steps/a.sql", "line": 3},
            "hint": "orders?",
        }
    ]
    assert "steps/a.sql:3: no 'ordrs'" in shown.err


def test_closed_pipe_is_quiet(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "segue", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        cwd=tmp_path,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_colours_only_if_asked(tmp_path):
    assert "\x1b[" not in segue("doctor", cwd=tmp_path).stdout
    assert (
        "\x1b["
        in segue("doctor", "--color", cwd=tmp_path, env=os.environ | {"TERM": "xterm"}).stdout
    )
