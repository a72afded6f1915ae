import pyarrow as pa
import pytest

from segue.errors import OutputError, SqlError
from segue.spec.output import StagedTable
from segue.spec.step import Mode
from segue.spec.types import parse_schema

SHOP = pa.table({"k": [1, 2, None], "v": ["a", "b", "c"]})
MERGE = "-- segue: {mode: merge, key: k}\nselect * from shop"
APPEND = "-- segue: {mode: append}\nselect * from shop"


def rows(table):
    return sorted(map(str, table.to_pylist()))


def test_sql_is_staged_with_its_own_types(world):
    world.add(shop=SHOP)
    project = world.declare(
        made='select sum(k) as "the sum", count(*) as n, 1 / 2 as half from shop'
    )
    made, result = world.run(world.task(project, "made"))
    assert made.to_pylist() == [{"the sum": 3, "n": 3, "half": 0.5}]
    assert isinstance(result.staged, StagedTable)
    assert (result.staged.table, result.staged.mode) == ("made", Mode.REPLACE)
    assert str(result.staged.schema) == '"the sum": int64, n: int64, half: float64'
    assert all(file.digest for file in result.staged.files)


def test_sql_over_a_view(world):
    world.add(shop=SHOP)
    project = world.declare(
        made="select count(*) as n from few",
        few="-- segue: {mode: view}\nselect * from shop where k = 1",
    )
    bindings = {"shop": world.scan("shop"), "few": project.steps["few"].sql}
    made, _ = world.run(world.task(project, "made", bindings=bindings))
    assert made.to_pylist() == [{"n": 1}]


def test_sql_that_does_not_bind_tells_the_line(world):
    world.add(shop=SHOP)
    project = world.declare(made="-- about\n\nselect k,\n  vv\nfrom shop")
    with pytest.raises(SqlError, match="vv") as raised:
        world.run(world.task(project, "made"))
    assert str(raised.value.location) == "steps/made.sql:4"
    assert raised.value.step == "made"


def test_sql_that_fails_while_it_runs(world):
    world.add(shop=SHOP)
    project = world.declare(made="select v::int as n from shop")
    with pytest.raises(SqlError, match="'a'") as raised:
        world.run(world.task(project, "made"))
    assert raised.value.location.path == "steps/made.sql"


def test_append_keeps_the_base(world):
    world.add(shop=SHOP)
    project = world.declare(made=APPEND)
    _, first = world.run(world.task(project, "made"))
    changes = world.publish(first.staged)
    made, second = world.run(world.task(project, "made", **changes))
    assert rows(made) == sorted(rows(SHOP) * 2)
    assert second.staged.keeps == first.staged.files
    assert second.staged.base == 1


def test_append_of_nothing_adds_no_file(world):
    world.add(shop=SHOP)
    project = world.declare(made=APPEND)
    _, first = world.run(world.task(project, "made"))
    world.add(shop=SHOP.slice(0, 0))
    _, second = world.run(world.task(project, "made", **world.publish(first.staged)))
    assert second.staged.adds == ()
    found = {path.name for path in world.lake.folder("made").glob("*.parquet")}
    assert found == {file.path for file in first.staged.files}


def test_merge_replaces_rows_of_the_same_key(world):
    world.add(shop=SHOP)
    project = world.declare(made=MERGE)
    _, first = world.run(world.task(project, "made"))
    new = pa.table({"k": [2, None, 4], "v": ["B", "C", "D"]})
    world.add(shop=new)
    made, second = world.run(world.task(project, "made", **world.publish(first.staged)))
    assert rows(made) == rows(pa.concat_tables([SHOP.slice(0, 1), new]))
    assert second.staged.keeps == ()


def test_merge_rewrites_only_files_that_hold_its_keys(world):
    world.add(shop=SHOP)
    project = world.declare(made=MERGE)
    _, first = world.run(world.task(project, "made"))
    world.add(shop=pa.table({"k": [7], "v": ["g"]}))
    _, second = world.run(world.task(project, "made", **world.publish(first.staged)))
    assert second.staged.keeps == first.staged.files
    world.add(shop=pa.table({"k": [7], "v": ["G"]}))
    made, third = world.run(world.task(project, "made", **world.publish(second.staged, 2)))
    assert third.staged.keeps == first.staged.files
    assert len(third.staged.adds) == 1
    assert rows(made) == rows(pa.concat_tables([SHOP, pa.table({"k": [7], "v": ["G"]})]))


