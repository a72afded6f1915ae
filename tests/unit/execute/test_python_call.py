from dataclasses import replace

import pyarrow as pa
import pytest

from segue.errors import OutputError, SegueError, StepError
from segue.spec.sensitive import mark_columns
from segue.spec.types import parse_schema

SHOP = pa.table({"store": [1, 2, 1, None], "n": [1, 2, 3, None]})

KINDS = {
    "pandas.DataFrame": "pd.DataFrame",
    "polars.DataFrame": "pl.DataFrame",
    "polars.LazyFrame": "pl.LazyFrame",
    "pyarrow.Table": "pa.Table",
    "duckdb.DuckDBPyRelation": "duckdb.DuckDBPyRelation",
    "list[dict]": "list[dict]",
    "Iterator[pandas.DataFrame]": "Iterator[pd.DataFrame]",
    "Iterator[polars.DataFrame]": "Iterator[pl.DataFrame]",
    "Iterator[pyarrow.Table]": "Iterator[pa.Table]",
    "Iterator[pyarrow.RecordBatch]": "Iterator[pa.RecordBatch]",
    "Iterator[list[dict]]": "Iterator[list[dict]]",
}


@pytest.mark.parametrize("annotation", KINDS.values(), ids=KINDS)
def test_rows_pass_through_a_function_of_every_annotation(world, annotation):
    world.add(shop=SHOP)
    made = world.call(
        f"""
        @step
        def made(shop: {annotation}) -> {annotation}:
            return shop
        """
    )
    assert made.to_pylist() == SHOP.to_pylist()
    assert made.schema.types == [pa.int64(), pa.int64()]


@pytest.mark.parametrize("annotation", KINDS.values(), ids=KINDS)
def test_a_result_without_rows_keeps_its_columns(world, annotation):
    world.add(shop=SHOP.slice(0, 0))
    made = world.call(
        f"""
        @step
        def made(shop: {annotation}) -> {annotation}:
            return shop
        """,
        schema=parse_schema("store: int64, n: int64"),
    )
    assert (made.num_rows, made.schema) == (0, SHOP.schema)


def test_two_tables_and_a_setting(world):
    world.add(shop=SHOP, names=pa.table({"store": [1, 2], "name": ["a", "b"]}))
    made = world.call(
        """
        @step
        def made(shop: pd.DataFrame, names: pl.DataFrame, least: int = 2) -> list[dict]:
            return [{"rows": len(shop), "names": names["name"].to_list(), "least": least}]
        """,
        parameters={"least": 7},
    )
    assert made.to_pylist() == [{"rows": 4, "names": ["a", "b"], "least": 7}]


def test_two_streams_at_once(world):
    rows = pa.table({"a": range(300_000)})
    world.add(left=rows, right=rows)
    made = world.call(
        """
        Batches = Iterator[pa.RecordBatch]

        @step
        def made(left: Batches, right: Batches) -> Iterator[list[dict]]:
            for one, two in zip(left, right, strict=True):
                yield [{"same": one.equals(two), "rows": one.num_rows}]
        """
    )
    assert all(made["same"].to_pylist())
    assert sum(made["rows"].to_pylist()) == 300_000


def test_sort_without_groups_orders_the_rows(world):
    world.add(shop=SHOP)
    made = world.call(
        """
        @step(sort="-n")
        def made(shop: pd.DataFrame) -> list[dict]:
            return [{"n": str(shop["n"].tolist())}]
        """
    )
    assert made.to_pylist() == [{"n": "[3, 2, 1, <NA>]"}]


def test_declared_schema_is_exact(world):
    world.add(shop=SHOP)
    made = world.call(
        """
        @step(schema="*, share: float32, day: date")
        def made(shop: pd.DataFrame) -> pd.DataFrame:
            return shop.assign(day="2020-01-02", share=1)[["day", "share", "n", "store"]]
        """
    )
    assert made.schema.names == ["store", "n", "share", "day"]
    assert made.schema.types == [pa.int64(), pa.int64(), pa.float32(), pa.date32()]


