"""Sensitive columns along a graph of steps."""

import os
import subprocess
import sys

import pytest

from segue.declare.discover import declare_project
from segue.spec.sensitive import NONE

TOML = '[project]\nname = "p"\n\n[tables.raw]\npath = "raw.csv"\n'
MARKED = "raw:\n  columns: {Mail: {sensitive: true}}\n"
STEPS = {
    "people": "select id, lower(mail) as mail, count(*) as n from raw group by all",
    "domains": "select split_part(mail, '@', 2) as domain, n from people",
    "totals": "select count(*) as n from domains",
}
PYTHON = """
import pandas as pd
from segue import step

@step
def scored(people: pd.DataFrame, domains: pd.DataFrame) -> pd.DataFrame:
    return people
"""


@pytest.fixture
def declare(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_CACHE", str(tmp_path / "cache"))

    def call(contracts=MARKED, **steps):
        root = tmp_path / "p"
        (root / "steps").mkdir(parents=True, exist_ok=True)
        (root / "segue.toml").write_text(TOML)
        (root / "contracts.yml").write_text(contracts)
        for name, sql in (steps or STEPS).items():
            (root / f"steps/{name}.sql").write_text(sql)
        if not steps:
            (root / "steps/scored.py").write_text(PYTHON)
        return declare_project(root)

    return call


def test_what_is_made_of_a_sensitive_column_is_sensitive(declare):
    project = declare()
    assert project.hidden("raw").why("mail") == ("raw.Mail",)
    assert project.hidden("people").among(["id", "mail", "n"]) == ("mail",)
    assert project.hidden("domains").why("domain") == ("raw.Mail",)
    assert project.hidden("totals") == NONE


def test_a_function_passes_names_on(declare):
    found = declare().hidden("scored")
    assert found.among(["id", "mail", "domain", "score"]) == ("mail", "domain")


def test_a_contract_has_the_last_word(declare):
    ended = "people:\n  columns: {mail: {sensitive: false, required: true}}\n"
    project = declare(MARKED + ended)
    assert not project.hidden("people")
    assert not project.hidden("domains")
    assert not project.contracts["people"].checks[0].sensitive


def test_a_check_of_a_column_that_inherits_hides_values(declare):
    project = declare(MARKED + "domains:\n  columns: {domain: {in: [x]}, n: {between: [0, 1]}}\n")
    assert [check.sensitive for check in project.contracts["domains"].checks] == [True, False]
    assert project.contracts["domains"].sensitive.names == ("domain",)


def test_a_mark_does_not_make_tables_anew(declare):
    more = "domains:\n  columns: {domain: {in: [x]}}\n"
    before = declare(MARKED.replace("true", "false") + more).steps
    after = declare(MARKED + more).steps
    assert {n: s.fingerprint for n, s in before.items()} == {
        n: s.fingerprint for n, s in after.items()
    }


def test_rejects_hide_what_their_table_hides(declare):
    contracts = MARKED + "people:\n  columns: {id: {required: true}}\n  rejects: true\n"
    steps = {**STEPS, "bad": "select mail as m, reject_reasons from people__rejects"}
    found = declare(contracts, **steps)
    assert found.hidden("people__rejects").among(["id", "mail"]) == ("mail",)
    assert found.hidden("bad").among(["m", "reject_reasons"]) == ("m",)


def test_views_and_appended_tables_hide_it_too(declare):
    steps = {
        "seen": "-- segue: {mode: view}\nselect *, upper(mail) as loud from raw",
        "log": "-- segue: {mode: append}\nselect loud, id from seen",
        "kept": "-- segue: {mode: merge, key: [id]}\nselect * from log",
    }
    project = declare(**steps)
    assert project.hidden("seen").among(["id", "mail", "loud"]) == ("mail", "loud")
    assert project.hidden("kept").among(["id", "loud"]) == ("loud",)


@pytest.mark.parametrize("contracts", [MARKED, "raw:\n  columns: {id: {required: true}}\n"])
def test_no_parser_is_loaded_for_what_is_known(declare, contracts):
    root = declare(contracts).root
    code = (
        "import sys, pathlib; from segue.declare.discover import declare_project;"
        "p = declare_project(pathlib.Path(sys.argv[1]));"
        "print(bool(p.hidden('domains')), 'sqlglot' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(root)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert told.stdout.split() == [str("Mail" in contracts), "False"], told.stderr


def test_a_project_without_marks_is_not_followed(declare, tmp_path):
    assert declare("raw:\n  columns: {id: {required: true}}\n").sensitive == {}
    assert not (tmp_path / "cache/sensitive").exists()
