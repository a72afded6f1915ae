"""Values of sensitive columns in tables that are made of theirs: as hidden as in the first."""

import pytest

from segue.cli.main import run_command
from tests.flow.building import TOML, lines, source
from tests.flow.test_sensitive import CANARY, NUMBER, find_leaks, written

ROWS = lines("id,mail,pay", *(f"{n},{CANARY}{n % 7}@b.c,{NUMBER}" for n in range(1, 40)))
MARKED = "raw:\n  columns: {mail: {sensitive: true}, pay: {sensitive: true}}\n"
VIEW = "-- segue: {mode: view}\nselect *, lower(mail) as reach from raw"
SQL = {
    "steps/seen.sql": VIEW,
    "steps/loud.sql": "select id, lower(mail) as m, pay + 0 as p, 1 as one from seen",
    "steps/unnamed.sql": "select id, concat(reach, '') from seen",
    "steps/log.sql": "-- segue: {mode: append}\nselect id, m as address, p from loud",
    "steps/kept.sql": "-- segue: {mode: merge, key: [id]}\nselect id, address, p from log",
}
PYTHON = """
import pandas as pd
from segue import step

@step
def scored(loud: pd.DataFrame) -> pd.DataFrame:
    return loud.assign(score=1)

@step(by="m")
def paired(loud: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    return loud.merge(scored[["id", "score"]], on="id")
"""
CHECKS = """
{table}:
  columns:
    {mail}: {{in: [x], length: {{max: 3}}, unique: true, format: uuid}}
    {pay}: {{between: [0, 9], max: {{between: [0, 9]}}, sum: {{between: [0, 9]}}}}
  checks:
    - {{name: {table} each, metric: count(*), by: {mail}, between: [9, 9]}}
    - {{name: {table} rule, rule: "{mail} < 'a'"}}
    - {{name: {table} text, metric: max({mail}), between: [0, 1]}}
    - {{name: {table} rows, sql: "select * from {table}"}}
"""
TABLES = {
    "seen": ("reach", "pay"),
    "loud": ("m", "p"),
    "log": ("address", "p"),
    "kept": ("address", "p"),
    "scored": ("m", "p"),
    "paired": ("m", "p"),
}


def write_checks(*tables, rejects=False):
    texts = []
    for table in tables:
        mail, pay = TABLES[table]
        text = CHECKS.format(table=table, mail=mail, pay=pay)
        if rejects:
            text = text.partition("  checks:")[0] + "  rejects: true\n"
            text = text.replace(", max: {between: [0, 9]}, sum: {between: [0, 9]}", "")
        texts.append(text)
    return "".join(texts)


@pytest.fixture
def guarded(make_project):
    def make(contracts=""):
        files = {"segue.toml": TOML + source("raw", "raw.csv"), "raw.csv": ROWS, **SQL}
        return make_project(
            {**files, "steps/calls.py": PYTHON, "contracts.yml": MARKED + contracts}
        )

    return make


def look_everywhere(project, capfd, *tables):
    """Return where values are after all was asked that tells of tables."""
    root, texts = str(project.root), {}
    reports = [f"--report={name}={root}/{name}" for name in ("junit", "markdown", "html", "json")]
    for more in (["--json"], ["--show-sql", "--force"], reports, ["--report", "github"]):
        run_command(["check", "--project", root, *more])
    for table in tables:
        page = f"{root}/{table}.html"
        run_command(["profile", table, "--project", root, f"--html={page}"])
        run_command(["profile", table, "--project", root, "--json"])
        run_command(["suggest", table, "--project", root])
        run_command(["show", table, "--project", root])
        run_command(["checks", "history", table, "--project", root])
    run_command(["show", "last", "--project", root])
    texts |= {path.name: path.read_bytes() for path in project.root.glob("*.html")}
    for name in ("junit", "markdown", "html", "json"):
        if (project.root / name).exists():
            texts[name] = (project.root / name).read_bytes()
    shown = capfd.readouterr()
    texts |= {"out": shown.out.encode(), "err": shown.err.encode()}
    return find_leaks(texts | written(project)), shown.out + shown.err


@pytest.mark.parametrize("table", [*TABLES])
def test_a_contract_that_marks_nothing_shows_no_value(guarded, capfd, monkeypatch, table):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project = guarded(write_checks(table))
    root = str(project.root)
    assert run_command(["run", "--project", root]) == 1
    project.write({"contracts.yml": MARKED})
    assert run_command(["run", "--project", root]) == 0
    project.write({"contracts.yml": MARKED + write_checks(table)})
    leaks, said = look_everywhere(project, capfd, table)
    assert leaks == []
    assert "***" in said
    assert f"{table} rule" in said


@pytest.mark.parametrize("table", ["loud", "log", "scored", "paired"])
def test_rejects_are_told_without_values_and_hold_them(guarded, capfd, table):
    project = guarded(write_checks(table, rejects=True))
    assert run_command(["run", f"+{table}", "--project", str(project.root)]) == 0
    leaks, said = look_everywhere(project, capfd, table, f"{table}__rejects")
    assert leaks == []
    assert "***" in said
    rows = project.project.read(f"{table}__rejects", "rows")
    assert CANARY in str(rows)


def test_tables_without_a_contract_leave_no_bounds_in_the_ledger(guarded, capfd):
    project = guarded()
    assert run_command(["run", "--project", str(project.root)]) == 0
    leaks, said = look_everywhere(project, capfd, *TABLES, "unnamed")
    assert leaks == []
    assert "kept out: sensitive" in said
    assert CANARY in str(project.project.read("unnamed", "rows"))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("steps/bad.sql", "select m::int as n from loud"),
        ("steps/bad.sql", "select address::int as n from kept"),
        ("steps/bad.sql", "-- segue: {mode: merge, key: [m]}\nselect m, id from loud"),
        ("steps/bad.py", "raise ValueError(loud.m[0])"),
        ("steps/bad.py", "return loud.assign(one=loud.m)"),
    ],
)
def test_errors_on_values_of_made_tables_do_not_quote_them(guarded, capfd, name, body):
    if name.endswith("py"):
        options = "schema='one: int64'" if "return" in body else ""
        body = PYTHON.partition("@step")[0] + (
            f"@step({options})\ndef bad(loud: pd.DataFrame) -> pd.DataFrame:\n    {body}\n"
        )
    project = guarded().write({name: body})
    assert run_command(["run", "--project", str(project.root)]) == 1
    leaks, said = look_everywhere(project, capfd)
    assert leaks == []
    assert "sensitive" in said or "***" in said


def test_a_mark_that_says_no_ends_it(guarded, capfd):
    project = guarded(
        "loud:\n  columns: {m: {sensitive: false}, p: {sensitive: false, between: [0, 9]}}\n"
    )
    assert run_command(["run", "--project", str(project.root)]) == 1
    assert str(NUMBER) in capfd.readouterr().out
