"""``segue.toml``: what it sets, and every mistake in it with its line."""

import pytest

from segue.declare.discover import declare_project, find_root
from segue.declare.locate import find_lines, line_of
from segue.errors import Location, UsageError
from segue.spec.step import PlaceSpec


def test_settings_reach_the_project(project, monkeypatch):
    monkeypatch.setenv("LAKE", "x")
    project.write(
        "segue.toml",
        """
        [project]
        name = "shop"
        workers = 2

        [lake]
        path = "tables"
        ledger = "postgresql://${LAKE}@db/x"
        lease = "20s"

        [places.cluster]
        engine = "duckdb"
        memory = "1GB"

        [steps.raw]
        on = "cluster"
        retries = 3
        timeout = "5m"
        tags = ["a"]
        """,
    )
    project.write("uv.lock", "a")
    spec = project.declare()
    assert (spec.name, spec.workers, spec.lease) == ("shop", 2, 20.0)
    assert spec.lake == str(project.root / "tables")
    assert (spec.ledger, spec.secrets) == ("postgresql://${LAKE}@db/x", ("LAKE",))
    assert spec.places["cluster"] == PlaceSpec("cluster", memory=10**9)
    assert spec.places["local"] == PlaceSpec("local")
    step = spec.steps["raw"]
    assert (step.on, step.tags) == ("cluster", ("a",))
    assert (step.limits.retries, step.limits.timeout) == (3, 300.0)
    locked = spec.lock
    project.write("uv.lock", "b")
    assert locked != project.declare().lock != ""


def test_a_lake_elsewhere_keeps_its_address(project):
    project.add_toml('[lake]\npath = "s3://bucket/x"')
    assert project.declare().lake == "s3://bucket/x"


WRONG = [
    ("x = ", "toml-syntax", 3, "not valid TOML", ""),
    ("\n\n[lake]\npath = 'a", "toml-syntax", 6, "not valid TOML", ""),
    ("[tables.a]\n[tables.a]", "toml-syntax", 4, "[tables.a] stands in it twice", ""),
    ("a" + ".a" * 5000 + " = 1", "toml-syntax", 3, "too many parts", ""),
    ("x = " + "[" * 100_000, "toml-syntax", None, "nested too deeply", ""),
    ("[laek]\npath = 'a'", "unknown-key", 3, "'laek'", "did you mean 'lake'"),
    ("[lake]\npth = 'a'", "unknown-key", 4, "'lake.pth'", "did you mean 'path'?"),
    ("[lake]\nlease = 'soon'", "bad-value", 4, "lake.lease: 'soon' is not a duration", ""),
    ("[lake]\nlease = 0", "bad-value", 4, "lake.lease", ""),
    ("[places.far]\nengine = 'duckdb'\nthreads = 'x'", "bad-value", 5, "places.far.threads", ""),
    ("[places.far]\nengin = 'x'", "unknown-key", 4, "places.far.engin", "'engine'"),
    ("[places.far]\nengine = 'duckbd'", "unknown-name", 4, "'duckbd'", "'duckdb'"),
    ("[places.far]\nengine = 'rey'", "unknown-name", 4, "'rey'", "did you mean 'ray'?"),
    ("[steps.raw]\nretrys = 1", "unknown-key", 4, "steps.raw.retrys", "'retries'"),
    ("[steps.rwa]\nretries = 1", "unknown-step", 3, "'rwa'", "did you mean 'raw'?"),
    ("[steps.raw]\non = 'fra'", "unknown-place", 4, "'fra'", "[places.fra]"),
    ("[params.raw]\nx = [1]", "bad-value", 4, "params.raw.x must be", ""),
    ("[params.raw]\nx = 1", "unknown-parameter", 4, "'x'", "has no settings"),
    ("[params.rwa]\nx = 1", "unknown-step", 4, "'rwa'", "did you mean 'raw'?"),
    ("[connections.a]\nurl = 'x://${NO_SUCH}@y'", "secret-not-set", 4, "NO_SUCH", "export"),
    ("[tables.a]\nconnection = 'crm'", "unknown-name", 4, "'crm'", "[connections.crm]"),
    ("[connections.crm]\nurl = 'x'\nurk = 'x'", "unknown-key", 5, "connections.crm.urk", "'url'"),
    (
        "[connections.c]\nurl = 'x'\n[tables.a]\nconnection = 'c'",
        "missing-key",
        6,
        "query",
        "table =",
    ),
    ("[tables.a]\nformat = 'csv2'", "unknown-kind", 4, "'csv2'", "'csv'"),
    ("[tables.a]\ndelimiter = ';'", "missing-key", 3, "has no path", "path ="),
    ("[tables.a]\npth = 'a.csv'", "missing-key", 4, "has no path", "is 'pth' meant to be 'path'?"),
    ("[tables.a]\npath = 'x.unknown'", "unknown-kind", 4, "does not tell", "format ="),
    ("[tables.raw]\nconnection = 'crm'", "unknown-name", 4, "'crm'", ""),
    ("[tables.a-b]\nconnection = 'crm'", "bad-name", 3, "'a-b'", "underscores"),
]


