"""``segue check DATA``: files, folders, databases and queries, on a machine without a project."""

import json
import sqlite3

import pytest

import segue
from segue.cli.main import run_command
from segue.errors import SourceError, UsageError
from segue.spec.contract import Verdict

ORDERS = "id,amount,store\n1,10.5,north\n2,-3,south\n3,7,nroth\n3,8,north\n"
CONTRACT = """
orders:
  columns:
    id: {unique: true}
    amount: {between: [0, 100]}
    store: {in: [north, south]}
"""
FAILS = {"id unique": "fail", "amount between": "fail", "store in": "fail"}
SECRET = "hunter2-canary"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file, the same rows in a database, and a contract; the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/orders.csv").write_text(ORDERS)
    (tmp_path / "contracts.yml").write_text(CONTRACT)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table orders (id integer, amount real, store text)")
        rows = [line.split(",") for line in ORDERS.splitlines()[1:]]
        database.executemany("insert into orders values (?, ?, ?)", rows)
    database.close()
    return tmp_path


@pytest.fixture
def ask(capsys):
    """Run a command: exit code, what it said as JSON or text, and what it told on the side."""

    def run(*arguments):
        capsys.readouterr()
        code = run_command(["check", *arguments])
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if "--json" in arguments else shown.out, shown.err

    return run


def verdicts(document):
    return {
        check["check"]: check["verdict"]
        for table in document["tables"]
        for check in table["checks"]
    }


def make_parquet(folder):
    segue.query("select * from o", o=str(folder / "in/orders.csv"), returns="pandas").to_parquet(
        folder / "orders.parquet"
    )
    return "orders.parquet"


@pytest.mark.parametrize(
    "data",
    [
        ["in/orders.csv"],
        ["in"],
        ["in/*.csv"],
        ["sqlite:///shop.db", "orders"],
        ["sqlite:///shop.db", "main.orders"],
        ["sqlite:///shop.db?table=orders"],
        ["shop.db", "orders"],
        ["sqlite:///shop.db"],
        ["sqlite:///shop.db", "--sql", "select * from orders"],
        ["--sql", "select * from 'in/orders.csv'"],
        ["--sql", "with o as (from 'in/*.csv') select * from o"],
        ["x=in/orders.csv", "--sql", "select * from x"],
    ],
    ids=" ".join,
)
def test_the_same_rows_wherever_they_are(folder, ask, data):
    code, document, _ = ask(*data, "--json")
    assert (code, verdicts(document)) == (1, FAILS)
    assert document["verdict"] == "fail"


def test_parquet_and_delta(folder, ask):
    import deltalake

    path = make_parquet(folder)
    deltalake.write_deltalake(folder / "table", segue.query("from o", o=path, returns="arrow"))
    for data in (path, "table"):
        code, document, _ = ask(data, "--json")
        assert (code, verdicts(document)) == (1, FAILS)


def test_exit_codes(folder, ask):
    assert ask("in/orders.csv", "--select", "id *")[0] == 1
    (folder / "contracts.yml").write_text("rows: {min: 1}\n")
    assert ask("in/orders.csv")[0] == 0
    (folder / "contracts.yml").write_text("orders:\n  columns:\n    id: {uniqe: true}\n")
    code, _, told = ask("in/orders.csv")
    assert code == 2
    assert "contracts.yml:3" in told
    assert "did you mean 'unique'?" in told


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ([], "name the data", "segue check orders.csv"),
        (["in/orders.csv", "--contract", "no.yml"], "no.yml", ""),
        (["in/orders.csv", "--table", "ordrs"], "no contract called 'ordrs'", "it has: orders"),
        (["in/orders.csv", "--select", "uniq"], "no check is called 'uniq'", "id unique"),
        (["in/order.csv"], "no file or folder in/order.csv", "did you mean 'in/orders.csv'?"),
        (["in/x*.csv"], "no file matches in/x*.csv", ""),
        (["s3://bucket/orders.csv"], "behind addresses", "local folder"),
        (["sqlite:///shop.db", "ordrs"], "no table 'ordrs'", "'orders'"),
        (["sqlite:///none.db", "orders"], "no database file none.db", "sqlite:///"),
        (["nosql://db/x", "orders"], "no database is known", "postgresql://"),
        (["in/orders.csv", "in/orders.csv"], "two of the data", "other_orders="),
        (["in/orders.csv", "--sql", "from orders"], "is called 'orders', as the", "raw=in/orders"),
        (["--sql", "select * fro m"], "", ""),
        (["sqlite:///shop.db", "--sql", "drop table orders"], "not a SELECT", ""),
    ],
)
def test_mistakes(folder, ask, arguments, message, hint):
    code, _, told = ask(*arguments)
    assert code in (1, 2)
    assert message in told
    assert hint in told
    assert "Traceback" not in told
    assert not (folder / "none.db").exists()


