"""Names of folders, tables and columns, odd as they may be; tables of all sizes."""

import pytest

from segue.errors import SegueError
from tests.flow.building import TOML, lines, source

ODD = ["select", "order", "Größe", "with space", 'qu"ote', "it's", "表", "semi;colon", "a.b", "%x"]


def test_folder_with_spaces_quotes_and_unicode(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "my data/ros é's [1]/a b.csv"),
            "my data/ros é's [1]/a b.csv": lines("n", "1"),
            "steps/a.sql": "select n from raw",
            "steps/b.py": "from segue import step\n\n\n@step\n"
            "def b(a: list[dict]) -> list[dict]:\n    return a\n",
        },
        folder="my pröject's [x] 表",
    )
    assert set(project.run().values()) == {"done"}
    assert project.rows("b") == [(1,)]
    assert set(project.run().values()) == {"up to date"}
    assert project.project.vacuum(keep=1).files == ()


def test_odd_names_of_columns(make_project):
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in ODD)
    values = ",".join(str(n) for n in range(len(ODD)))
    header = ",".join('"' + name.replace('"', '""') + '"' for name in ODD)
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines(header, values),
            "steps/a.sql": f"select {quoted} from raw",
            "steps/b.py": "import pandas as pd\nfrom segue import step\n\n\n"
            "@step(by=['select', 'qu\"ote'], sort='-with space')\n"
            "def b(a: pd.DataFrame) -> pd.DataFrame:\n    return a\n",
            "steps/c.sql": '-- segue: {mode: merge, key: ["it\'s", "表"]}\nselect * from b',
            "contracts.yml": "c:\n  columns:\n    order: {required: true}\n"
            "    'qu\"ote': {unique: true, between: [0, 9]}\n    with space: {type: int64}\n"
            "    表: {in: [6]}\n  rejects: true\n",
        }
    )
    assert set(project.run().values()) == {"done"}
    assert project.rows("c") == [tuple(range(len(ODD)))]
    assert list(project.columns("c")) == ODD
    project.write({"raw.csv": lines(header, values, values.replace("0,", "5,", 1))})
    assert project.run()["c"] in ("failed", "done")


@pytest.mark.parametrize("name", ["order", "select", "Group", "größe", "表"])
def test_odd_names_of_tables(make_project, name):
    project = make_project(
        {
            f"steps/{name}.sql": "select 1 as n",
            "steps/reader.sql": f'select n from "{name}"',
            "contracts.yml": f"{name}:\n  columns: {{n: {{unique: true, in: [1, 2]}}}}\n",
        }
    )
    assert project.run() == {name: "done", "reader": "done"}
    assert project.rows(name) == project.rows("reader") == [(1,)]
    assert project.plan(name) == {name: project.plan()[name], "reader": "not selected"}
    project.edit(f"steps/{name}.sql", "1", "2")
    project.run()
    assert [each.number for each in project.project.history(name)] == [1, 2]


@pytest.mark.parametrize("names", [("orders", "Orders"), ("größe", "GRÖSSE".replace("SS", "ß"))])
def test_tables_that_differ_by_case_are_refused(make_project, names):
    files = {
        f"steps/{folder}/{name}.sql": "select 1 as n"
        for folder, name in zip("xy", names, strict=True)
    }
    with pytest.raises(SegueError):
        make_project(files).run()


def test_columns_that_differ_by_case_are_refused_in_sql(make_project):
    project = make_project(
        {
            "steps/a.py": "from segue import step\n\n\n@step\n"
            "def a() -> list[dict]:\n    return [{'n': 1, 'N': 2}]\n",
        }
    )
    error = project.run_error()
    assert "'n'" in error
    assert "'N'" in error


def test_names_are_read_in_any_case_in_sql(make_project):
    project = make_project(
        {"steps/Orders.sql": "select 1 as Amount", "steps/b.sql": "select AMOUNT from ORDERS"}
    )
    project.run()
    assert project.rows("b") == [(1,)]


@pytest.mark.parametrize("name", ["a b", "a-b", "a.b", "1a", "a;b", "x__rejects"])
def test_tables_whose_names_are_no_identifiers_are_refused_or_work(make_project, name):
    project = make_project({f"steps/{name}.sql": "select 1 as n"})
    try:
        assert project.run() == {name: "done"}
    except SegueError as error:
        assert name.partition(".")[0] in str(error)  # noqa: PT017 - either is fine
    else:
        assert project.rows(name) == [(1,)]


def test_values_survive_whatever_they_hold(make_project):
    text = "tab\t newline\n quote\" null\0 emoji 🎉 'x' ; -- drop"
    project = make_project(
        {
            "steps/a.py": "from segue import step\n\n\n@step\n"
            f"def a() -> list[dict]:\n    return [{{'t': {text!r}, 'n': None, 'e': ''}}]\n",
            "steps/b.sql": "select * from a",
        }
    )
    project.run()
    assert project.rows("b") == [(text, None, "")]


def test_tables_without_rows_and_of_one_column(make_project):
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": "n\n",
            "steps/a.sql": "select n::int as n from raw",
            "steps/b.sql": "select sum(n)::bigint as n, count(*) as c from a",
            "steps/c.sql": "select null as nothing where false",
        }
    )
    assert project.run()["b"] == "done"
    assert project.rows("a") == []
    assert project.rows("b") == [(None, 0)]
    assert project.columns("a") == {"n": "int32"}
    assert set(project.run().values()) == {"up to date"}


def test_table_of_five_hundred_columns(make_project):
    names = [f"c{n}" for n in range(500)]
    project = make_project(
        {
            "segue.toml": TOML + source("raw", "raw.csv"),
            "raw.csv": lines(",".join(names), ",".join("1" * 500)),
            "steps/wide.sql": "select * from raw",
            "steps/py.py": "import polars as pl\nfrom segue import step\n\n\n@step\n"
            "def py(wide: pl.DataFrame) -> pl.DataFrame:\n    return wide\n",
        }
    )
    project.run()
    assert len(project.columns("py")) == 500
    assert set(project.run().values()) == {"up to date"}


def test_table_of_no_columns_is_refused(make_project):
    project = make_project(
        {
            "steps/a.py": "import polars as pl\nfrom segue import step\n\n\n@step\n"
            "def a() -> pl.DataFrame:\n    return pl.DataFrame()\n",
        }
    )
    assert "column" in project.run_error()
