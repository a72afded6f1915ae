"""Importing segue, and asking its command line for help, loads no heavy library."""

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


@pytest.mark.parametrize(
    ("code", "fenced"),
    [
        pytest.param("import segue; dir(segue)", HEAVY, id="import"),
        pytest.param("from segue import step", ENGINES, id="step"),
        pytest.param("from segue import load", ENGINES, id="load"),
        pytest.param(HELP, HEAVY, id="help"),
    ],
)
def test_nothing_heavy_is_loaded(code, fenced):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "segue" in loaded
    assert not loaded & fenced