def test_no_contract_names_the_next_move(folder, ask):
    (folder / "contracts.yml").unlink()
    code, _, told = ask("in/orders.csv")
    assert code == 2
    assert "segue suggest in/orders.csv > contracts.yml" in told


def test_the_contract_may_lie_beside_the_data_and_be_of_several_tables(folder, ask):
    (folder / "contracts.yml").rename(folder / "in/contracts.yml")
    with (folder / "in/contracts.yml").open("a") as file:
        file.write("stores:\n  columns: {id: {unique: true}}\n")
    code, document, _ = ask("in/orders.csv", "--json")
    assert (code, verdicts(document)) == (1, FAILS)
    (folder / "in/x.csv").write_text("id\n1\n")
    code, _, told = ask("in/x.csv")
    assert (code, "has no contract for 'x'" in told) == (2, True)
    assert ask("in/x.csv", "--table", "stores")[0] == 0


def test_everything_wrong_in_a_contract_is_told_at_once(folder, ask):
    (folder / "contracts.yml").write_text(
        "orders:\n  colums: {}\n  columns:\n    id: {uniqe: true}\n  rows: {min: x}\n"
    )
    code, _, told = ask("in/orders.csv")
    assert code == 2
    for part in ("contracts.yml:2", "contracts.yml:4", "contracts.yml:5", "'columns'", "'unique'"):
        assert part in told


def test_a_contract_without_checks(folder, ask):
    (folder / "contracts.yml").write_text("orders:\n")
    code, _, told = ask("in/orders.csv")
    assert (code, "there are no checks of 'orders'" in told) == (2, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("orders: {colums: {id: {unique: true}}}", "did you mean 'columns'?"),
        ("colums: {id: {unique: true}}", "did you mean 'columns'?"),
        ("orders: {check: [{rule: id > 0}]}", "did you mean 'checks'?"),
        ("orders: {columns: {id: {betwen: [0, 1]}}}\norders: {}", "'orders' comes twice"),
    ],
)
def test_a_misspelled_key_is_told_and_never_a_pass(folder, ask, text, message):
    (folder / "contracts.yml").write_text(text)
    code, _, told = ask("in/orders.csv")
    assert (code, message in told) == (2, True)


def test_other_data_is_named_for_references(folder, ask):
    (folder / "contracts.yml").write_text(
        "orders:\n  columns: {store: {references: stores.name}}\n"
    )
    (folder / "in/stores.csv").write_text("name\nnorth\nsouth\n")
    code, _, told = ask("in/orders.csv")
    assert (code, "name its data as well: stores=PATH" in told) == (2, True)
    for data in ("in/stores.csv", "stores=in/st*.csv"):
        code, document, _ = ask("in/orders.csv", data, "--json")
        assert (code, document["tables"][0]["checks"][0]["failing"]) == (1, 1)


@pytest.mark.parametrize(
    "reference",
    ["columns: {id: {references: stores.nr}}", "references: {table: stores, columns: {id: nr}}"],
)
def test_a_column_that_is_referred_to_and_missing_is_named(folder, ask, reference):
    (folder / "contracts.yml").write_text(f"orders: {{{reference}}}\n")
    (folder / "stores.csv").write_text("num,name\n1,x\n")
    code, document, _ = ask("in/orders.csv", "stores.csv", "--json")
    (found,) = document["tables"][0]["checks"]
    assert (code, found["verdict"]) == (1, "error")
    assert "in stores there is no column called 'nr'" in found["message"]


