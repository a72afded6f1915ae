"""What nodes must have for the steps of a deployment."""

import pytest

from segue.deploy.assemble import find_imported, find_needs
from segue.project.edge import cut

SETTINGS = """
[project]
name = "p"
[places.shops]
engine = "fleet"
address = "https://127.0.0.1:8440"
options = {spool = "64MB", when_full = "block"}
[tables.readings]
on = "shops"
kind = "tail"
path = "/var/log/*.jsonl"
format = "json"
columns = {n = "int64", celsius = "float64"}
[steps.warm]
on = "shops"
"""
STEP = """{imported}
from segue import step


@step(schema="n: int64"{options})
def warm(readings: {rows}) -> {rows}:
    return readings
"""


@pytest.mark.parametrize(
    ("imported", "options", "rows", "needs"),
    [
        ("", "", "list[dict]", ()),
        ("import math", ", window={'column': 'at', 'size': '1m'}", "list[dict]", ()),
        ("", ", by='n'", "list[dict]", ("numpy",)),
        ("import numpy as np", "", "list[dict]", ("numpy",)),
        ("import pandas as pd", ", by='n'", "pd.DataFrame", ("numpy", "pandas")),
    ],
)
def test_nodes_need_numpy_for_groups_and_where_it_is_imported(
    tmp_path, imported, options, rows, needs
):
    settings = SETTINGS.replace("celsius", 'at = "timestamp", celsius')
    (tmp_path / "segue.toml").write_text(settings)
    (tmp_path / "steps").mkdir()
    source = STEP.format(imported=imported, options=options, rows=rows)
    (tmp_path / "steps" / "warm.py").write_text(source)
    made = cut(tmp_path, "shops")
    assert find_needs(made.part, find_imported(made)) == needs
