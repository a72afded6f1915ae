"""The magic of notebooks, in a real shell of a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import read_blocks

pytest.importorskip("IPython")

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "notebooks.md"
FOLLOW = Path(__file__).with_name("notebook_cells.py")


def run(tmp_path, *cells):
    """Return what each cell of a notebook came to."""
    told = subprocess.run(
        [sys.executable, str(FOLLOW)],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    return json.loads(told.stdout.splitlines()[-1])


START = """
%load_ext segue
import pandas as pd, pyarrow as pa
orders = pd.DataFrame({"store": [1, 2, 1], "amount": [10, 20, 5]})
stores = pa.table({"store": [1, 2], "<script>": ["<b>Rome</b>", None]})
rows = [{"n": 1, "<i>": "<script>alert(1)</script>"}]
"""


def test_select_over_frames_in_scope(tmp_path):
    _, frame, table, listed, nothing = run(
        tmp_path,
        START,
        "%%segue\nselect store, sum(amount) as total from orders group by store order by store",
        "%%segue\nselect * from stores",
        "%%segue\nselect * from rows",
        "%%segue\nselect * from rows where n > 1",
    )
    assert frame["type"] == "DataFrame"
    assert "<td>15</td>" in frame["html"]
    assert table["type"] == "Table"
    assert "&lt;b&gt;Rome&lt;/b&gt;" in table["html"]
    assert "2 rows, 2 columns" in table["html"]
    assert listed["type"] == "Rows"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in listed["html"]
    assert "<script" not in table["html"] + listed["html"]
    assert "0 columns" in nothing["html"]


def test_options(tmp_path):
    _, silent, kept, other, place = run(
        tmp_path,
        START,
        "%%segue -o found --returns rows\nselect `store` from Orders limit 1",
        "found",
        "%%segue --returns polars --on duckdb\nselect * from stores",
        "%%segue\nselect range as n from range(50)",
    )
    assert silent == {"error": "", "type": "", "html": "", "shown": []}
    assert kept["type"] == "list"
    assert (other["type"], other["error"]) == ("DataFrame", "")
    assert place["type"] == "Table"
    assert "first 20 of 50 rows, 1 column" in place["html"]


def test_mistakes_are_told_without_a_traceback(tmp_path):
    _, unknown, wrong, name, option, place, call = run(
        tmp_path,
        START,
        "%%segue\nselect * from order_s",
        "%%segue\nselect nothing from orders",
        "%%segue -o 1x\nselect 1",
        "%%segue --what\nselect 1",
        "%%segue --on nowhere\nselect 1",
        "import segue\nsegue.transform(7, len)",
    )
    assert "there is no variable called 'order_s'" in unknown["error"]
    assert "orders" in unknown["error"]
    assert "nothing" in wrong["error"]
    assert "no name of a variable" in name["error"]
    assert "--what" in option["error"]
    assert "nowhere" in place["error"]
    assert "in line 2: segue.transform(7, len)" in call["error"]
    for told in (unknown, wrong, name, option, place, call):
        assert "Traceback" not in told["error"]
        assert len(told["error"].splitlines()) <= 8


@pytest.mark.xdist_group("dask")
@pytest.mark.timeout(300)
def test_engines_own_frame_is_shown_by_its_first_rows(tmp_path, live_dask):
    _, made, found, kept, near = run(
        tmp_path,
        START,
        "from distributed import Client\nimport segue\n"
        f"client = Client({live_dask.scheduler.address!r})\n"
        "far = segue.persist(pa.table({'n': range(30)}), on=client)",
        "%%segue\nselect n + 1 as m from far order by m",
        "%%segue --on client -o near --returns rows\nselect count(*) as n from far\n",
        "assert near == [{'n': 30}]\nclient.close()",
    )
    assert made["error"] == kept["error"] == near["error"] == ""
    assert found["type"] == ""
    assert "first 20 rows, 1 column" in found["shown"][0]


def test_extension_goes_again(tmp_path):
    _, _, gone, table = run(tmp_path, START, "%unload_ext segue", "%%segue\nselect 1", "stores")
    assert "segue" in gone["error"]
    assert table["html"] == ""


@pytest.mark.timeout(300)
def test_page_on_notebooks_does_what_it_says(tmp_path):
    pytest.importorskip("polars")
    subprocess.run([sys.executable, "-m", "segue", "new", "shop"], cwd=tmp_path, check=True)
    cells = [block.text for block in read_blocks(PAGE) if block.language == "text"]
    told = run(tmp_path, *cells)
    assert [each["error"] for each in told] == [""] * len(cells)
    totals = told[1]["html"]
    assert totals.index("Oslo") < totals.index("Rome")
    assert [bool(each["html"]) for each in told] == [False, True, False] + [True] * 7
    assert "best" in told[3]["html"]
    assert "lineage" in told[-1]["html"].lower()
