"""Functions of the user's own that judge rows."""

import textwrap
from dataclasses import replace

import pytest

from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.contract import Slice
from tests.unit.judge.judging import make_check, make_contract

ORDERS = "from (values (1, 10, 'a@x'), (2, -5, 'b@x'), (3, null, null)) t(id, v, mail)"
IMPORTS = """
import duckdb, narwhals as nw, numpy as np, pandas as pd, polars as pl, pyarrow as pa
import pyarrow.compute as pc
from collections.abc import Iterator
"""


@pytest.fixture
def judge(session, tmp_path):
    """Return a function that judges orders by a function `f` of a file."""

    def judge(code, value=None, where="", sensitive=(), **more):
        (tmp_path / "rules.py").write_text(IMPORTS + textwrap.dedent(code))
        session.bind("orders", ORDERS)
        check = make_check("python", {"python": "rules.py:f", **(value or {})})
        check = replace(check, slice=Slice(where=where), **more)
        contract = make_contract(check, make_check("rows", 3), sensitive=sensitive)
        schema = session.describe("select * from orders")
        context = Context(folder=str(tmp_path))
        report = measure_table(session, "orders", contract, schema, context=context)
        found, rows = report.measurements
        assert rows.verdict == "pass"
        return found

    return judge


FRAMES = [
    ("pd.DataFrame", "(rows.v < 0)"),
    ("pd.DataFrame", "(rows.v < 0).to_numpy()"),
    ("pd.DataFrame", "(rows.v < 0).to_numpy(dtype=object, na_value=None)"),
    ("pd.DataFrame", "rows[rows.v < 0]"),
    ("pl.DataFrame", "rows['v'] < 0"),
    ("pl.DataFrame", "rows.filter(pl.col('v') < 0)"),
    ("pl.LazyFrame", "rows.filter(pl.col('v') < 0)"),
    ("pa.Table", "pc.less(rows['v'], 0)"),
    ("pa.Table", "rows.filter(pc.less(rows['v'], 0))"),
    ("list[dict]", "[row['v'] is not None and row['v'] < 0 for row in rows]"),
    ("list[dict]", "[row for row in rows if (row['v'] or 0) < 0]"),
    ("duckdb.DuckDBPyRelation", "rows.filter('v < 0')"),
    ("nw.DataFrame", "rows.filter(nw.col('v') < 0)"),
    ("nw.DataFrame", "rows['v'] < 0"),
    ("Iterator[pa.RecordBatch]", "(b.filter(pc.less(b['v'], 0)) for b in rows)"),
    ("Iterator[pd.DataFrame]", "(frame[frame.v < 0] for frame in rows)"),
]


@pytest.mark.parametrize(("frame", "result"), FRAMES)
def test_wrong_rows(judge, frame, result):
    found = judge(f"def f(rows: {frame}): return {result}")

    assert (str(found.verdict), found.failing) == ("fail", 1), found.message
    assert found.message == "rules.py:f finds 1 wrong row"
    assert found.sample == ({"id": 2, "v": -5, "mail": "b@x"},)
    assert found.sql == 'select * from "orders"'


GOOD = ["[]", "[False, None, False]", "rows[:0]", "True", "np.bool_(True)", "pa.scalar(True)"]


@pytest.mark.parametrize("result", GOOD)
def test_nothing_wrong(judge, result):
    assert judge(f"def f(rows: list[dict]): return {result}").verdict == "pass"


VALUES = [
    ("False", {}, "fail", "rules.py:f says false, expected true"),
    ("False", {"equals": False}, "pass", "rules.py:f is false, as expected"),
    ("rows.v.sum()", {"min": 0}, "pass", "rules.py:f is 5"),
    ("float('nan')", {"min": 0}, "fail", "rules.py:f is NaN"),
    ("len(rows)", {"max": 2}, "fail", "rules.py:f is 3, expected at most 2"),
    ("np.float32(0.5)", {"equals": 0.5}, "pass", "rules.py:f is 0.5"),
    ("rows.mail.max()", {"max": "a"}, "fail", "rules.py:f is b@x, expected at most a"),
    ("5", {}, "error", "rules.py:f returned int: say min, max, or equals"),
    ("rows", {"max": 5}, "error", "leave them out"),
    ("None", {}, "error", "rules.py:f returned None: expected true or false, a number"),
    ("{'a': 1}", {}, "error", "rules.py:f returned dict: expected"),
    ("object()", {}, "error", "rules.py:f returned object: expected"),
    ("[1, 2, 3]", {}, "error", "returned a column of int64, not of true and false"),
    ("[True]", {}, "error", "returned 1 values for 3 rows"),
    ("[True, 'x', None]", {}, "error", "returned list"),
    ("iter([5])", {}, "error", "yields int: expected frames of wrong rows"),
]


