"""``segue agent``: what is typed, what is answered, and what stays out of the supervisor."""

import json
import os
import subprocess
import sys

import pytest

from segue.agent.clock import read_steady
from segue.cli.main import run_command
from segue.wire.token import Token
from tests.fleet.link.little_hub import LittleHub, serve

HEAVY = {
    "click",
    "deltalake",
    "duckdb",
    "numpy",
    "pandas",
    "psutil",
    "pyarrow",
    "pydantic",
    "rich",
    "sqlalchemy",
    "sqlglot",
    "tuf",
    "yaml",
}


@pytest.fixture
def token():
    hub = LittleHub()
    hub.secrets["once"] = "new"
    with serve(hub) as address:
        yield Token(address, "once", "till-7", "shops").write()


def answer(capsys, *arguments):
    code = run_command(["agent", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_node_is_enrolled_and_told_what_comes_next(capsys, tmp_path, token):
    code, out, _ = answer(capsys, "enrol", token, "--home", tmp_path, "--label", "role=shop")
    assert code == 0
    assert "node till-7 of project shops" in out
    assert "segue agent install" in out
    assert "it will believe the first one that the hub shows" in out
    code, _, err = answer(capsys, "enrol", token, "--home", tmp_path)
    assert code == 1
    assert "--force" in err


def test_enrolment_answers_programs(capsys, tmp_path, token):
    code, out, _ = answer(capsys, "enrol", token, "--home", tmp_path, "--json")
    assert code == 0
    assert json.loads(out)["enrolled"]["labels"] == {"by": "token"}


def test_a_token_can_come_from_a_pipe(tmp_path, token):
    command = [sys.executable, "-m", "segue", "agent", "enrol", "-", "--home", tmp_path]
    done = subprocess.run(command, input=f"{token}\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["enrol", "nonsense"], 1, "no enrolment token"),
        (["enrol", "x", "--label", "role"], 1, "no enrolment token"),
        (["run"], 1, "not enrolled"),
        (["status"], 1, "no agent has run"),
    ],
)
def test_mistakes_are_told_with_the_next_move(capsys, tmp_path, arguments, code, told):
    found = answer(capsys, *arguments, "--home", tmp_path)
    assert found[0] == code
    assert told in found[2]
    assert "hint" in found[2] or "segue" in found[2]


def test_labels_have_a_form(capsys, tmp_path, token):
    code, _, err = answer(capsys, "enrol", token, "--home", tmp_path, "--label", "role")
    assert code == 2
    assert "NAME=VALUE" in err


def write_status(home, **changed):
    status = {
        "applied": 4,
        "desired": 5,
        "failed": 5,
        "healthy": True,
        "unsent": 1200,
        "lag": 7.2,
        "spool_bytes": 5,
        "spool_cap": 10,
        "clock_quality": "stepped",
        "memory": 2**26,
        "rows": {"clean": 12},
        "rejects": {"clean": 3},
        "error": "step clean: too hot",
        "alerts": ["spool damaged"],
    }
    told = {
        "node": "till-7",
        "hub": "https://hub",
        "pid": os.getpid(),
        "worker": 1,
        "steady": read_steady(),
        "linked": False,
        "link_error": "no route",
        "sent_rows": 99,
        "requests": 1,
        "status": status,
        **changed,
    }
    (home / "status.json").write_text(json.dumps(told))


def test_a_status_is_shown_whole(capsys, tmp_path):
    write_status(tmp_path)
    code, out, _ = answer(capsys, "status", "--home", tmp_path)
    assert code == 0
    shown = " ".join(out.split())
    for part in (
        "does not answer: no route",
        "4, healthy; 5 was given up",
        "1,200 rows, the oldest 7 s old",
        "stepped",
        "step clean: too hot",
        "spool damaged",
        "rejects of clean 3",
        "64 MiB",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("changed", "running"),
    [({}, True), ({"steady": read_steady() - 3600}, False), ({"pid": 2**22 + 1}, False)],
)
def test_a_status_says_whether_the_agent_runs_now(capsys, tmp_path, changed, running):
    write_status(tmp_path, **changed)
    _, out, _ = answer(capsys, "status", "--home", tmp_path, "--json")
    assert json.loads(out)["running"] is running


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pid": "x", "steady": 1}'])
def test_a_damaged_status_is_an_error(capsys, tmp_path, content):
    (tmp_path / "status.json").write_text(content)
    code, _, err = answer(capsys, "status", "--home", tmp_path)
    assert code == 1
    assert "can't be read" in err


def test_a_unit_file_is_written_and_what_comes_next_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    code, out, _ = answer(capsys, "install", "--user", "--home", "/srv/a b%c")
    assert code == 0
    assert "systemctl --user daemon-reload" in out
    unit = (tmp_path / "systemd" / "user" / "segue-agent.service").read_text()
    assert "agent run --home '/srv/a b%%c'" in unit
    assert "ProtectSystem" not in unit
    assert "WantedBy=default.target" in unit


def test_a_unit_file_of_the_machine_takes_rights_away(capsys):
    code, out, _ = answer(capsys, "install", "--print", "--home", "/srv/segue")
    assert code == 0
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        'ReadWritePaths="/srv/segue"',
        "Restart=always",
        "WantedBy=multi-user.target",
    ):
        assert line in out.splitlines()
    assert "network-online.target" not in "".join(
        line for line in out.splitlines() if line.startswith("After=")
    )


