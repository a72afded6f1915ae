"""Values of sensitive columns: in the data and its rejects, and nowhere else that is written."""

import sqlite3

import pytest

from segue.cli.main import run_command
from tests.flow.building import TOML, lines, source

CANARY = "hunter2canary"
NUMBER = 73917391
"""A number that is as telling; it stands in no message by chance."""

BROKEN = """
    mail:
      sensitive: true
      required: true
      unique: true
      matches: '.+@.+'
      in: [a@b.c, d@e.f]
      length: {max: 5}
      format: email
      references: known.mail
    pin: {sensitive: true, between: [0, 9999], sum: {between: [0, 10]}, max: {between: [0, 9]},
          sign: negative, increasing: true}
"""
TABLE_CHECKS = """
  checks:
    - {name: by mail, rule: id < 0, by: mail}
    - {name: some, rule: "mail like 'z%'", where: pin > 0}
    - {name: crash, rule: "mail::int > 0"}
    - {name: text, metric: max(mail), between: [0, 1]}
    - {name: none, sql: "select count(*) from made where mail is not null", equals: 0}
"""
ROWS = lines(
    "id,mail,pin",
    f"1,{CANARY},{NUMBER}",
    f"2,{CANARY},{NUMBER}",
    *(f"{number},{CANARY}{number},5" for number in range(3, 60)),
)
KNOWN = lines("mail", "a@b.c")


@pytest.fixture
def guarded(make_project, capfd):
    """Return a maker of projects, and of what was said since."""

    def make(*, rejects=False):
        contract = f"made:\n  columns:{BROKEN}"
        return make_project(
            {
                "segue.toml": TOML + source("raw", "raw.csv") + source("known", "known.csv"),
                "raw.csv": ROWS,
                "known.csv": KNOWN,
                "steps/made.sql": "select id, mail, pin from raw",
                "contracts.yml": contract
                + (TABLE_CHECKS if not rejects else "")
                + ("  rejects: true\n" if rejects else ""),
            }
        )

    return make


def written(project):
    """Return all texts that a project's runs wrote, but for tables and their logs."""
    project.close()
    lake = project.root / "lake"
    texts = {
        str(path.relative_to(lake)): path.read_bytes()
        for path in [*lake.glob("_runs/*"), *lake.glob("ledger.db*")]
    }
    with sqlite3.connect(lake / "ledger.db") as ledger:
        texts["dump"] = "\n".join(ledger.iterdump()).encode()
    ledger.close()
    return texts


def find_leaks(texts):
    secrets = (CANARY.encode(), str(NUMBER).encode(), str(float(NUMBER)).encode())
    return [name for name, text in texts.items() if any(each in text for each in secrets)]


@pytest.mark.parametrize("rejects", [False, True], ids=["stops", "rejects"])
def test_no_value_is_in_outputs_records_and_the_ledger(guarded, capfd, rejects, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project = guarded(rejects=rejects)
    root = str(project.root)
    run_command(["run", "--project", root])
    run_command(["run", "--project", root, "--json"])
    assert find_leaks(written(project)) == []
    reports = [f"--report={name}={project.root}/{name}" for name in ("junit", "markdown", "html")]
    project.edit("contracts.yml", "made:", "raw:")
    if not rejects:
        project.edit("contracts.yml", "from made", "from raw")
    for more in ([], ["--json"], ["--show-sql"], reports, ["--report", "github"]):
        assert run_command(["check", "raw", "--project", root, *more]) in (0, 1)
    run_command(["show", "last", "--project", root])
    shown = capfd.readouterr()
    texts = {"out": shown.out.encode(), "err": shown.err.encode(), **written(project)}
    texts |= {each: (project.root / each).read_bytes() for each in ("junit", "markdown", "html")}
    assert "16 of 17 checks" in shown.out if not rejects else "11 of 12 checks" in shown.out
    assert "***" in shown.out
    assert find_leaks(texts) == []


def test_no_value_is_in_the_ledger_of_what_was_published(guarded):
    """Statistics of files hold the smallest and the largest value of each column."""
    project = guarded()
    project.write(
        {
            "contracts.yml": "made:\n  columns:\n"
            "    mail: {sensitive: true, required: true, distinct: {min: 1}}\n"
            "    pin: {sensitive: true, between: [0, ~]}\n"
            "    id: {between: [1, 59]}\n"
            "  checks: [{name: each, metric: count(*), by: mail, between: [1, 9], anomaly: true}]\n"
        }
    )
    assert project.run()["made"] == "done"
    assert not any(report.stops for report in project.project.check(force=True))
    assert find_leaks(written(project)) == []
    project.write({"steps/more.sql": "select * from made"})
    assert project.run()["more"] == "done"


def test_no_value_is_told_of_any_data(guarded, capfd, monkeypatch):
    root = guarded().root
    monkeypatch.chdir(root)
    (root / "segue.toml").unlink()
    (root / "steps/made.sql").unlink()
    with sqlite3.connect(root / "shop.db") as database:
        database.execute("create table made (id integer, mail text, pin integer)")
        rows = [line.split(",") for line in ROWS.splitlines()[1:]]
        database.executemany("insert into made values (?, ?, ?)", rows)
        database.execute("create table known as select 'a@b.c' as mail")
    database.close()
    for data in (["made=raw.csv", "known.csv"], ["sqlite:///shop.db", "made", "known"]):
        for more in ([], ["--json"], ["--show-sql"]):
            assert run_command(["check", *data, *more]) == 1
    (root / "contracts.yml").write_text(
        "made:\n  columns: {mail: {sensitive: true}}\nknown:\n"
        "  checks: [{name: strangers, sql: select mail from made}]\n"
    )
    assert run_command(["check", "made=raw.csv", "known.csv"]) == 1
    shown = capfd.readouterr()
    assert "strangers" in shown.out
    assert "***" in shown.out
    assert find_leaks({"out": shown.out.encode(), "err": shown.err.encode()}) == []
