"""A contract is added to a file in which all else stays, or the file stays as it is."""

import stat

import pytest
import yaml

from segue.declare.merging import add_contracts, find_file
from segue.errors import UsageError

NEW = "orders:\n  columns:\n    id: {type: int64}  # 1 to 3\n"
OLD = "# what we promise\nstores:   # three of them\n    columns: {id: {required: true}}\n"


def add(path, *tables):
    add_contracts(path, [(table, NEW.replace("orders", table)) for table in tables or ["orders"]])
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("old", "between"),
    [
        (OLD, "\n"),
        (OLD.rstrip(), "\n\n"),
        ("# nothing yet\n", "\n"),
        ("%YAML 1.1\n---\n" + OLD, "\n"),
        ("\ufeff" + OLD, "\n"),
        ("stores:\n  about: |\n    several\n    lines\n", "\n"),
    ],
)
def test_all_that_stands_there_stays(tmp_path, old, between):
    path = tmp_path / "contracts.yml"
    path.write_text(old, encoding="utf-8")

    assert add(path) == old + between + NEW
    assert "orders" in yaml.safe_load(path.read_text(encoding="utf-8"))


def test_line_ends_stay_those_of_the_file(tmp_path):
    path = tmp_path / "contracts.yml"
    path.write_bytes(OLD.replace("\n", "\r\n").encode())

    assert add(path) == f"{OLD}\n{NEW}".replace("\n", "\r\n")


def test_a_file_is_made_where_there_is_none(tmp_path):
    path = find_file(tmp_path)

    assert add(path, "orders", "stores") == NEW + "\n" + NEW.replace("orders", "stores")
    assert path.name == "contracts.yml"
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["contracts.yml"]


def test_the_file_that_is_there_is_found_and_keeps_its_mode(tmp_path):
    path = tmp_path / "contracts.yaml"
    path.write_text(OLD)
    path.chmod(0o640)

    add(find_file(tmp_path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("table", ["stores", "Stores"])
def test_a_table_with_a_contract_keeps_it(tmp_path, table):
    path = tmp_path / "contracts.yml"
    path.write_text(OLD)

    with pytest.raises(UsageError, match="has a contract already") as raised:
        add(path, "orders", table)

    assert raised.value.location.line == 2
    assert path.read_text() == OLD


@pytest.mark.parametrize(
    "old",
    ["{stores: {rows: {min: 1}}}\n", "  stores: {rows: {min: 1}}\n", f"{OLD}...\n# the end\n"],
)
def test_a_file_to_which_nothing_can_be_added_stays(tmp_path, old):
    path = tmp_path / "contracts.yml"
    path.write_text(old)

    with pytest.raises(UsageError, match="nothing can be added"):
        add(path)

    assert path.read_text() == old


@pytest.mark.parametrize("old", [b"[1, 2]\n", b"a: [1\n", b"\xff\xfe"])
def test_a_file_that_can_not_be_read_stays(tmp_path, old):
    path = tmp_path / "contracts.yml"
    path.write_bytes(old)

    with pytest.raises(UsageError):
        add(path)

    assert path.read_bytes() == old


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="can't be written"):
        add(tmp_path / "nowhere" / "contracts.yml")