def test_rows_that_are_none_need_no_declared_columns(world):
    world.add(shop=SHOP)
    made = world.call(
        """
        @step(schema="*, share: float64")
        def made(shop: pd.DataFrame) -> pd.DataFrame:
            return shop.head(0)
        """
    )
    assert made.num_rows == 0
    assert made.column_names == ["store", "n", "share"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("shop", "without 'share'"),
        ("shop.assign(share=1.0, more=1)", "with 'more' that the schema does not have"),
        ("shop.assign(share='x')", "column 'share' is string and can't be float64"),
    ],
)
def test_declared_schema_is_enforced(world, returned, message):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match=message) as raised:
        world.call(
            f"""
            @step(schema="*, share: float64")
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                return {returned}
            """
        )
    assert raised.value.step == "made"
    assert raised.value.location.path == "steps/functions.py"


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        ("None", "None"),
        ("shop['n']", "pandas.Series"),
        ("[1]", "list"),
        ("pl.DataFrame()", "polars.DataFrame"),
    ],
)
def test_another_frame_than_announced_is_refused(world, returned, found):
    world.add(shop=SHOP)
    expected = f"it returned {found}, where pandas.DataFrame is announced"
    with pytest.raises(OutputError, match=expected):
        world.call(
            f"""
            @step
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                return {returned}
            """
        )


@pytest.mark.parametrize(
    ("kind", "returned", "found"),
    [
        ("pd.DataFrame", "5", "int"),
        ("pd.DataFrame", "shop.to_pandas()", "a single pandas.DataFrame"),
        ("pa.Table", "shop", "a single pyarrow.Table"),
        ("list[dict]", "shop.to_pylist()", "dict"),
    ],
)
def test_an_iterator_that_is_none_is_refused(world, kind, returned, found):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match=f"it returned {found}, where Iterator"):
        world.call(
            f"""
            @step
            def made(shop: pa.Table) -> Iterator[{kind}]:
                return {returned}
            """
        )


def test_error_of_a_table_that_is_read_is_told_as_it_is(world):
    world.add(shop=SHOP)
    project = world.declare(
        """
        @step
        def made(shop: Iterator[list[dict]]) -> Iterator[list[dict]]:
            yield from shop
        """
    )
    task = world.task(project, "made", bindings={"shop": "select error('odd') as e from range(9)"})
    with pytest.raises(SegueError, match="odd") as raised:
        world.run(task)
    assert type(raised.value) is not StepError


def test_mixed_column_is_refused_by_name(world):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match="column 'odd' mixes int and str"):
        world.call(
            """
            @step
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                return shop.assign(odd=pd.Series([1, "x", 2, 3], dtype=object))
            """
        )


def test_remembered_schema_keeps_types_that_values_fit(world):
    world.add(shop=SHOP)
    made = world.call(
        """
        @step
        def made(shop: pd.DataFrame) -> list[dict]:
            return [{"a": 1.0, "b": 1.5, "c": None, "d": "x", "e": Decimal("1.5")}]
        """,
        schema=parse_schema("a: int64, b: int64, c: date, d: date, e: decimal(18,2)"),
    )
    types = [pa.int64(), pa.float64(), pa.date32(), pa.string(), pa.decimal128(18, 2)]
    assert made.schema.types == types


def test_types_widen_from_one_part_to_the_next(world):
    world.add(shop=SHOP)
    made = world.call(
        """
        @step
        def made(shop: pd.DataFrame) -> Iterator[list[dict]]:
            yield [{"a": None, "b": 1, "c": []}]
            yield []
            yield [{"b": 1.5, "a": "x", "c": [1]}]
        """
    )
    assert made.schema.types == [pa.string(), pa.float64(), pa.list_(pa.int64())]
    expected = [{"a": None, "b": 1.0, "c": []}, {"a": "x", "b": 1.5, "c": [1]}]
    assert made.to_pylist() == expected


def test_types_that_widen_after_a_file_was_written(world, monkeypatch):
    monkeypatch.setattr("segue.execute.collect.FILE_BYTES", 1)
    world.add(shop=SHOP)
    project = world.declare(
        """
        @step
        def made(shop: pd.DataFrame) -> Iterator[list[dict]]:
            yield [{"a": 1, "b": dt.timedelta(1)}]
            yield [{"a": 1.5, "b": None}]
        """
    )
    made, result = world.run(world.task(project, "made"))
    assert sorted(made["a"].to_pylist()) == [1.0, 1.5]
    assert made.schema.types == [pa.float64(), pa.duration("us")]
    names = {file.path for file in result.staged.files}
    assert names == {path.name for path in world.lake.folder("made").glob("*.parquet")}


