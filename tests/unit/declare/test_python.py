"""Python steps: how they are found, what they ask for, and every way to get them wrong."""

import subprocess
import sys
import textwrap

import pytest

from segue.declare.python import load_function
from segue.errors import Location, UnknownNameError
from segue.spec.step import FrameKind, FrameSpec, Mode

HEAD = "import pyarrow as pa\nfrom segue import step\n"


def write(project, text, path="steps/code.py", head=HEAD):
    project.write(path, head + textwrap.dedent(text))


def test_a_function_stays_what_it_is(project):
    write(
        project,
        '''
        @step
        def orders(raw: pa.Table, rate: float = 2, note: str | None = None) -> pa.Table:
            """Orders,
            cleaned.

            More.
            """
            return rate
        ''',
    )
    spec = project.declare()
    step = spec.steps["orders"]
    assert (step.reads, step.mode, step.about) == (("raw",), Mode.REPLACE, "Orders, cleaned.")
    assert step.location == Location("steps/code.py", 5)
    assert step.function.parameters == (("rate", 2), ("note", None))
    function = load_function(spec, step)
    assert function(None, rate=7) == 7
    assert load_function(spec, step) is function


def test_options(project):
    write(
        project,
        """
        @step(
            name="sales", by="store", sort=["-day", "id"], how="full", mode="merge", key="id",
            schema=pa.schema([("id", pa.int64())]), tags=("a", "b"), retries=2, backoff="2s",
            timeout="90s", memory="2GB",
        )
        def f(raw: pa.Table) -> pa.Table: ...
        """,
    )
    step = project.declare().steps["sales"]
    assert (step.by, step.sort, step.how, step.key) == (("store",), ("-day", "id"), "full", ("id",))
    assert (step.mode, step.schema, step.tags) == (Mode.MERGE, "id: int64", ("a", "b"))
    limits = step.limits
    assert (limits.retries, limits.backoff) == (2, 2.0)
    assert (limits.timeout, limits.memory) == (90.0, 2_000_000_000)


FRAMES = [
    ("pa.Table", FrameSpec(FrameKind.ARROW)),
    ("'pa.Table'", FrameSpec(FrameKind.ARROW)),
    ("pd.DataFrame", FrameSpec(FrameKind.PANDAS)),
    ("'pd.DataFrame'", FrameSpec(FrameKind.PANDAS)),
    ("pandas.core.frame.DataFrame", FrameSpec(FrameKind.PANDAS)),
    ("DataFrame", FrameSpec(FrameKind.POLARS)),
    ("pl.LazyFrame", FrameSpec(FrameKind.POLARS_LAZY)),
    ("DuckDBPyRelation", FrameSpec(FrameKind.DUCKDB)),
    ("list[dict]", FrameSpec(FrameKind.ROWS)),
    ("list[dict[str, int]]", FrameSpec(FrameKind.ROWS)),
    ("Iterator[pa.RecordBatch]", FrameSpec(FrameKind.ARROW_BATCH, iterator=True)),
    ("Iterable[pd.DataFrame]", FrameSpec(FrameKind.PANDAS, iterator=True)),
    ("'Generator[pl.DataFrame, None, None]'", FrameSpec(FrameKind.POLARS, iterator=True)),
    ("Alias", FrameSpec(FrameKind.ARROW)),
]


@pytest.mark.parametrize(("annotation", "frame"), FRAMES)
@pytest.mark.parametrize("lazy", [True, False])
def test_annotations_decide_the_frame(project, annotation, frame, lazy):
    imports = """\
        import pandas
        import pandas as pd
        import polars as pl
        from polars import DataFrame
        from duckdb import DuckDBPyRelation
        from collections.abc import Iterable, Iterator
        from typing import Generator
    """
    imports = textwrap.dedent(imports)
    if lazy:
        guarded = textwrap.indent(imports, "    ")
        head = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        imports = f"{head}if TYPE_CHECKING:\n{guarded}"
    head = f"{imports}{HEAD}Alias = pa.Table\n"
    write(project, f"@step\ndef f(raw: {annotation}) -> {annotation}: ...\n", head=head)
    function = project.declare().steps["f"].function
    assert function.inputs == (("raw", frame),)
    assert function.returns == frame


