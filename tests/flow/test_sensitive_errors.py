"""What fails on values of sensitive columns says so without them."""

import pytest

import segue
from segue.cli.main import run_command
from tests.flow.building import TOML, lines, source
from tests.flow.test_sensitive import CANARY, find_leaks, written

RAW = lines("id,mail", f"1,{CANARY}", "2,x")
MARKED = "raw:\n  columns: {mail: {sensitive: true}}\n"
MADE = "made:\n  columns: {mail: {sensitive: true}}\n"
PYTHON = """
import pandas as pd
from segue import step

@step({options})
def made(raw: pd.DataFrame) -> pd.DataFrame:
    {body}
"""


def fail(project, capfd, *, kept):
    """Let a run fail, and look for values in all that it says and writes."""
    assert run_command(["run", "--project", str(project.root)]) == 1
    assert run_command(["runs", "--project", str(project.root)]) == 0
    shown = capfd.readouterr()
    texts = {"out": shown.out.encode(), "err": shown.err.encode(), **written(project)}
    assert find_leaks(texts) == []
    assert kept in shown.out + shown.err


@pytest.mark.parametrize("contract", [MARKED, MADE], ids=["source", "step"])
def test_a_query_that_fails_on_a_value_does_not_quote_it(make_project, capfd, contract):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": RAW,
            "steps/made.sql": "select id, mail::int as mail from raw",
            "contracts.yml": contract,
        }
    )
    fail(project, capfd, kept="not shown (sensitive columns)")


@pytest.mark.parametrize(
    ("options", "body", "kept"),
    [
        ("", "raise ValueError('bad ' + raw.mail[0])", "made.py:7"),
        ("by='mail'", "raise KeyError(raw.mail.iloc[0])", "group: ***"),
        ("timeout=60", "raise RuntimeError(raw.mail[0])", "RuntimeError"),
        ("schema='mail: int64'", "return raw[['mail']]", "row 1 holds a value that is not shown"),
    ],
    ids=["raises", "group", "process", "type"],
)
def test_a_function_that_fails_on_a_value_does_not_quote_it(
    make_project, capfd, options, body, kept
):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": RAW,
            "steps/made.py": PYTHON.format(options=options, body=body),
            "contracts.yml": MARKED,
        }
    )
    fail(project, capfd, kept=kept)


def test_what_is_raised_about_names_in_code_is_told(make_project, capfd):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": RAW,
            "steps/made.py": PYTHON.format(options="", body="return raw.mial"),
            "contracts.yml": MARKED,
        }
    )
    fail(project, capfd, kept="no attribute 'mial'")


@pytest.mark.parametrize(
    ("row", "types"),
    [(f"3,{CANARY},4", ""), ("3,x", "types = {mail = 'int64'}\n")],
    ids=["fields", "type"],
)
def test_a_line_that_can_not_be_read_is_not_quoted(make_project, capfd, row, types):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv") + types,
            "raw.csv": RAW + lines(row),
            "steps/made.sql": "select id, mail from raw",
            "contracts.yml": MARKED,
        }
    )
    fail(project, capfd, kept="raw.csv:")


def test_a_line_of_any_data_is_not_quoted(tmp_path, capfd):
    (tmp_path / "raw.csv").write_text(RAW + lines(f"3,{CANARY},4"))
    contract = tmp_path / "contracts.yml"
    contract.write_text(MARKED.replace("true}", "true, required: true}"))
    assert run_command(["check", f"{tmp_path}/raw.csv"]) == 1
    with pytest.raises(segue.SegueError, match=r"raw\.csv:4: the line can't be read") as caught:
        segue.check(f"{tmp_path}/raw.csv", contract)
    shown = capfd.readouterr()
    texts = {"out": shown.out, "err": shown.err, "python": str(caught.value)}
    assert find_leaks({name: text.encode() for name, text in texts.items()}) == []
    assert "raw.csv:4" in shown.err