def test_sql_and_samples_are_shown_or_left_out(folder, ask):
    _, shown, _ = ask("in/orders.csv", "--show-sql", "--select", "between")
    assert "rows that break orders: amount between" in shown
    assert "measured by orders: amount between" in shown
    assert 'filter (where ("amount" is not null' in shown
    _, shown, _ = ask("in/orders.csv", "--no-sample")
    assert "rows that break" not in shown
    _, document, _ = ask("in/orders.csv", "--no-sample", "--json")
    assert [check["sample"] for check in document["tables"][0]["checks"]] == [[], [], []]


def test_connections_are_one_file_and_contracts_another(folder, ask, monkeypatch):
    monkeypatch.setenv("SHOP", "shop")
    toml = '[connections.crm]\nurl = "sqlite:///${SHOP}.db"\n'
    (folder / "segue.toml").write_text(toml)
    assert len(toml.splitlines()) + len(CONTRACT.strip().splitlines()) <= 10
    for data in (["crm"], ["crm", "orders"], ["o=in/orders.csv", "crm", "orders"]):
        code, document, _ = ask(*data, "--json")
        assert (code, verdicts(document)) == (1, FAILS)
    monkeypatch.delenv("SHOP")
    code, _, told = ask("crm", "orders")
    assert (code, "export SHOP=" in told) == (2, True)
    (folder / "segue.toml").write_text('[connections.crm]\nulr = "x"\n')
    code, _, told = ask("crm")
    assert (code, "segue.toml" in told) == (2, True)


def test_a_project_reads_tables_of_connections(folder, ask):
    (folder / "segue.toml").write_text(
        '[project]\nname = "p"\n\n[connections.crm]\nurl = "sqlite:///shop.db"\n\n'
        '[tables.orders]\nconnection = "crm"\ntable = "orders"\n'
    )
    code, document, _ = ask("--json")
    assert (code, verdicts(document)) == (1, FAILS)
    # files beside the project's tables, by the same contracts
    code, document, _ = ask("in/orders.csv", "--json")
    assert (code, verdicts(document)) == (1, FAILS)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://reader:{SECRET}@127.0.0.1:1/db",
        f"postgresql+psycopg2://reader:{SECRET}@127.0.0.1:1/db",
        f"mysql://reader:{SECRET}@127.0.0.1:1/db",
        f"nosql://reader:{SECRET}@127.0.0.1:1/db",
        f"sqlite:///none.db?password={SECRET}",
    ],
)
def test_passwords_stay_out_of_all_that_is_said(folder, ask, address, monkeypatch):
    for arguments in (["orders"], ["--json"], ["--sql", "select 1", "--json"]):
        code, out, told = ask(address, *arguments)
        assert code in (1, 2)
        assert SECRET not in f"{out}{told}"
    monkeypatch.setenv("PASSWORD", SECRET)
    (folder / "segue.toml").write_text(
        f'[connections.crm]\nurl = "{address.replace(SECRET, "${PASSWORD}")}"\n'
    )
    code, out, told = ask("crm", "orders", "--json")
    assert code in (1, 2)
    assert SECRET not in f"{out}{told}"


def test_python_takes_the_same(folder):
    path = folder / "contracts.yml"
    found = {
        data: segue.check(data, path, on=on)
        for data, on in [
            ("in/orders.csv", None),
            ("sqlite:///shop.db?table=orders", None),
            ("orders", "sqlite:///shop.db"),
            ("select * from orders", "sqlite:///shop.db"),
        ]
    }
    for report in found.values():
        assert {each.check: str(each.verdict) for each in report.measurements} == FAILS
    with path.open("a") as file:
        file.write("stores:\n  rows: {min: 9}\n")
    assert segue.check("in/orders.csv", path).table == "orders"
    with pytest.raises(UsageError, match="names no table"):
        segue.check("sqlite:///shop.db", {"rows": {"min": 1}})
    with pytest.raises(SourceError, match="no table 'x'"):
        segue.check("sqlite:///shop.db?table=x", {"rows": {"min": 1}})


def test_tables_of_a_database_refer_to_each_other(folder):
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("create table stores (name text)")
        database.execute("insert into stores values ('north'), ('south')")
    database.close()
    contract = {"columns": {"store": {"references": "stores.name"}}}
    report = segue.check("orders", contract, on="sqlite:///shop.db", stores="stores")
    assert (report.measurements[0].verdict, report.measurements[0].failing) == (Verdict.FAIL, 1)
