"""Heavy libraries are loaded by what needs them, and by nothing else."""

import json
import subprocess
import sys

import pytest

ENGINES = {"dask", "deltalake", "duckdb", "fastapi", "pandas", "polars", "pyspark", "ray"}
HEAVY = ENGINES | {"numpy", "pyarrow", "sqlalchemy", "sqlglot"}

REPORT = "import json, sys; print(json.dumps(sorted(sys.modules)), file=sys.__stdout__)"

HELP = """
import contextlib, io, sys
from segue.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    sys.argv = ["segue", "--help"]
    main()
"""

SQL_RUN = """
import pathlib, tempfile
from segue import load
root = pathlib.Path(tempfile.mkdtemp())
(root / "steps").mkdir()
(root / "segue.toml").write_text('[project]\\nname = "plain"\\n')
(root / "steps" / "days.sql").write_text("select range::int as day from range(3)")
(root / "steps" / "later.sql").write_text("select day + 1 as day from days")
with load(root) as project:
    assert project.run().snapshot == 1
"""

IDLE_RUN = """
import os, pathlib, subprocess, sys
from segue.cli.main import run_command
root = pathlib.Path("{root}")
(root / "steps").mkdir(parents=True)
(root / "segue.toml").write_text('[project]\\nname = "idle"\\n')
(root / "steps" / "days.sql").write_text("select range::int as day from range(3)")
os.chdir(root)
os.environ["SEGUE_CACHE"] = str(root / "cache")
run = "from segue.cli.main import run_command; assert run_command(['run']) == 0"
subprocess.run([sys.executable, "-c", run], check=True, stdout=subprocess.DEVNULL)
sys.stdout = sys.stderr
assert run_command(["run"]) == 0
"""

FILE_CHECK = """
import pathlib, tempfile, duckdb
path = pathlib.Path(tempfile.mkdtemp()) / "a.parquet"
duckdb.sql("select range as n, 'x' || range as s from range(9)").write_parquet(str(path))
import segue
columns = {"n": {"unique": True, "mean": [0, 9], "between": [0, 8]}, "s": {"matches": "x[0-9]"}}
assert not segue.check(str(path), {"columns": columns, "rows": 9}).stops
"""


@pytest.mark.parametrize(
    ("code", "fenced"),
    [
        pytest.param("import segue; dir(segue)", HEAVY, id="import"),
        pytest.param("from segue import step", ENGINES, id="step"),
        pytest.param("from segue import load", ENGINES, id="load"),
        pytest.param(HELP, HEAVY, id="help"),
        # rows that stay in DuckDB need no Arrow, and binding nothing of pandas'
        # what is up to date is told from the ledger, and nothing is parsed or computed
        pytest.param(IDLE_RUN, HEAVY | {"psutil", "yaml"}, id="idle-run"),
        pytest.param(FILE_CHECK, HEAVY - {"duckdb"}, id="file-check"),
        pytest.param(SQL_RUN, {"numpy", "pandas", "polars", "pyarrow"}, id="sql-run"),
    ],
)
def test_nothing_heavy_is_loaded(code, fenced, tmp_path):
    code = code.replace("{root}", str(tmp_path / "project"))
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "segue" in loaded
    assert not loaded & fenced
