"""Rows that are read batch by batch: all of them, in little memory."""

import subprocess
import sys

import pytest

from segue.errors import SqlError, UnknownNameError

MEGABYTE = 1_000_000
WIDE = "select i, repeat('x', 1000) || i as text from range({rows}) t(i)"


def test_a_table_and_a_select_batch_by_batch(make_project):
    built = make_project({"steps/numbers.sql": "select i from range(250_000) t(i)"})
    assert built.run() == {"numbers": "done"}
    with built.project.stream("numbers") as batches:
        assert batches.schema.names == ["i"]
        sizes = [batch.num_rows for batch in batches]
    assert sum(sizes) == 250_000
    assert len(sizes) > 1
    with built.project.stream(sql="select i from numbers where i < 9; -- few", limit=5) as batches:
        assert batches.read_all().num_rows == 5


def test_what_is_not_there_is_told_at_once(make_project):
    built = make_project({"steps/numbers.sql": "select 1 as i"})
    with pytest.raises(UnknownNameError), built.project.stream("numbrs"):
        pass
    with (
        pytest.raises(SqlError, match="line 2 of the query"),
        built.project.stream(sql="select\n x"),
    ):
        pass


PEAK = """
import resource, sys
from segue.cli.main import run_command
sys.stdout = open("/dev/null", "w")
code = run_command(sys.argv[1:])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""


def test_a_large_table_is_written_in_little_memory(make_project):
    built = make_project({"steps/wide.sql": WIDE.format(rows=120_000)})
    assert built.run() == {"wide": "done"}
    built.close()

    def measure(*options):
        command = [sys.executable, "-c", PEAK, "read", "wide", "--project", str(built.root)]
        done = subprocess.run(
            [*command, "--csv", *options], capture_output=True, text=True, check=True
        )
        code, peak = done.stderr.split()
        assert code == "0"
        return int(peak)

    assert measure() - measure("--limit", "1") < 60 * MEGABYTE