def test_types_are_read_without_importing_their_libraries(project, tmp_path):
    head = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "from segue import step\nif TYPE_CHECKING:\n    import pandas as pd, polars as pl\n"
    )
    write(project, "@step\ndef f(raw: pd.DataFrame) -> pl.DataFrame: ...\n", head=head)
    code = (
        "import sys; from pathlib import Path; from segue.declare.discover import declare_project;"
        f"declare_project(Path({str(project.root)!r}));"
        "print({'pandas', 'polars', 'duckdb', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_nothing_returned_is_an_effect(project):
    write(project, "@step\ndef mail(raw: pa.Table) -> None: ...")
    assert project.declare().steps["mail"].mode == Mode.EFFECT


def test_loops_factories_and_helpers_make_steps(project):
    project.write(
        "lib/factory.py",
        """
        import pyarrow as pa
        from segue import step

        def make(n):
            @step(name=f"made_{n}")
            def inner(raw: pa.Table) -> pa.Table:
                return n
            return inner

        @step
        def no_step_of_the_project(raw: pa.Table) -> pa.Table: ...
        """,
    )
    write(
        project,
        """
        from lib.factory import make

        for n in (1, 2):
            make(n)

        def times(k):
            def f(raw: pa.Table) -> pa.Table:
                return k
            return f

        for k in (3, 4):
            step(name=f"times_{k}")(times(k))
        """,
        path="steps/deep/loops.py",
    )
    spec = project.declare()
    made = sorted(name for name in spec.steps if name != "raw")
    assert made == ["made_1", "made_2", "times_3", "times_4"]
    assert [load_function(spec, spec.steps[name])(None) for name in made] == [1, 2, 3, 4]
    assert len({spec.steps[name].fingerprint.digest for name in made}) == 4
    assert spec.steps["made_1"].location == Location("steps/deep/loops.py", 7)
    assert spec.steps["made_1"].function.path == "lib/factory.py"
    assert spec.steps["times_3"].location == Location("steps/deep/loops.py", 10)


def test_steps_import_each_other_and_relatives(project):
    write(project, "def clean(x): return x\n@step\ndef a(raw: pa.Table) -> pa.Table: ...")
    write(
        project,
        "from steps.code import clean\nfrom .code import clean as again\n"
        "@step\ndef b(raw: pa.Table) -> pa.Table: return clean(again(raw))",
        path="steps/another.py",
    )
    assert set(project.declare().steps) == {"raw", "a", "b"}


def test_edits_are_seen(project):
    project.write("rates.py", "RATE = 1")
    write(project, "import rates\n@step\ndef f(raw: pa.Table) -> pa.Table: return rates.RATE")
    first = project.declare()
    assert load_function(first, first.steps["f"])(None) == 1
    project.write("rates.py", "RATE = 2")
    second = project.declare()
    assert load_function(second, second.steps["f"])(None) == 2
    assert first.steps["f"].fingerprint != second.steps["f"].fingerprint


def test_two_projects_with_modules_of_the_same_name(project, tmp_path):
    other = type(project)(tmp_path / "other")
    for number, folder in enumerate((project, other)):
        folder.write("rates.py", f"RATE = {number}")
        folder.write("late.py", f"RATE = {number}")
        write(
            folder,
            """
            import rates
            @step
            def f(raw: pa.Table) -> pa.Table:
                from late import RATE
                return rates.RATE, RATE
            """,
        )
    one, two = project.declare(), other.declare()
    assert load_function(one, one.steps["f"])(None) == (0, 0)
    assert load_function(two, two.steps["f"])(None) == (1, 1)
    assert load_function(one, one.steps["f"])(None) == (0, 0)


def test_modules_of_the_caller_are_left_alone(project, monkeypatch):
    project.write("rates.py", "RATE = 2")
    mine = type(sys)("rates")
    monkeypatch.setitem(sys.modules, "rates", mine)
    write(project, "import rates\n@step\ndef f(raw: pa.Table) -> pa.Table: return rates.RATE")
    spec = project.declare()
    assert load_function(spec, spec.steps["f"])(None) == 2


def test_a_folder_named_like_a_library_hides_nothing(project):
    project.write("polars/readme.txt", "data")
    write(project, "import polars as pl\n@step\ndef f(raw: pl.DataFrame) -> pl.DataFrame: ...")
    assert project.declare().steps["f"].function.returns.kind == FrameKind.POLARS


def test_another_process_loads_the_function(project):
    project.write("rates.py", "RATE = 5")
    write(
        project,
        "import rates\ndef make(n):\n    def f(raw: pa.Table) -> pa.Table:\n"
        "        from rates import RATE\n        return n * RATE\n    return f\n"
        "step(name='x')(make(3))",
    )
    spec = project.declare()
    code = (
        "import pickle, sys; from segue.declare.python import load_function;"
        "spec = pickle.load(sys.stdin.buffer); print(load_function(spec, spec.steps['x'])(None))"
    )
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(spec), capture_output=True, check=True
    )
    assert done.stdout.strip() == b"15"


