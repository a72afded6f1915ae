"""``segue check postgresql://...``: checks run in the database, and no password is said."""

import json
from urllib.parse import quote

import pytest

import segue
from segue.cli.main import run_command
from tests.live_postgres import PASSWORD

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(300)]

CONTRACT = """
orders:
  columns:
    id: {unique: true}
    amount: {between: [0, 100]}
    store: {in: [north, south], references: stores.name}
"""
FAILS = {"id unique": 2, "amount between": 1, "store in": 1, "store references": 1}
STATEMENTS = (
    "create table orders (id bigint, amount numeric(10,2), store text)",
    "insert into orders values (1,10.5,'north'),(2,-3,'south'),(3,7,'nroth'),(3,8,'north')",
    "create table stores (name text)",
    "insert into stores values ('north'), ('south')",
    "create schema old",
    "create table old.orders as select * from orders where id = 1",
)


@pytest.fixture(scope="module")
def address(live_postgres):
    database = live_postgres.make_database()
    live_postgres.run(STATEMENTS, database)
    return live_postgres.address(database)


@pytest.fixture
def ask(capsys, tmp_path, monkeypatch):
    """Run a command in a folder with contracts: exit code, failing rows by check, all it said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contracts.yml").write_text(CONTRACT)
    (tmp_path / "stores.csv").write_text("name\nnorth\nsouth\n")

    def run(*arguments):
        capsys.readouterr()
        code = run_command(["check", *arguments, "--json"])
        shown = capsys.readouterr()
        tables = json.loads(shown.out).get("tables", [])
        failing = {each["check"]: each["failing"] for table in tables for each in table["checks"]}
        said = shown.out + shown.err
        assert PASSWORD not in said
        assert quote(PASSWORD, safe="") not in said
        return code, failing, said

    return run


@pytest.mark.parametrize(
    "data",
    [
        ["public.orders", "stores"],
        ["orders", "public.stores"],
        ["stores", "--sql", "select * from orders", "--table", "orders"],
        ["orders", "stores=stores.csv"],
    ],
    ids=" ".join,
)
def test_tables_and_queries_of_the_database(address, ask, data):
    place = data[:-1] if "stores.csv" in data[-1] else data
    rest = data[-1:] if "stores.csv" in data[-1] else []
    code, failing, _ = ask(*rest, address, *place)
    assert (code, failing) == (1, FAILS)


def test_schemas_and_connections(address, ask, tmp_path, monkeypatch):
    code, failing, _ = ask(address, "old.orders", "stores")
    assert (code, set(failing.values())) == (0, {0})
    monkeypatch.setenv("PASSWORD_OF_TEST", quote(PASSWORD, safe=""))
    hidden = address.replace(quote(PASSWORD, safe=""), "${PASSWORD_OF_TEST}")
    (tmp_path / "segue.toml").write_text(f'[connections.crm]\nurl = "{hidden}"\n')
    code, failing, _ = ask("crm", "orders", "stores")
    assert (code, failing) == (1, FAILS)


def test_mistakes(address, ask):
    code, _, said = ask(address, "ordrs", "stores", "--table", "orders")
    assert code in (1, 2)
    assert "ordrs" in said
    assert "Traceback" not in said
    wrong = address.replace(quote(PASSWORD, safe=""), "no-such-password")
    code, _, said = ask(wrong, "orders", "stores")
    assert code == 1
    assert "no-such-password" not in said


def test_python(address):
    contract = {"columns": {"id": {"unique": True}}}
    sign = "?table=public.orders"
    for data, on in [(address + sign, None), ("public.orders", address), ("from orders", address)]:
        (found,) = segue.check(data, contract, on=on).measurements
        assert (str(found.verdict), found.failing) == ("fail", 2)


def test_a_project_reads_its_tables(address, ask, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM", address)
    (tmp_path / "segue.toml").write_text(
        '[project]\nname = "p"\n\n[connections.crm]\nurl = "${CRM}"\n\n'
        '[tables.orders]\nconnection = "crm"\ntable = "public.orders"\n\n'
        '[tables.stores]\nconnection = "crm"\nquery = "select name from stores"\n'
    )
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/sums.sql").write_text(
        "select store, sum(amount) as n from orders group by 1"
    )
    code, failing, _ = ask()
    assert (code, failing) == (1, FAILS)
    (tmp_path / "contracts.yml").write_text("sums:\n  rows: {min: 3, max: 3}\n")
    assert run_command(["run", "--project", str(tmp_path), "--json"]) == 0
    assert ask()[0] == 0
    written = [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]
    assert not [path for path in written if quote(PASSWORD, safe="").encode() in path.read_bytes()]


def test_values_of_sensitive_columns_are_told_nowhere(live_postgres, ask, tmp_path, capsys):
    database = live_postgres.make_database()
    values = ", ".join(f"({number}, 'canary{number % 7}')" for number in range(40))
    live_postgres.run(
        ("create table made (id int, mail text)", f"insert into made values {values}"), database
    )
    (tmp_path / "contracts.yml").write_text(
        "made:\n  columns:\n"
        "    mail: {sensitive: true, unique: true, matches: '.+@.+', length: {max: 3}, in: [a]}\n"
        "  checks:\n"
        '    - {name: crash, rule: "mail::int > 0"}\n'
        "    - {name: by mail, rule: id < 0, by: mail}\n"
        '    - {name: text, metric: max(mail), equals: "x"}\n'
        '    - {name: found, sql: "select mail from made where id > 3"}\n'
    )
    code, failing, said = ask(live_postgres.address(database), "made")
    assert code == 1
    assert len(failing) == 8
    assert "canary" not in said
    for more in (["--show-sql"], ["--report", "markdown"], ["--report", "github"]):
        assert run_command(["check", live_postgres.address(database), "made", *more]) == 1
    shown = capsys.readouterr()
    assert "***" in shown.out
    assert "canary" not in shown.out + shown.err
