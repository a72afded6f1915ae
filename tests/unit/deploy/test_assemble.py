"""What nodes must have for the steps of a deployment."""

import pytest

from segue.deploy.assemble import find_imported, find_needs
from segue.project.edge import cut
from tests.edge_project import write_settings

COLUMNS = 'n = "int64", at = "timestamp", celsius = "float64"'
SETTINGS = write_settings(COLUMNS, steps='[steps.warm]\non = "shops"')
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
    (tmp_path / "segue.toml").write_text(SETTINGS)
    (tmp_path / "steps").mkdir()
    source = STEP.format(imported=imported, options=options, rows=rows)
    (tmp_path / "steps" / "warm.py").write_text(source)
    made = cut(tmp_path, "shops")
    assert find_needs(made.part, find_imported(made)) == needs
