"""What changes the fingerprint of a Python step, and what does not."""

import os
import subprocess
import sys
import textwrap

import pytest

from segue.declare.discover import declare_project

BASE = {
    "steps/code.py": '''
        """Module."""
        import functools
        import logging
        import threading
        from dataclasses import dataclass
        from collections import namedtuple

        import numpy as np
        import pyarrow as pa
        from segue import step

        import lib.rates
        from lib import tools
        from lib.tools import Cleaner, clean, wrapped

        LOG = logging.getLogger(__name__)
        LOCK = threading.Lock()
        LIMIT = 10
        UNUSED = 1
        TABLE = {"a": clean, "b": [1, {2, 3}]}
        Point = namedtuple("Point", "x y")

        def twice(value):
            """Double."""
            return 2 * value

        def unused(value):
            return value

        def deeper(value):
            return deepest(value) if value else twice(value)

        def deepest(value):
            return deeper(value - 1)

        def make(rate):
            @step(name="made")
            def inner(raw: pa.Table) -> pa.Table:
                return rate
            return inner

        make(3)

        @step(by="store", tags="x")
        def orders(raw: pa.Table, days: int = 7) -> pa.Table:
            """Orders."""
            # a comment
            from lib.late import late
            with LOCK:
                LOG.info("x")
            rows = [deeper(value) for value in raw]
            rows = list(map(lambda v: v + LIMIT, rows))
            return late(clean(rows) * lib.rates.RATE * np.e, Cleaner(), TABLE, wrapped, Point)
    ''',
    "lib/rates.py": "RATE = 3\nOTHER = 1\n",
    "lib/tools.py": """
        import functools

        def log(function):
            @functools.wraps(function)
            def around(*args):
                return function(*args)
            return around

        def clean(value):
            return value

        @log
        def wrapped(value):
            return hidden(value)

        def hidden(value):
            return value

        @functools.lru_cache
        def cached(value):
            return value

        class Base:
            size = 3

        class Cleaner(Base):
            def run(self, value):
                return cached(value)

            @property
            def name(self):
                return "x"
    """,
    "lib/late.py": "def late(*values):\n    return values\n",
}

CHANGES = [
    ("steps/code.py", "2 * value", "3 * value", "helper twice"),
    ("steps/code.py", "deeper(value - 1)", "deeper(value - 2)", "helper deepest"),
    ("steps/code.py", "LIMIT = 10", "LIMIT = 11", "constant LIMIT"),
    ("steps/code.py", "{2, 3}", "{2, 4}", "constant TABLE"),
    ("steps/code.py", "days: int = 7", "days: int = 8", "function orders"),
    ("steps/code.py", "for value in raw]", "for value in raw if value]", "function orders"),
    ("steps/code.py", "v + LIMIT", "v - LIMIT", "function orders"),
    ("steps/code.py", '"store"', '"shop"', "option by"),
    ("steps/code.py", '"x y"', '"x y z"', None),
    ("lib/rates.py", "RATE = 3", "RATE = 4", "constant lib.rates.RATE"),
    ("lib/tools.py", "def clean(value):\n            return value",
     "def clean(value):\n            return 1",
     "helper lib.tools.clean"),
    ("lib/tools.py", "return function(*args)", "return function(*args) or 1",
     "helper lib.tools.log, helper lib.tools.log.<locals>.around"),
    ("lib/tools.py", "return hidden(value)", "return hidden(value) or 1",
     "helper lib.tools.wrapped"),
    ("lib/tools.py", "def hidden(value):\n            return value",
     "def hidden(value):\n            return 1",
     "helper lib.tools.hidden"),
    ("lib/tools.py", "def cached(value):\n            return value",
     "def cached(value):\n            return 1",
     "helper lib.tools.cached"),
    ("lib/tools.py", "size = 3", "size = 4", "class lib.tools.Base"),
    ("lib/tools.py", 'return "x"', 'return "y"', "class lib.tools.Cleaner"),
    ("lib/late.py", "return values", "return 1", "helper lib.late.late"),
]  # fmt: skip

KEEPS = [
    ("steps/code.py", '"""Orders."""', '"""Other words."""'),
    ("steps/code.py", '            """Orders."""\n', ""),
    ("steps/code.py", '"""Double."""', "# no words"),
    ("steps/code.py", '"""Module."""', ""),
    ("steps/code.py", "# a comment", "# another\n            # and more"),
    ("steps/code.py", "return 2 * value", "return (2\n                * value)"),
    ("steps/code.py", "LIMIT = 10", "\n\n        LIMIT = 5 + 5"),
    ("steps/code.py", "UNUSED = 1", "UNUSED = 2"),
    ("steps/code.py", "{2, 3}", "{3, 2}"),
    ("steps/code.py", "def unused(value):\n            return value", "pass"),
    ("steps/code.py", 'tags="x"', 'tags="y", retries=3, timeout="9s", memory="1GB"'),
    ("lib/rates.py", "OTHER = 1", "OTHER = 2"),
    ("lib/tools.py", "size = 3", "size = 3  # three"),
]


def write(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))


def fingerprint(root, step="orders"):
    return declare_project(root).steps[step].fingerprint


@pytest.fixture
def shop(project):
    write(project.root, BASE)
    return project.root


