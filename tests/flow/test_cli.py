"""Every command on a real project: what it says to people and to programs, and its exit code."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segue.cli.main import run_command


@pytest.fixture
def ask(capsys):
    """Run a command: exit code, answer, news."""

    def run(*arguments):
        capsys.readouterr()
        code = run_command(arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def ask_json(ask):
    def run(*arguments):
        code, out, _ = ask(*arguments, "--json")
        return code, json.loads(out)

    return run


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_plan_says_why(shop, ask, ask_json):
    code, out, _ = ask("plan")
    assert code == 0
    assert "up to date" in out
    replace(shop / "steps" / "daily.sql", "round(sum(gross), 2)", "sum(gross)")
    code, out, _ = ask("plan")
    assert "code changed" in out
    assert "segue run" in out
    code, document = ask_json("plan", "daily")
    assert code == 0
    assert {step["step"]: step["action"] for step in document["steps"]}["daily"] == "run"


def test_second_run_has_nothing_to_do_and_says_why(shop, ask, ask_json):
    code, out, _ = ask("run")
    assert code == 0
    assert out.startswith("Nothing to do: 2 steps are up to date.")
    assert "unchanged" in out
    code, document = ask_json("run")
    assert (code, document["run_id"], document["status"]) == (0, None, "done")


def test_run_tells_what_became_of_every_row(shop, ask):
    code, out, err = ask("run", "--force", "--threads", "1", "--memory", "500MB")
    assert (code, err) == (0, "")
    assert "✓ orders" in out
    assert "3 set aside in orders__rejects" in out
    assert "segue show last" in out
    record = next(line for line in out.splitlines() if line.startswith("Record: "))
    assert json.loads(Path(record.removeprefix("Record: ")).read_text())["status"] == "done"


def test_setting_for_one_run(shop, ask_json):
    code, document = ask_json("run", "-p", "orders.tax=0")
    assert code == 0
    orders = next(step for step in document["steps"] if step["step"] == "orders")
    assert "parameter changed" in orders["reasons"][0]
    _, out = ask_json_lines("query", "select count(*) as n from orders where gross <> amount")
    assert out == [{"n": 0}]


def ask_json_lines(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "segue", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_failing_step_shows_the_users_line_and_rows(shop, ask, ask_json):
    replace(shop / "steps" / "orders.py", 'order["amount"] *', 'order["amuont"] *')
    code, out, _ = ask("run")
    assert code == 1
    assert "amuont" in out
    assert "steps/orders.py:" in out
    assert "published nothing" in out
    assert "src/segue" not in out
    code, document = ask_json("run")
    assert code == 1
    assert document["status"] == "failed"
    assert document["error"]["code"] == "step-failed"
    assert ask("read", "daily")[0] == 0


def test_broken_contract_shows_check_and_rows(shop, ask):
    replace(shop / "contracts.yml", "  rejects: true", "  rejects: false")
    code, out, _ = ask("run")
    assert code == 1
    assert "amount" in out
    assert "rows that break" in out
    assert "published nothing" in out


def test_broken_project_lists_all_problems(shop, ask, ask_json):
    replace(shop / "steps" / "daily.sql", "from orders", "from ordrs")
    (shop / "steps" / "other.sql").write_text("select from where")
    code, out, err = ask("plan")
    assert (code, out) == (2, "")
    assert "steps/daily.sql" in err
    assert "did you mean 'orders'" in err
    assert "steps/other.sql" in err
    code, document = ask_json("plan")
    assert code == 2
    assert document["error"]["code"] == "project-invalid"
    assert len(document["error"]["problems"]) >= 2


def test_check(shop, ask, ask_json):
    code, out, _ = ask("check")
    assert code == 0
    assert "pass" in out
    code, document = ask_json("check", "daily")
    assert (code, document["verdict"]) == (0, "pass")
    assert [table["table"] for table in document["tables"]] == ["daily"]
    replace(shop / "contracts.yml", "between: [0, 1000]", "between: [0, 5]")
    code, out, _ = ask("check", "orders")
    assert code == 1
    assert "fail" in out
    assert "rows that break" in out
    assert ask_json("check", "orders")[1]["verdict"] == "fail"


def test_read_and_query(shop, ask):
    code, out, _ = ask("read", "daily")
    assert code == 0
    assert "order_count" in out
    assert "the first 20 rows" in out
    code, out, _ = ask("read", "daily", "--csv")
    header, *rows = out.splitlines()
    assert header == "store,day,order_count,gross"
    assert len(rows) > 20
    _, out, _ = ask("query", "select count(*) as n from daily", "--csv")
    assert out == f"n\n{len(rows)}\n"
    _, out, _ = ask("read", "daily", "--json", "--limit", "2")
    assert [set(json.loads(line)) for line in out.splitlines()] == [set(header.split(","))] * 2
    _, out, _ = ask("read", "daily", "--snapshot", "1", "--all", "--csv")
    assert len(out.splitlines()) == len(rows) + 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("read", "dayly"),
        ("query", "select * from dayly"),
        ("query", "select nothing from daily"),
        ("query", "selekt 1"),
        ("read", "daily", "--snapshot", "99"),
        ("show", "dayly"),
        ("lineage", "dayly"),
        ("lineage", "daily.nothing"),
        ("check", "dayly"),
        ("plan", "dayly"),
        ("run", "dayly"),
        ("run", "--since", "yesteryear"),
        ("run", "-p", "orders.taxes=1"),
        ("run", "-p", "order.tax=1"),
    ],
    ids=" ".join,
)
def test_wrong_names_end_with_2_and_a_hint(shop, ask, arguments):
    code, out, err = ask(*arguments)
    assert (code, out) == (2, ""), err
    assert err.startswith("Error: ")
    assert "hint: " in err
    assert "Traceback" not in err


def test_tables(shop, ask, ask_json):
    code, out, _ = ask("tables")
    assert code == 0
    assert "One row per order" in out
    _, document = ask_json("tables")
    tables = {table["name"]: table for table in document["tables"]}
    assert {name: table["kind"] for name, table in tables.items()} == {
        "raw_orders": "source",
        "orders": "table",
        "daily": "table",
        "orders__rejects": "rejects",
    }
    assert tables["orders__rejects"]["rows"] == 3
    assert tables["daily"]["columns"][0]["name"] == "store"


def test_show_table(shop, ask, ask_json):
    code, out, _ = ask("show", "orders")
    assert code == 0
    assert "steps/orders.py" in out
    assert "raw_orders" in out
    _, document = ask_json("show", "orders")
    assert document["reads"] == ["raw_orders"]
    assert document["read_by"] == ["daily"]
    assert document["versions"][0]["number"] == 1
    assert "between" in {check["kind"] for check in document["contract"]["checks"]}
    _, document = ask_json("show", "raw_orders")
    assert document["path"] == "data/orders.csv"


def test_show_run_and_runs(shop, ask, ask_json):
    _, document = ask_json("runs")
    run_id = document["runs"][0]["run_id"]
    assert document["runs"][0]["status"] == "done"
    assert run_id in ask("runs")[1]
    code, out, _ = ask("show", "last")
    assert code == 0
    assert run_id in out
    assert ask_json("show", run_id[:12])[1]["run_id"] == run_id


def test_failed_run_is_shown_again(shop, ask):
    replace(shop / "steps" / "orders.py", 'order["amount"] *', 'order["amuont"] *')
    ask("run")
    code, out, _ = ask("show", "last")
    assert code == 0
    assert "amuont" in out
    assert "failed" in ask("runs")[1]


def test_lineage(shop, ask, ask_json, tmp_path):
    assert "raw_orders" in ask("lineage")[1]
    assert "goes into" in ask("lineage", "orders")[1]
    assert "orders.gross" in ask("lineage", "daily.gross")[1]
    assert ask("lineage", "--mermaid")[1].startswith("flowchart")
    assert ask("lineage", "daily", "--svg", str(tmp_path / "a.svg"))[0] == 0
    assert "<svg" in (tmp_path / "a.svg").read_text()
    _, document = ask_json("lineage")
    assert {"start": "orders", "end": "daily", "how": "reads"} in document["edges"]
    assert ask("lineage", "--mermaid", "--json")[0] == 2


def test_recover_and_vacuum_with_nothing_to_do(shop, ask, ask_json):
    code, out, _ = ask("recover")
    assert code == 0
    assert "Nothing" in out
    assert ask_json("recover") == (0, {"recovered": []})
    code, out, _ = ask("vacuum", "--dry-run")
    assert code == 0
    assert ask_json("vacuum")[0] == 0


def test_vacuum_says_what_it_removed(shop, ask, ask_json):
    for _ in range(3):
        replace_all(shop)
        assert ask("run")[0] == 0
    _, planned = ask_json("vacuum", "--keep", "1", "--dry-run")
    _, done = ask_json("vacuum", "--keep", "1")
    assert planned["files"] == done["files"] > 0
    assert ask_json("vacuum", "--keep", "1")[1]["files"] == 0
    assert ask("read", "daily")[0] == 0


def replace_all(shop):
    path = shop / "data" / "orders.csv"
    path.write_text(
        path.read_text()
        + "9001,north,2026-03-20,10.00,paid\n".replace("9001", str(9001 + len(path.read_text())))
    )


def test_doctor(shop, ask, ask_json):
    code, document = ask_json("doctor")
    verdicts = {each["name"]: each["verdict"] for each in document["findings"]}
    assert verdicts["project"] == verdicts["lake"] == verdicts["ledger"] == "ok"
    assert code == 0
    replace(shop / "segue.toml", "[project]", "[projekt]")
    code, out, _ = ask("doctor")
    assert code == 1
    assert "next: " in out


def test_doctor_without_a_project(tmp_path, monkeypatch, ask_json):
    monkeypatch.chdir(tmp_path)
    code, document = ask_json("doctor")
    assert code == 0
    assert {each["name"]: each["verdict"] for each in document["findings"]}["project"] == "warn"


def test_project_is_found_upwards_and_by_name(shop, ask, monkeypatch):
    monkeypatch.chdir(shop / "steps")
    assert ask("tables")[0] == 0
    monkeypatch.chdir(shop.parent)
    assert ask("tables")[0] == 2
    assert ask("tables", "--project", "shop")[0] == 0
    assert ask("tables", "--project", "shop/segue.toml")[0] == 0
    assert ask("tables", "--project", "nowhere")[0] == 2


def test_interrupt_ends_a_run_with_130_and_one_line(shop):
    (shop / "steps" / "ready.py").write_text(
        "from segue import step\n\n\n"
        "@step\n"
        "def ready(daily: list[dict]) -> list[dict]:\n"
        "    open('news', 'w').close()\n"
        "    return daily\n"
    )
    (shop / "steps" / "endless.sql").write_text(
        "select count(*) as n from ready, range(100000000000000) where hash(range) = 1"
    )
    os.mkfifo(shop / "news")
    process = subprocess.Popen(
        [sys.executable, "-m", "segue", "run", "+endless"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    (shop / "news").open().close()  # waits until the step is there
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.count("\n") == 1
    assert err.startswith("Interrupted")


def test_a_run_of_functions_without_tables_says_so(shop, ask):
    (shop / "steps" / "told.py").write_text(
        "from segue import step\n\n\n@step\ndef told() -> None:\n    pass\n"
    )
    code, out, _ = ask("run", "told")
    assert code == 0
    assert "functions that make no table" in out