@pytest.mark.parametrize(("result", "value", "verdict", "message"), VALUES)
def test_values(judge, result, value, verdict, message):
    found = judge(f"def f(rows: pd.DataFrame): return {result}", value)

    assert str(found.verdict) == verdict, found.message
    assert message in found.message


def test_settings_and_where(judge):
    code = "def f(rows: list[dict], least: int = 0): return len(rows) >= least"

    assert judge(code, {"params": {"least": 4}}).verdict == "fail"
    assert judge(code, {"params": {"least": 2}}, where="v is not null").verdict == "pass"
    told = judge(code, {"params": {"laest": 2}})
    assert told.message == "rules.py:f has no setting 'laest': did you mean 'least'?"


def test_a_number_for_its_history(judge):
    found = judge("def f(rows: list[dict]) -> int: return len(rows)", anomaly={})

    assert found.value == 3


RAISES = [
    (
        "def f(rows: list[dict]):\n    return rows[0]['nothing']",
        "raised KeyError: 'nothing' (rules.py:6)",
    ),
    (
        "def g(x):\n    1 / 0\ndef f(rows: list[dict]):\n    g(rows)",
        "division by zero (rules.py:6)",
    ),
    ("def f(rows: list[dict]):\n    raise SystemExit(3)", "raised SystemExit: 3 (rules.py:6)"),
    ("def f(rows: list[dict]):\n    yield rows\n    1 / 0", "division by zero (rules.py:7)"),
    ("def f(rows: pl.LazyFrame): return rows.filter(pl.col('w') > 0)", "raised"),
    ("def f(rows: list[dict]:", "rules.py:f can't be loaded: "),
    ("import nothing_like_it", "can't be loaded: ModuleNotFoundError: No module named"),
    ("1 / 0", "can't be loaded: ZeroDivisionError: division by zero (rules.py:5)"),
    ("def fun(rows): pass", "is not there: rules.py has no 'f': "),
    ("f = 3", "rules.py:f is no function"),
    ("def f(rows): pass", "does not say which frame it wants as 'rows'; can be served"),
    ("def f(rows: int): pass", "wants int, which can't be served"),
    ("def f(rows: list[dict], more): pass", "has other parameters than one frame"),
    ("def f(): pass", "has other parameters than one frame"),
    ("async def f(rows: list[dict]): pass", "is async"),
]


@pytest.mark.parametrize(("code", "message"), RAISES)
def test_what_fails_is_an_error_with_its_line(judge, code, message):
    found = judge(code)

    assert found.verdict == "error"
    assert found.message.startswith("rules.py:f ")
    assert message in found.message


def test_sensitive_values_are_not_told(judge):
    rows = judge(
        "def f(rows: list[dict]): return [{**rows[0], 'copy': rows[0]['mail']}]",
        sensitive=("mail",),
    )
    raised = judge("def f(rows: list[dict]): raise ValueError(rows)", sensitive=("mail",))
    text = judge("def f(rows: list[dict]): return 'a@x'", {"max": "a"}, sensitive=("mail",))

    assert rows.sample == ({"id": 1, "v": 10, "mail": "***", "copy": "***"},)
    assert raised.message == (
        "rules.py:f raised ValueError (its message may hold sensitive values) (rules.py:5)"
    )
    assert "a@x" not in text.message


def test_modules_of_the_folder_and_outside_of_it(session, tmp_path, judge):
    judge("def f(rows: list[dict]): return True")
    project, beside = tmp_path / "project", tmp_path / "shared.py"
    (project / "checks").mkdir(parents=True)
    (project / "limits.py").write_text("LEAST = 3\n")
    code = (
        "from limits import LEAST\ndef many(rows: list[dict]) -> bool: return len(rows) >= LEAST\n"
    )
    (project / "checks" / "orders.py").write_text(code)
    beside.write_text("def none(rows: 'list[dict]'): return not rows\n")
    schema = session.describe("select * from orders")

    def verdict(reference):
        contract = make_contract(make_check("python", reference))
        context = Context(folder=str(project))
        report = measure_table(session, "orders", contract, schema, context=context)
        return str(report.verdict)

    assert verdict("checks.orders:many") == "pass"
    (project / "limits.py").write_text("LEAST = 4\n")  # as it is now, not as it was loaded
    assert verdict("checks/orders.py:many") == "fail"
    assert verdict("../shared.py:none") == "fail"
    assert verdict(f"{beside}:none") == "fail"
    assert verdict("checks/nothing.py:none") == "error"
    assert verdict("json:dumps") == "error"


WRONG = [
    ("rules", "expected package.module:function or file.py:function"),
    ("rules.py:", "expected package.module:function"),
    ("rules.py:a b", "expected package.module:function"),
    ("rules.txt/x:f", "neither a module nor a file"),
    ("", "package.module:function or file.py"),
    ({"max": 3}, "expected {python"),
    ({"python": "a:b", "params": [1]}, "names and values as `params`"),
    ({"python": "a:b", "mux": 3}, "unknown key 'mux'"),
]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_read_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        load_check("python").read(value)