def edit(shop, path, old, new):
    text = BASE[path]
    assert old in text, f"{old!r} is not in {path}"
    write(shop, {path: text.replace(old, new)})


@pytest.mark.parametrize(("path", "old", "new", "part"), CHANGES)
def test_changes(shop, path, old, new, part):
    before = fingerprint(shop)
    edit(shop, path, old, new)
    after = fingerprint(shop)
    assert before.opaque == after.opaque == ""
    assert before.digest != after.digest
    if part:
        changed = set(before.parts) ^ set(after.parts)
        assert {name for name, _ in changed} == set(part.split(", "))


@pytest.mark.parametrize(("path", "old", "new"), KEEPS)
def test_does_not_change(shop, path, old, new):
    before = fingerprint(shop)
    edit(shop, path, old, new)
    assert fingerprint(shop) == before


def test_closure_counts(shop):
    before = fingerprint(shop, "made")
    edit(shop, "steps/code.py", "make(3)", "make(4)")
    changed = set(before.parts) ^ set(fingerprint(shop, "made").parts)
    assert {name for name, _ in changed} == {"constant rate"}


def test_libraries_count_by_version(shop):
    parts = dict(fingerprint(shop).parts)
    import numpy as np

    assert parts["library numpy"] == np.__version__
    assert "library pyarrow" in parts
    assert not {"library segue", "library functools", "library logging"} & parts.keys()


def test_the_folder_does_not_count(shop, tmp_path):
    moved = shop.rename(tmp_path / "elsewhere")
    first = fingerprint(moved)
    assert fingerprint(moved.rename(shop)) == first


def test_the_hash_seed_does_not_count(project):
    project.write(
        "steps/code.py",
        """
        from segue import step
        WORDS = {"a", "b", "c", ("d", frozenset("efg"))}
        def one(v): return v in WORDS
        def two(v): return one(v)
        @step
        def f(raw: list[dict]) -> list[dict]:
            return [two(v) or one(v) for v in raw]
        """,
    )
    code = (
        "from pathlib import Path; from segue.declare.discover import declare_project;"
        f"print(declare_project(Path({str(project.root)!r})).steps['f'].fingerprint.digest)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


OPAQUE = [
    ("return eval('1')", "uses eval()"),
    ("exec('1')", "uses exec()"),
    ("return __import__('json')", "uses __import__()"),
    ("return importlib.import_module('json')", "imports modules by computed names"),
    ("return load('json')", "imports modules by computed names"),
    ("return getattr(rates, name)", "uses the module rates as a value"),
    ("return [rates]", "uses the module rates as a value"),
    ("return STREAM", "the value of a generator can't be seen"),
    ("return made(1)", "the source of made can't be found"),
    ("import broken", "imports broken, which can't be loaded"),
]


@pytest.mark.parametrize(("body", "reason"), OPAQUE)
def test_what_cannot_be_seen_counts_by_all_files(project, body, reason):
    project.write("rates.py", "RATE = 1\n")
    project.write("broken.py", "raise ValueError\n")
    project.write(
        "steps/code.py",
        f"""
        import importlib
        import pyarrow as pa
        import rates
        from importlib import import_module as load
        from segue import step

        STREAM = (x for x in ())
        exec("def made(x): return x")
        name = "RATE"

        @step
        def f(raw: pa.Table) -> pa.Table:
            {body}

        @step
        def seen(raw: pa.Table) -> pa.Table:
            return getattr(rates, "RATE")
        """,
    )
    before, seen = project.fingerprint("f"), project.fingerprint("seen")
    assert reason in before.opaque
    assert seen.opaque == ""
    assert "constant rates.RATE" in dict(seen.parts)
    project.write("unrelated.py", "x = 1\n")
    assert project.fingerprint("f").digest != before.digest
    assert project.fingerprint("seen") == seen


def test_views_count_in_their_readers(project):
    project.write("steps/v.sql", "-- segue: {mode: view}\nselect id from raw")
    project.write("steps/w.sql", "-- segue: {mode: view}\nselect * from v")
    project.write("steps/r.sql", "select * from w")
    before = project.fingerprint("r")
    project.write("steps/v.sql", "-- segue: {mode: view}\nselect id + 1 as id from raw")
    after = project.fingerprint("r")
    changed = set(before.parts) ^ set(after.parts)
    assert {name for name, _ in changed} == {"view w"}
    assert before.digest != after.digest


def test_a_contract_counts_and_its_words_do_not(project):
    def declare(text):
        project.write("contracts.yml", text)
        return project.fingerprint("raw")

    before = declare("raw:\n  columns:\n    id: {type: int64}\n")
    worded = declare(
        "raw:\n  owner: x\n  about: y\n\n  columns:\n    id: {about: z, type: int64}\n"
    )
    assert worded == before
    for change in (
        "raw:\n  columns:\n    id: {type: int32}\n",
        "raw:\n  columns:\n    id: {type: {type: int64, severity: warn}}\n",
        "raw:\n  columns:\n    id: {type: int64}\n  rejects: true\n",
        "raw:\n  columns:\n    id: {type: int64, required: true}\n",
    ):
        after = declare(change)
        assert {name for name, _ in set(before.parts) ^ set(after.parts)} == {"contract"}
        assert after.digest != before.digest
