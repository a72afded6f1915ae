"""`segue profile` and `segue suggest`: on a project, on files, for people and for programs."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import segue
from segue.cli.main import run_command


@pytest.fixture
def ask(capsys, monkeypatch):
    """Run a command in a terminal of some width: exit code, answer, news."""

    def run(*arguments, width=100):
        monkeypatch.setenv("COLUMNS", str(width))
        capsys.readouterr()
        code = run_command(arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def wide(tmp_path):
    """A file with 500 columns of long names."""
    columns = {
        f"a rather long name of a column {at}": pa.array([at, at + 1, None] * 30)
        if at % 2
        else pa.array([f"some text {at}", "and another one, longer than that", None] * 30)
        for at in range(500)
    }
    path = tmp_path / "wide.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("width", [80, 120])
def test_a_column_is_a_line_whatever_the_width(ask, wide, width):
    code, out, _ = ask("profile", str(wide), width=width)

    lines = out.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= width
    assert sum("rather long" in line for line in lines) == 500
    assert lines[0].startswith("wide  90 rows, 500 columns")


def test_a_table_of_a_project_is_described_with_what_it_refers_to(shop, ask):
    (shop / "steps" / "stores.sql").write_text("select distinct store as id from orders\n")
    assert ask("run")[0] == 0

    code, out, _ = ask("profile", "daily")

    assert code == 0
    assert "store + day" in out or "day + store" in out
    assert "daily" in out.splitlines()[0]


def test_references_are_found_among_the_tables_of_a_project(shop, ask):
    (shop / "data" / "shops.csv").write_text(
        "id,city\nnorth,Oslo\nsouth,Rome\neast,Riga\nwest,Cork\n"
    )
    with (shop / "segue.toml").open("a") as file:
        file.write('\n[tables.shops]\npath = "data/shops.csv"\n')

    with segue.load(shop) as project:
        found = project.profile("orders")

    (reference,) = (each for each in found.references if each.column == "store")
    assert (reference.table, reference.other, reference.missing) == ("shops", "id", 0)
    _, out, _ = ask("suggest", "orders")
    assert "references: shops.id" in out


def test_nothing_refers_to_what_is_made_from_it(shop):
    with segue.load(shop) as project:
        found = project.profile("raw_orders")

    assert not [each for each in found.references if each.table in ("orders", "daily")]


def test_one_column_is_told_in_full(shop, ask):
    code, out, _ = ask("profile", "orders", "--column", "amo*")

    assert code == 0
    assert "quantiles" in out
    assert "█" in out
    assert "store" not in out


def test_an_unknown_column_is_said_with_the_nearest(shop, ask):
    code, _, err = ask("profile", "orders", "--column", "amuont")

    assert code == 2
    assert "amount" in err


def test_programs_get_all_of_it(shop, ask):
    code, out, _ = ask("profile", "orders", "--json")

    (table,) = json.loads(out)["tables"]
    assert code == 0
    assert table["table"] == "orders"
    names = [column["name"] for column in table["columns"]]
    assert "amount" in names
    amount = table["columns"][names.index("amount")]
    assert isinstance(amount["type"], str)
    assert sum(each["rows"] for each in amount["histogram"]) == table["rows"] - amount["nulls"]


def test_sensitive_columns_of_a_contract_are_masked_everywhere(shop, ask, tmp_path):
    text = (shop / "contracts.yml").read_text()
    contracts = yaml.safe_load(text)
    contracts["orders"]["columns"].setdefault("store", {})["sensitive"] = True
    (shop / "contracts.yml").write_text(yaml.safe_dump(contracts))
    page = tmp_path / "page.html"

    shown = [
        ask("profile", "orders", "--html", str(page))[1],
        ask("profile", "orders", "--json")[1],
        ask("profile", "orders", "--column", "store")[1],
        ask("suggest", "orders")[1],
        page.read_text(),
    ]

    assert all("north" not in each for each in shown)
    assert "sensitive" in shown[0]


def test_the_page_is_one_file(shop, ask, tmp_path):
    page = tmp_path / "page.html"

    code, out, _ = ask("profile", "orders", "daily", "--html", str(page))

    text = page.read_text()
    assert (code, out.splitlines()[-1]) == (0, f"Written: {page}")
    assert text.count("<h1>") == 2
    assert "src=" not in text


def test_a_page_that_can_not_be_written_is_said(shop, ask):
    code, _, err = ask("profile", "orders", "--html", "no/such/folder/page.html")

    assert code == 2
    assert "can't be written" in err


def test_a_suggestion_is_added_and_holds(shop, ask):
    before = (shop / "contracts.yml").read_text()
    assert ask("suggest", "raw_orders", "--write")[0] == 2 or "raw_orders" not in before

    (shop / "data" / "more.csv").write_text("id,n\n" + "".join(f"{n},{n % 7}\n" for n in range(99)))
    with (shop / "segue.toml").open("a") as file:
        file.write('\n[tables.more]\npath = "data/more.csv"\n')
    now = (shop / "contracts.yml").read_text()

    code, out, _ = ask("suggest", "more", "--write")

    assert (code, (shop / "contracts.yml").read_text().startswith(now)) == (0, True)
    assert "contracts.yml: more" in out
    assert ask("check", "more")[0] == 0


def test_a_table_with_a_contract_is_left_alone(shop, ask):
    before = (shop / "contracts.yml").read_text()

    code, _, err = ask("suggest", "orders", "--write")

    assert (code, (shop / "contracts.yml").read_text()) == (2, before)
    assert "has a contract already" in err


def test_files_need_no_project(tmp_path, monkeypatch, ask):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"id": range(40), "kind": ["a", "b"] * 20}), "things.parquet")

    assert ask("suggest", "things.parquet", "--write")[0] == 0

    assert yaml.safe_load((tmp_path / "contracts.yml").read_text())["things"]["columns"][
        "kind"
    ] == {
        "type": "string",
        "required": True,
        "in": ["a", "b"],
    }
    assert ask("check", "things.parquet")[0] == 0
    assert ask("profile", "things.parquet")[0] == 0


def test_a_table_of_a_database_is_described(tmp_path, monkeypatch, ask):
    import sqlite3

    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("shop.db") as database:
        database.execute("create table orders (id integer, city text)")
        database.executemany("insert into orders values (?, ?)", [(n, "Oslo") for n in range(30)])
    database.close()

    code, out, _ = ask("profile", "sqlite:///shop.db", "orders")

    assert code == 0
    assert "30 rows" in out
    assert "always Oslo" in out


@pytest.mark.parametrize("command", ["profile", "suggest"])
def test_what_is_not_there_is_said(shop, ask, command):
    code, _, err = ask(command, "ordres")

    assert code == 2
    assert "orders" in err


def test_rows_of_earlier_versions_are_evidence(shop, ask):
    orders = shop / "data" / "orders.csv"
    for day in range(5):
        with orders.open("a") as file:
            file.write(f"{9000 + day},north,2026-04-0{day + 1},10.50,sent\n")
        assert ask("run")[0] == 0

    _, out, _ = ask("suggest", "orders")

    assert "in 6 versions, with room" in out
    assert "unique: true}" in out
    assert "as in 6 earlier measurements" in out