@pytest.mark.parametrize(("text", "code", "line", "message", "hint"), WRONG)
def test_mistakes(project, text, code, line, message, hint):
    project.write("segue.toml", '[project]\nname = "shop"\n' + text)
    problem = project.problems()[0]
    assert (problem.code, problem.location) == (code, Location("segue.toml", line))
    assert message in problem.message
    assert hint in problem.hint


def test_a_project_needs_a_name(project):
    project.write("segue.toml", "[lake]\npath = 'x'\n")
    problem = project.problem()
    assert (problem.code, problem.location.path) == ("missing-key", "segue.toml")
    assert "[project]" in problem.hint


def test_all_mistakes_are_told_at_once(project):
    project.add_toml("[lake]\npth = 1\nlease = 'x'\n[places.a]\nengine = 'y'\nthreads = 0")
    assert [problem.location.line for problem in project.problems()] == [4, 5, 7, 8]


def test_readers_of_sources_are_not_blamed_for_bad_toml(project):
    project.write("segue.toml", "[tables.orders\npath = 'x.csv'\n")
    project.write("steps/reader.sql", "from orders")
    project.write("steps/broken.sql", "insert into orders select 1")
    found = [problem.code for problem in project.problems()]
    assert found == ["toml-syntax", "sql-not-one-select"]


def test_a_file_that_is_too_large_is_not_parsed(project):
    project.add_toml("# " + "x" * 1_000_000)
    assert project.problem().code == "file-too-large"


def test_a_file_that_is_not_text_names_the_line(project):
    (project.root / "segue.toml").write_bytes(b"[project]\nname = '\xff'\n")
    problem = project.problem()
    assert (problem.code, problem.location.line) == ("not-utf8", 2)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("data/x.csv", "csv"),
        ("data/x.CSV.gz", "csv"),
        ("data/*.csv", "csv"),
        ("/absolute/*/x.csv.zst", "csv"),
        ("plain/", "csv"),
        ("plain", "csv"),
        ("plain/*", "csv"),
        ("delta", "delta"),
    ],
)
def test_the_kind_of_a_source_follows_from_its_path(project, path, kind):
    project.write("plain/a/readme", "")
    project.write("plain/b.csv", "x\n1\n")
    project.write("delta/_delta_log/0.json", "")
    project.add_toml(f"[tables.t]\npath = {path!r}")
    source = project.declare().sources["t"]
    assert source.kind == kind
    assert source.options["path"] == path
    assert source.location == Location("segue.toml", 3)


def test_a_source_says_its_kind(project):
    project.add_toml("[tables.t]\npath = 'x.txt'\nformat = 'csv'")
    assert project.declare().sources["t"].kind == "csv"


def test_options_of_a_source_are_checked(project):
    project.add_toml("[tables.t]\npath = 'x.csv'\ndelimitr = ';'")
    problem = project.problem()
    assert (problem.code, problem.location.line) == ("unknown-key", 5)
    assert "delimiter" in problem.hint


def test_parameters(project):
    project.write(
        "steps/f.py",
        """
        import pyarrow as pa
        from segue import step
        @step
        def f(raw: pa.Table, n: int = 1, rate: float = 1, word: str = "", on: bool = False,
              day: str | None = None) -> pa.Table: ...
        """,
    )
    project.add_toml("[params.f]\nn = 2\nrate = 3\nday = 'x'")
    assert project.declare().parameters == {"f.n": 2, "f.rate": 3, "f.day": "x"}
    given = project.declare(f__n="7", f__rate="0.5", f__word="7", f__on="true").parameters
    assert given == {"f.n": 7, "f.rate": 0.5, "f.day": "x", "f.word": "7", "f.on": True}
    spec = project.declare(f__n=5)
    assert spec.parameters_of(spec.steps["f"])["n"] == 5
    problem = project.problem(f__n="many")
    assert (problem.code, problem.location) == ("bad-parameter", None)
    assert "a whole number, not 'many'" in problem.message
    assert "did you mean 'word'?" in project.problem(f__wrd="x").hint
    assert "did you mean 'f'?" not in project.problem(g__n=1).message
    project.add_toml("[params.f]\nn = 2.5")
    assert project.problem().location == Location("segue.toml", 4)


def test_find_root(project, tmp_path):
    assert find_root(project.root / "steps") == project.root
    with pytest.raises(UsageError) as caught:
        find_root(tmp_path)
    assert "segue new" in caught.value.hint
    with pytest.raises(UsageError):
        declare_project(project.root / "steps")


def test_lines_of_keys():
    lines = find_lines(
        '# [no]\n[a."b.c"]\nx = """\ny = 1\n"""\nz = [\n  "k = 1",\n]\n'
        "d.e = 1 # [f]\n[[g]]\nh = {i = 1}\n"
    )
    assert lines == {
        ("a", "b.c"): 2,
        ("a", "b.c", "x"): 3,
        ("a", "b.c", "z"): 6,
        ("a", "b.c", "d"): 9,
        ("a", "b.c", "d", "e"): 9,
        ("g",): 10,
        ("g", "h"): 11,
    }
    assert line_of(("g", "h", "i"), lines) == 11
    assert line_of(("nothing",), lines) is None