def test_the_supervisor_loads_the_standard_library_and_cryptography_only():
    code = "import segue.agent.supervise, sys; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_what_to_type_next_names_a_home_that_is_not_the_usual(capsys, tmp_path, token):
    _, out, _ = answer(capsys, "enrol", token, "--home", tmp_path / "a b")
    assert f"segue agent run --home '{tmp_path / 'a b'}'" in out


def test_a_service_of_a_machine_that_is_no_node_is_told_what_is_missing(
    capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    home = tmp_path / "home"
    code, out, _ = answer(capsys, "install", "--user", "--home", home)
    assert code == 0
    assert f"segue agent enrol TOKEN --home {home}" in out
    assert f"segue agent status --home {home}" in out


def test_a_hub_that_refuses_is_shown_with_the_way_out(capsys, tmp_path):
    refusal = {"link_error": "no node has this key", "link_hint": "segue agent enrol TOKEN --force"}
    write_status(tmp_path, linked=True, **refusal)
    shown = " ".join(answer(capsys, "status", "--home", tmp_path)[1].split())
    assert "refuses: no node has this key" in shown
    assert "segue agent enrol TOKEN --force" in shown


def test_a_destination_that_is_down_is_shown_with_what_waits_for_it(capsys, tmp_path):
    write_status(tmp_path)
    told = json.loads((tmp_path / "status.json").read_text())
    down = {"name": "base", "kind": "postgres", "unsent": 600, "refused": 0, "error": "no route"}
    told["status"]["destinations"] = [down]
    (tmp_path / "status.json").write_text(json.dumps(told))
    shown = " ".join(answer(capsys, "status", "--home", tmp_path)[1].split())
    assert "to base 600 rows unsent: no route" in shown


def test_nothing_unsent_is_said_so(capsys, tmp_path):
    write_status(tmp_path)
    told = json.loads((tmp_path / "status.json").read_text())
    told["status"]["unsent"] = 0
    (tmp_path / "status.json").write_text(json.dumps(told))
    _, out, _ = answer(capsys, "status", "--home", tmp_path)
    assert "nothing" in out
    assert "oldest" not in out


def test_a_new_key_is_told_to_whoever_runs_the_agent_with_the_old_one(capsys, tmp_path, token):
    from segue.agent.homes import hold_home

    tmp_path.joinpath("home").mkdir()
    with hold_home(tmp_path / "home"):
        code, out, _ = answer(capsys, "enrol", token, "--home", tmp_path / "home")
    assert code == 0
    assert "systemctl restart segue-agent" in out
    assert "segue agent run" not in out