def test_an_integer_that_a_float_can_not_hold_is_never_rounded(world):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match=f"column 'a' is int64 and can't be float64.*{2**53 + 1}"):
        world.call(
            """
            @step
            def made(shop: pd.DataFrame) -> Iterator[list[dict]]:
                yield [{"a": 2**53 + 1}]
                yield [{"a": 1.5}]
            """
        )


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{'a': 1}", "it lacks 'b', unlike in the results before"),
        ("{'a': 1, 'b': 1, 'c': 1}", "it has 'c' besides"),
        ("{'a': 'x', 'b': 1}", "column 'a' is string, not int64"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(world, second, message):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match=message):
        world.call(
            f"""
            @step
            def made(shop: pd.DataFrame) -> Iterator[list[dict]]:
                yield [{{"a": 1, "b": 1}}]
                yield [{second}]
            """
        )


def test_nothing_to_tell_columns_by(world):
    world.add(shop=SHOP)
    with pytest.raises(OutputError, match="it returned nothing to tell columns by") as raised:
        world.call(
            """
            @step
            def made(shop: pd.DataFrame) -> list[dict]:
                return []
            """
        )
    assert "schema=" in raised.value.hint


def test_effect_makes_no_table(world):
    world.add(shop=SHOP)
    project = world.declare(
        f"""
        @step
        def told(shop: pd.DataFrame) -> None:
            Path({str(world.root / "said")!r}).write_text(str(len(shop)))
        """
    )
    made, result = world.run(world.task(project, "told"))
    assert (made, result.staged, result.input_rows) == (None, None, {"shop": 4})
    assert (world.root / "said").read_text() == "4"


def test_error_shows_the_users_own_line_and_rows(world):
    world.add(shop=SHOP)
    with pytest.raises(StepError) as raised:
        world.call(
            """
            def divide(n):
                return n / 0

            @step
            def made(shop: pl.DataFrame) -> list[dict]:
                return [{"n": divide(1)}]
            """
        )
    error = raised.value
    lines = (world.root / "steps/functions.py").read_text().splitlines()
    assert error.message == "step 'made' raised ZeroDivisionError: division by zero"
    assert error.location.path == "steps/functions.py"
    assert lines[error.location.line - 1].strip() == "return n / 0"
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert error.sample.splitlines() == [
        "  store  n",
        "  1      1",
        "  2      2",
        "  1      3",
        "  null   null",
    ]
    assert "segue" not in error.trace
    assert "in divide" in error.trace


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("return shop.select(pl.col('nope'))", "nope"),
    ],
)
def test_lazy_frames_and_exits_are_errors_of_the_step(world, body, told):
    world.add(shop=SHOP)
    with pytest.raises(StepError, match=told) as raised:
        world.call(
            f"""
            @step
            def made(shop: pl.LazyFrame) -> pl.LazyFrame:
                {body}
            """
        )
    assert raised.value.location.path == "steps/functions.py"


def test_error_inside_an_iterator_shows_the_batch(world):
    world.add(shop=SHOP)
    with pytest.raises(StepError, match="ValueError: odd") as raised:
        world.call(
            """
            @step
            def made(shop: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
                for frame in shop:
                    yield frame
                    raise ValueError("odd")
            """
        )
    assert "store" in raised.value.sample


def test_interrupt_passes(world):
    world.add(shop=SHOP)
    with pytest.raises(KeyboardInterrupt):
        world.call(
            """
            @step
            def made(shop: pd.DataFrame) -> pd.DataFrame:
                raise KeyboardInterrupt
            """
        )


def test_sensitive_columns_are_masked(world):
    world.add(shop=SHOP)
    project = world.declare(
        """
        @step
        def made(shop: pd.DataFrame) -> pd.DataFrame:
            raise ValueError
        """
    )
    hidden = {"shop": mark_columns("shop", ["store"])}
    task = world.task(project, "made", project=replace(project, sensitive=hidden))
    with pytest.raises(StepError) as raised:
        world.run(task)
    assert raised.value.sample.splitlines()[1] == "  ***    1"
