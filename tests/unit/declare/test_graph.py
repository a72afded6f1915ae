"""The graph of a project: order, names, circles; and all that is wrong told at once."""

import pytest

from segue.errors import Location


def test_a_table_comes_before_its_readers(project):
    project.write("steps/a.sql", "from b")
    project.write("steps/b.sql", "from c join raw using (id)")
    project.write("steps/c.sql", "from raw")
    assert list(project.declare().steps) == ["raw", "c", "b", "a"]


def test_a_contract_waits_for_what_it_refers_to(project):
    project.write("steps/a.sql", "select 1 as id")
    project.write("steps/z.sql", "select 1 as id")
    project.write("contracts.yml", "a: {columns: {id: {references: z.id}}}")
    order = list(project.declare().steps)
    assert order.index("z") < order.index("a")


def test_names_fold_case_as_sql_does(project):
    project.write("steps/a.sql", "from RAW join Raw as b using (id)")
    assert project.declare().steps["a"].reads == ("raw",)


def test_rejects_are_read_of_tables_that_set_rows_aside(project):
    project.write("steps/a.sql", "from raw__rejects")
    problem = project.problem()
    assert (problem.code, problem.location) == ("unknown-table", Location("steps/a.sql", 1))
    assert "rejects: true in the contract of raw" in problem.hint
    project.write("contracts.yml", "raw: {rejects: true}")
    spec = project.declare()
    assert spec.steps["a"].reads == ("raw__rejects",)
    assert list(spec.steps) == ["raw", "a"]


def test_unknown_tables_lead_to_both_ways_to_declare_one(project):
    project.write("steps/a.sql", "-- raww is not it\nselect *\nfrom raw\njoin raww using (id)")
    problem = project.problem()
    assert (problem.code, problem.location) == ("unknown-table", Location("steps/a.sql", 4))
    assert "did you mean 'raw'?" in problem.hint
    assert "steps/raww.sql" in problem.hint
    assert "[tables.raww] in segue.toml" in problem.hint


def test_circles_are_shown_whole(project):
    project.write("steps/c.sql", "from b")
    project.write("steps/b.sql", "from a")
    project.write("steps/a.sql", "from c join raw using (id)")
    project.write("steps/self.sql", "from self")
    first, second = project.problems()
    assert (first.code, first.location) == ("cycle", Location("steps/a.sql", 1))
    assert "a -> c -> b -> a" in first.message
    assert "b at steps/b.sql:1" in first.message
    assert "self -> self" in second.message


def test_a_circle_through_a_contract(project):
    project.write("steps/a.sql", "select 1 as id")
    project.write("steps/b.sql", "from a")
    project.write("contracts.yml", "a: {columns: {id: {references: b.id}}}")
    problem = project.problem()
    assert "a -> b -> a" in problem.message


@pytest.mark.parametrize("name", ["raw", "Raw"])
def test_a_name_belongs_to_one(project, name):
    project.write(f"steps/deep/{name}.sql", "select 2 as id")
    problem = project.problem()
    assert problem.code == "duplicate-name"
    assert problem.location.path.endswith(".sql")
    assert "steps/" in problem.message
    assert problem.hint == "rename one of them"


def test_a_name_belongs_to_sql_or_python(project):
    project.write(
        "steps/x.py",
        "import pyarrow as pa\nfrom segue import step\n@step\ndef raw() -> pa.Table: ...",
    )
    assert project.problem().location == Location("steps/x.py", 4)


def test_a_name_belongs_to_a_step_or_a_source(project):
    project.add_toml("[tables.raw]\npath = 'x.csv'")
    problem = project.problem()
    assert (problem.code, problem.location) == ("duplicate-name", Location("steps/raw.sql", 1))
    assert "segue.toml:3" in problem.message


def test_sources_that_differ_only_by_case(project):
    project.add_toml("[tables.a]\npath = 'x.csv'\n[tables.A]\npath = 'y.csv'")
    problem = project.problem()
    assert (problem.code, problem.location) == ("duplicate-name", Location("segue.toml", 5))


@pytest.mark.parametrize("name", ["a-b", "1a", "a b", "a__rejects"])
def test_names_of_files_are_names_of_tables(project, name):
    project.write(f"steps/{name}.sql", "select 1 as id")
    problem = project.problem()
    assert (problem.code, problem.location) == ("bad-name", Location(f"steps/{name}.sql"))


def test_everything_wrong_is_told_at_once(project, monkeypatch):
    monkeypatch.delenv("CRM_PASSWORD", raising=False)
    project.write(
        "segue.toml",
        """\
        [project]
        name = "shop"
        wrokers = 2

        [tables.crm]
        connection = "crm"

        [connections.crm]
        url = "postgresql://reader:${CRM_PASSWORD}@db/crm"

        [steps.daily]
        on = "cluster"

        [params.forecast]
        horizn = 3
        """,
    )
    project.write("steps/daily.sql", "select *\nfrom ordrs")
    project.write("steps/orders.sql", "-- segue: {mode: merge}\nfrom crm")
    project.write("steps/broken.sql", "select a\nfrm b c d")
    project.write("steps/reader.sql", "from broken")
    project.write("steps/one.sql", "from two")
    project.write("steps/two.sql", "from one")
    project.write(
        "steps/models.py",
        """\
        import pyarrow as pa
        from segue import step

        @step
        def forecast(daily: pa.Table, horizon: int = 14) -> pa.Table: ...

        @step
        def score(daily) -> pa.Table: ...
        """,
    )
    project.write("steps/sick.py", "from segue import step\n\n1 / 0\n")
    project.write(
        "contracts.yml",
        """\
        orders:
          columns:
            id: {type: int65}
            store: {references: shops.id}
          fresh: {column: day, within: soon}
        """,
    )
    assert [f"{p.location} {p.code}" for p in project.problems()] == [
        "contracts.yml:3 bad-check",
        "contracts.yml:4 unknown-table",
        "contracts.yml:5 bad-check",
        "segue.toml:3 unknown-key",
        "segue.toml:6 missing-key",
        "segue.toml:9 secret-not-set",
        "segue.toml:12 unknown-place",
        "segue.toml:15 unknown-parameter",
        "steps/broken.sql:2 sql-syntax",
        "steps/daily.sql:2 unknown-table",
        "steps/models.py:8 missing-annotation",
        "steps/one.sql:1 cycle",
        "steps/orders.sql:1 merge-without-key",
        "steps/sick.py:3 python-import",
    ]
    with pytest.raises(Exception, match="14 problems in the project's files"):
        project.declare()


def test_an_empty_project_has_no_steps(tmp_path):
    from segue.declare.discover import declare_project

    (tmp_path / "segue.toml").write_text('[project]\nname = "x"\n')
    spec = declare_project(tmp_path)
    assert (dict(spec.steps), spec.name) == ({}, "x")