def test_merge_of_nothing_changes_nothing(world):
    world.add(shop=SHOP)
    project = world.declare(made=MERGE)
    _, first = world.run(world.task(project, "made"))
    world.add(shop=SHOP.slice(0, 0))
    _, second = world.run(world.task(project, "made", **world.publish(first.staged)))
    assert (second.staged.keeps, second.staged.adds) == (first.staged.files, ())


@pytest.mark.parametrize("again", [False, True])
def test_merge_refuses_a_key_that_comes_twice(world, again):
    world.add(shop=SHOP)
    project = world.declare(made=MERGE)
    changes = world.publish(world.run(world.task(project, "made"))[1].staged) if again else {}
    world.add(shop=pa.table({"k": [None, None, 5], "v": ["x", "y", "z"]}))
    with pytest.raises(OutputError, match="several rows for one key") as raised:
        world.run(world.task(project, "made", **changes))
    assert raised.value.sample == "  k     rows\n  null  2"


def test_merge_needs_its_key(world):
    world.add(shop=SHOP)
    project = world.declare(made="-- segue: {mode: merge, key: k}\nselect k as kk, v from shop")
    with pytest.raises(OutputError, match="lacks the key column 'k'") as raised:
        world.run(world.task(project, "made"))
    assert raised.value.hint == "did you mean 'kk'?"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select k, v, 1 as more from shop", r"column 'more' \(int32\) is new"),
        ("select k from shop", r"column 'v' \(string\) of the table is missing"),
        ("select k::float as k, v from shop", "column 'k' is float32, and int64 in the table"),
    ],
)
@pytest.mark.parametrize("mode", ["append", "merge, key: k"])
def test_added_rows_must_have_the_columns_of_the_table(world, mode, query, message):
    world.add(shop=SHOP)
    head = f"-- segue: {{mode: {mode}}}\n"
    project = world.declare(made=head + "select * from shop")
    _, first = world.run(world.task(project, "made"))
    project = world.declare(made=head + query)
    with pytest.raises(OutputError, match=message) as raised:
        world.run(world.task(project, "made", **world.publish(first.staged)))
    assert raised.value.hint == "segue run made --force builds the table anew"


def test_columns_are_added_by_name(world):
    world.add(shop=SHOP)
    project = world.declare(made=APPEND)
    _, first = world.run(world.task(project, "made"))
    project = world.declare(made="-- segue: {mode: append}\nselect v, k from shop -- all")
    made, _ = world.run(world.task(project, "made", **world.publish(first.staged)))
    assert rows(made) == sorted(rows(SHOP) * 2)


def test_function_that_appends_keeps_the_types_of_the_table(world):
    world.add(shop=SHOP)
    python = """
        @step(mode="append")
        def made(shop: list[dict]) -> list[dict]:
            return [{"a": VALUE, "b": None}]
        """
    project = world.declare(python.replace("VALUE", "1"))
    task = world.task(project, "made", schema=parse_schema("a: int64, b: date"))
    _, first = world.run(task)
    changes = world.publish(first.staged)
    made, _ = world.run(
        world.task(world.declare(python.replace("VALUE", "2.0")), "made", **changes)
    )
    assert made.schema.types == [pa.int64(), pa.date32()]
    with pytest.raises(OutputError, match="column 'a' is float64, and int64 in the table"):
        world.run(world.task(world.declare(python.replace("VALUE", "2.5")), "made", **changes))


@pytest.mark.parametrize("language", ["sql", "python"])
def test_replaced_table_is_free_to_change_its_columns(world, language):
    world.add(shop=SHOP)

    def declare(column):
        if language == "sql":
            return world.declare(made=f"select {column} from shop")
        return world.declare(
            f"""
            @step
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                return shop[[{column!r}]]
            """
        )

    _, first = world.run(world.task(declare("k"), "made"))
    made, second = world.run(world.task(declare("v"), "made", **world.publish(first.staged)))
    assert made.column_names == ["v"]
    assert second.staged.keeps == ()
