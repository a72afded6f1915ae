"""Random projects, randomly edited: after each run, every table is what a fresh copy gives."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flow.building import TOML, Built, lines, source

SOURCES = ("one", "two")
STEPS = ("a", "b", "c", "d")


@st.composite
def steps(draw, position: int) -> str:
    """Return the text of the step at a position, which may read all before it."""
    known = [*SOURCES, *STEPS[:position]]
    first, second = draw(st.sampled_from(known)), draw(st.sampled_from(known))
    number = draw(st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                f"select k, n + {number} as n from {first}",
                f"select k, n from {first} where n % 4 > {number}",
                f"select k, sum(n)::bigint as n from {first} group by k",
                f"select k, n from {first} union all select k, n from {second}",
                f"select l.k, l.n + r.n as n from {first} l join {second} r using (k)",
                f"-- segue: {{mode: view}}\nselect k, n * {number} as n from {first}",
            ]
        )
    )


texts = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=4).map(
    lambda rows: lines("k,n", "9,9", *(f"{k},{n}" for k, n in rows))
)
edits = st.one_of(
    st.tuples(st.sampled_from([f"{name}.csv" for name in SOURCES]), texts),
    st.integers(0, len(STEPS) - 1).flatmap(
        lambda position: st.tuples(st.just(f"steps/{STEPS[position]}.sql"), steps(position))
    ),
    st.tuples(
        st.just("contracts.yml"),
        st.integers(0, 9).map(
            lambda n: f"a: {{columns: {{n: {{between: {{max: {n}, warn: 0}}}}}}}}\n"
        ),
    ),
)
projects = st.fixed_dictionaries(
    {
        **{f"{name}.csv": texts for name in SOURCES},
        **{f"steps/{name}.sql": steps(position) for position, name in enumerate(STEPS)},
        "steps/e.py": st.sampled_from([1, 2]).map(
            lambda n: (
                "from segue import step\n\n\n@step\n"
                f"def e(d: list[dict], plus: int = {n}) -> list[dict]:\n"
                "    rows = [{'k': 0, 'n': 0}, *d]\n"
                "    return [{'k': row['k'], 'n': row['n'] + plus} for row in rows]\n"
            )
        ),
    }
)


def read_all(project: Built) -> dict[str, list[tuple]]:
    return {name: project.rows(name) for name in (*STEPS, "e")}


@given(files=projects, changes=st.lists(edits, min_size=1, max_size=3), selected=st.booleans())
@settings(max_examples=4)
def test_each_run_gives_what_a_fresh_copy_gives_and_the_next_does_nothing(files, changes, selected):
    toml = TOML + "".join(source(name, f"{name}.csv") for name in SOURCES)
    with tempfile.TemporaryDirectory() as folder:
        project = Built(Path(folder, "p")).write({"segue.toml": toml, **files})
        project.run()
        for name, text in changes:
            project.write({name: text})
            if selected:  # a run of a part first changes nothing about the whole
                project.run("+c")
            project.run()
            assert project.to_do() == set()
            assert set(project.run().values()) <= {"up to date"}
        project.close()
        copy = Built(Path(folder, "copy"))
        shutil.copytree(project.root, copy.root, ignore=shutil.ignore_patterns("lake"))
        copy.run()
        assert read_all(project) == read_all(copy)
        project.close()
        copy.close()
