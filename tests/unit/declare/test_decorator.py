"""``@step`` marks a function, and does nothing else to it."""

import subprocess
import sys

import pytest

from segue import step


def test_the_function_comes_back_unchanged():
    def orders(raw):
        return raw

    assert step(orders) is orders
    assert step(by="store", timeout="90s")(orders) is orders
    assert orders(3) == 3


@pytest.mark.parametrize("thing", [int, 3, print])
def test_only_functions_are_marked(thing):
    with pytest.raises(TypeError, match="@step marks functions"):
        step(thing)


def test_marking_loads_nothing_heavy():
    code = (
        "import sys; from segue import step; step(lambda: 1);"
        "print({'pydantic', 'sqlglot', 'yaml', 'pyarrow', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
