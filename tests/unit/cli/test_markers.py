"""Words that stand for "no value" in a user's file."""

import pytest
import yaml

from segue.cli.main import run_command
from segue.project import load


def start(folder, text):
    file = folder / "sales.csv"
    file.write_text(text, encoding="utf-8")
    assert run_command(["new", str(folder / "p"), "--from", str(file), "--json"]) == 0
    with load(folder / "p") as project:
        source = project.spec.sources["sales"]
        schema = project.read("sales").schema
    types = {field.name: str(field.type) for field in schema}
    return list(source.options.get("nulls", ())), types


def column(*values):
    return "id,x\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "nulls", "type_"),
    [
        (("1", "NA", "3"), ["NA"], "int64"),
        (("1.5", "-", "?", "-"), ["-", "?"], "double"),
        (("2026-01-02", "N/A", "2026-02-03"), ["N/A"], "date32[day]"),
        (("2026-01-02 10:00:00", "null", ""), ["null"], "timestamp[us]"),
        (("true", "None", "false"), ["None"], "bool"),
        (("-1", "#N/A", "-2"), ["#N/A"], "int64"),
    ],
)
def test_words_among_values_of_one_type_mean_null(tmp_path, values, nulls, type_):
    found, types = start(tmp_path, column(*values))
    assert found == nulls
    assert types["x"] == type_


@pytest.mark.parametrize(
    "values",
    [
        ("red", "NA", "blue"),  # "NA" may be a code, as for Namibia
        ("1", "unknown", "3"),
        ("1", "2026-01-02", "NA"),
        ("NA", "NA", "NA"),
        ("1", "", "3"),
    ],
)
def test_other_columns_stay_as_they_are(tmp_path, values):
    assert start(tmp_path, column(*values))[0] == []


def test_project_says_what_it_took_for_null(tmp_path):
    start(tmp_path, column("1", "NA", "3"))
    settings = (tmp_path / "p" / "segue.toml").read_text()
    assert "# Words that mean null" in settings
    assert 'nulls = ["NA"]' in settings
    contract = yaml.safe_load((tmp_path / "p" / "contracts.yml").read_text())
    assert "required" not in contract["sales_clean"]["columns"]["x"]
    assert run_command(["run", "--project", str(tmp_path / "p"), "--json"]) == 0