def test_a_function_that_is_gone_says_so(project):
    write(project, "@step\ndef f(raw: pa.Table) -> pa.Table: ...")
    spec = project.declare()
    write(project, "")
    import pickle

    code = (
        "import pickle, sys; from segue.declare.python import load_function;"
        "spec = pickle.load(sys.stdin.buffer); load_function(spec, spec.steps['f'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(spec), capture_output=True, check=False
    )
    assert UnknownNameError.__name__.encode() in done.stderr
    assert b"no longer declares 'f'" in done.stderr


WRONG = [
    ("@step\ndef f(raw) -> pa.Table: ...", "missing-annotation", 4, "'raw' does not say", "can be"),
    ("@step\ndef f(raw: pa.Table): ...", "missing-annotation", 4, "what it returns", "None for"),
    ("@step\ndef f(raw: set) -> pa.Table: ...", "bad-annotation", 4, "set can't", "pandas.DataFra"),
    ("@step\ndef f(raw: pa.Table) -> 'x y': ...", "bad-annotation", 4, "x y can't", "polars.Data"),
    ("@step\ndef f(raw: pa.RecordBatch) -> None: ...", "bad-annotation", 4, "RecordBatch", "Itera"),
    ("@step\ndef f(n: int) -> None: ...", "bad-parameter", 4, "has no default", "n: int = ..."),
    ("@step\ndef f(n: int = 1.5) -> None: ...", "bad-parameter", 4, "annotated int", "agree"),
    ("@step\ndef f(n: set = 1) -> None: ...", "bad-parameter", 4, "no setting can be", "bool, int"),
    ("@step\ndef f(n=[]) -> None: ...", "bad-parameter", 4, "of type list", "number, a text"),
    ("@step\ndef f(*raw: pa.Table) -> None: ...", "bad-parameter", 4, "*raw", "of its own"),
    ("@step\nasync def f(raw: pa.Table) -> None: ...", "bad-function", 4, "async", "write def"),
    ("@step(mod='merge')\ndef f(raw: pa.Table) -> None: ...", "unknown-option", 4, "'mod'", "mode"),
    (
        "@step(mode='view')\ndef f(raw: pa.Table) -> None: ...",
        "bad-option",
        4,
        "SQL step",
        "as SQL",
    ),
    (
        "@step(mode='merge')\ndef f(raw: pa.Table) -> pa.Table: ...",
        "merge-without-key",
        4,
        "",
        "key",
    ),
    ("@step(how='innr')\ndef f(raw: pa.Table) -> pa.Table: ...", "bad-option", 4, "'inner'?", ""),
    (
        "@step(mode='append')\ndef f(raw: pa.Table) -> None: ...",
        "bad-option",
        4,
        "returns None",
        "",
    ),
    ("@step(by='a')\ndef f() -> pa.Table: ...", "bad-option", 4, "without a table", "parameter"),
    ("@step(name='a-b')\ndef f() -> pa.Table: ...", "bad-name", 4, "'a-b'", "letters"),
    ("@step\ndef x__rejects() -> pa.Table: ...", "bad-name", 4, "__rejects", "another ending"),
    ("@step(schema='a: int65')\ndef f() -> pa.Table: ...", "bad-option", 4, "unknown type", ""),
    ("@step(schema=3)\ndef f() -> pa.Table: ...", "bad-option", 4, "pyarrow.Schema", ""),
    ("\ndef f(:\n", "python-syntax", 4, "not valid Python", ""),
    ("\nimport no_such_library", "python-import", 4, "ModuleNotFoundError", "no_such_library"),
    ("def g():\n    raise KeyError('k')\ng()", "python-import", 4, "KeyError: 'k'", ""),
    ("import sys\nsys.exit(3)", "python-import", 4, "SystemExit", ""),
    ("@step\nclass A: ...", "python-import", 3, "marks functions", ""),
]


@pytest.mark.parametrize(("text", "code", "line", "message", "hint"), WRONG)
def test_mistakes(project, text, code, line, message, hint):
    write(project, text)
    problem = project.problem()
    assert (problem.code, problem.location) == (code, Location("steps/code.py", line))
    assert message in problem.message
    assert hint in problem.hint


def test_a_mistake_in_a_helper_is_shown_there(project):
    project.write("lib/helper.py", "x = 1\n\ny = x.nothing\n")
    write(project, "import lib.helper")
    write(project, "import lib.helper", path="steps/other.py")
    problem = project.problem()
    assert problem.location == Location("lib/helper.py", 3)


def test_readers_of_a_broken_file_are_not_blamed(project):
    write(project, "import nothing_like_it\n@step\ndef lost(raw: pa.Table) -> pa.Table: ...")
    project.write("steps/reader.sql", "from lost")
    assert project.problem().code == "python-import"
