import pyarrow as pa
import pytest

from segue.errors import OutputError, StepError
from segue.execute.blocks import cut_stream, read_blocks
from segue.spec.types import parse_schema

SALES = pa.table(
    {"store": [2, 1, None, 2, None, 1], "day": [1, 1, 1, 3, 2, 2], "n": [1, 2, 3, 4, 5, 6]}
)
NAN = float("nan")


def group_rows(world, monkeypatch, *, streamed, keys, by, sort=()):
    """Return the rows of each group, both ways."""
    if streamed:
        monkeypatch.setattr("segue.execute.blocks.BLOCK_BYTES", 64)
    with world.open() as session:
        session.bind("t", keys)
        blocks = list(read_blocks(session, "select * from t", by, sort, 0 if streamed else 10**9))
    return [
        block.table.slice(start, stop - start).to_pylist()
        for block in blocks
        for start, stop in zip(block.bounds, block.bounds[1:], strict=False)
    ]


BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["held", "streamed"])


@BOTH
def test_groups_come_in_the_order_of_their_keys_nulls_last(world, monkeypatch, streamed):
    groups = group_rows(world, monkeypatch, streamed=streamed, keys=SALES, by=["store"])
    assert [(g[0]["store"], [row["n"] for row in g]) for g in groups] == [
        (1, [2, 6]),
        (2, [1, 4]),
        (None, [3, 5]),
    ]


@BOTH
def test_rows_are_sorted_inside_groups(world, monkeypatch, streamed):
    table = pa.table({"k": [1, 1, 1, 1], "v": [1.0, None, NAN, 2.0], "w": [1, 2, 3, 4]})
    for term, expected in (("v", [1, 4, 3, 2]), ("-v", [3, 4, 1, 2])):
        groups = group_rows(
            world, monkeypatch, streamed=streamed, keys=table, by=["k"], sort=[term]
        )
        assert [row["w"] for row in groups[0]] == expected


@BOTH
@pytest.mark.parametrize(
    "keys",
    [
        pa.array(["b", None, "", "b", "a", None]),
        pa.array([NAN, None, 1.0, NAN, 2.0, None]),
        pa.array([True, None, False, True, False, None]),
        pa.array([b"b", None, b"", b"b", b"a", None]),
        pa.array([2, None, 1, 2, 3, None], pa.timestamp("us", "Europe/Rome")),
        pa.array([2, None, 1, 2, 3, None], pa.date32()),
        pa.array(["b", None, "", "b", "a", None]).dictionary_encode(),
        pa.array([{"a": 1}, None, {"a": None}, {"a": 1}, {"a": 2}, None]),
        pa.array([2**60, None, 2**60 + 1, 2**60, -1, None]),
    ],
    ids=lambda keys: str(keys.type)[:12],
)
def test_keys_of_every_type(world, monkeypatch, streamed, keys):
    table = pa.table({"k": keys, "n": range(6)})
    groups = group_rows(world, monkeypatch, streamed=streamed, keys=table, by=["k"])
    members = sorted(tuple(sorted(row["n"] for row in group)) for group in groups)
    expected = {}
    for position, key in enumerate(keys.to_pylist()):
        expected.setdefault(repr(key), []).append(position)
    assert members == sorted(map(tuple, expected.values()))


@BOTH
def test_many_keys_of_several_columns(world, monkeypatch, streamed):
    count = 3_000
    table = pa.table(
        {
            "a": [n * 7919 % 100_003 for n in range(count)],
            "b": [n % 7 for n in range(count)],
            "c": [str(n % 11) for n in range(count)],
            "n": range(count),
        }
    )
    groups = group_rows(world, monkeypatch, streamed=streamed, keys=table, by=["c", "a", "b"])
    assert sorted(row["n"] for group in groups for row in group) == list(range(count))
    keys = [(group[0]["c"], group[0]["a"], group[0]["b"]) for group in groups]
    assert keys == sorted(set(keys))


def test_stream_holds_one_group_that_is_larger_than_a_block(monkeypatch):
    monkeypatch.setattr("segue.execute.blocks.BLOCK_BYTES", 16)
    batches = [pa.record_batch({"k": [1]}) for _ in range(5)] + [pa.record_batch({"k": [1, 2]})]
    blocks = list(cut_stream(iter(batches), ["k"]))
    sizes = [
        end - start for b in blocks for start, end in zip(b.bounds, b.bounds[1:], strict=False)
    ]
    assert sizes == [6, 1]


def test_function_is_called_once_per_group(world):
    world.add(sales=SALES)
    made = world.call(
        """
        @step(by="store", sort="-day")
        def made(sales: pd.DataFrame, plus: int = 1) -> pd.DataFrame:
            assert list(sales.index) == list(range(len(sales)))
            first = sales.head(1)
            return first.assign(rows=len(sales) + plus)
        """
    )
    assert made.to_pylist() == [
        {"store": 1, "day": 2, "n": 6, "rows": 3},
        {"store": 2, "day": 3, "n": 4, "rows": 3},
        {"store": None, "day": 2, "n": 5, "rows": 3},
    ]


KINDS = ["pd.DataFrame", "pl.DataFrame", "pl.LazyFrame", "pa.Table", "list[dict]"]
KINDS += ["duckdb.DuckDBPyRelation", "Iterator[pd.DataFrame]", "Iterator[pa.RecordBatch]"]


@pytest.mark.parametrize("kind", KINDS)
def test_groups_in_every_frame(world, kind):
    world.add(sales=SALES)
    made = world.call(
        f"""
        @step(by="store")
        def made(sales: {kind}) -> {kind}:
            return sales
        """
    )
    assert made["n"].to_pylist() == [2, 6, 1, 4, 3, 5]
    assert made.schema == SALES.schema


def test_a_function_can_not_harm_other_groups(world):
    world.add(sales=SALES)
    made = world.call(
        """
        @step(by="store")
        def made(sales: pd.DataFrame) -> pd.DataFrame:
            before = sales["n"].tolist()
            sales["n"] = 0
            sales.loc[:, "day"] = 0
            return pd.DataFrame({"before": before})
        """
    )
    assert made["before"].to_pylist() == [2, 6, 1, 4, 3, 5]


def test_error_names_the_group(world):
    world.add(sales=SALES)
    with pytest.raises(StepError, match="ValueError: no") as raised:
        world.call(
            """
            @step(by=["store", "day"])
            def made(sales: pd.DataFrame) -> pd.DataFrame:
                if sales["store"].isna().any():
                    raise ValueError("no")
                return sales
            """
        )
    assert raised.value.group == "store=None, day=1"
    assert raised.value.sample == "  store  day  n\n  null   1    3"


def test_odd_result_among_many_names_its_group(world):
    world.add(sales=SALES)
    with pytest.raises(OutputError, match="column 'x' mixes int and str") as raised:
        world.call(
            """
            @step(by="store")
            def made(sales: pd.DataFrame) -> pd.DataFrame:
                odd = sales["store"].eq(2).any()
                return pd.DataFrame({"x": pd.Series([1, "a" if odd else 2], dtype=object)})
            """
        )
    assert raised.value.group == "store=2"


def test_groups_that_return_nothing_are_left_out(world):
    world.add(sales=SALES)
    made = world.call(
        """
        @step(by="store")
        def made(sales: pd.DataFrame) -> pd.DataFrame:
            return sales if sales["store"].eq(2).any() else pd.DataFrame()
        """
    )
    assert made["n"].to_pylist() == [1, 4]


def test_no_group_at_all_keeps_the_schema(world):
    world.add(sales=SALES.slice(0, 0))
    python = """
        @step(by="store")
        def made(sales: pd.DataFrame) -> pd.DataFrame:
            raise AssertionError
        """
    made = world.call(python, schema=parse_schema("store: int64, x: string"))
    assert made.schema == pa.schema([("store", pa.int64()), ("x", pa.string())])
    with pytest.raises(OutputError, match="nothing to tell columns by"):
        world.call(python)


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ('by="stor"', "step 'made' groups by 'stor', a column that 'sales' does not have", "store"),
        ('by="store", sort="-dya"', "sorts by 'dya', a column that 'sales' does not have", "day"),
    ],
)
def test_missing_columns_are_found_before_the_call(world, options, message, hint):
    world.add(sales=SALES)
    with pytest.raises(StepError, match=message) as raised:
        world.call(
            f"""
            @step({options})
            def made(sales: pd.DataFrame) -> pd.DataFrame:
                raise AssertionError
            """
        )
    assert raised.value.hint == f"did you mean {hint!r}?"


LEFT = pa.table({"k": pa.array([1, None, 3, 1], pa.int32()), "a": [1, 2, 3, 4]})
RIGHT = pa.table({"b": ["x", "y", "z"], "k": pa.array([1, None, 2], pa.int64())})


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("inner", [(1, 2, 1), (None, 1, 1)]),
        ("left", [(1, 2, 1), (3, 1, 0), (None, 1, 1)]),
        ("right", [(1, 2, 1), (2, 0, 1), (None, 1, 1)]),
        ("full", [(1, 2, 1), (2, 0, 1), (3, 1, 0), (None, 1, 1)]),
    ],
)
@pytest.mark.parametrize("small", [False, True])
def test_cogroups(world, monkeypatch, how, expected, small):
    if small:
        monkeypatch.setattr("segue.execute.blocks.BLOCK_BYTES", 1)
    world.add(left=LEFT, right=RIGHT)
    made = world.call(
        f"""
        @step(by="k", how={how!r})
        def made(left: pd.DataFrame, right: pl.DataFrame) -> list[dict]:
            assert (list(left), right.columns) == (["k", "a"], ["b", "k"])
            keys = [k for k in [*left["k"], *right["k"]] if k is not None and k is not pd.NA]
            key = int(keys[0]) if keys and keys[0] == keys[0] else None
            return [{{"k": key, "left": len(left), "right": len(right)}}]
        """
    )
    assert [tuple(row.values()) for row in made.to_pylist()] == expected


def test_three_tables_and_a_sort_that_two_have(world):
    world.add(left=LEFT, right=RIGHT, third=pa.table({"k": [1, 1], "a": [5, 7]}))
    made = world.call(
        """
        @step(by="k", sort="-a")
        def made(left: pa.Table, right: pa.Table, third: pa.Table) -> list[dict]:
            return [{"left": left["a"].to_pylist(), "third": third["a"].to_pylist()}]
        """
    )
    assert made.to_pylist() == [{"left": [4, 1], "third": [7, 5]}]


def test_keys_that_can_not_meet_are_refused(world):
    world.add(left=LEFT, right=pa.table({"k": ["1"]}))
    with pytest.raises(
        StepError, match="groups by 'k', which is int32 in 'left', string in 'right'"
    ):
        world.call(
            """
            @step(by="k")
            def made(left: pa.Table, right: pa.Table) -> list[dict]:
                raise AssertionError
            """
        )


def test_error_in_a_cogroup_shows_both_tables(world):
    world.add(left=LEFT, right=RIGHT)
    with pytest.raises(StepError) as raised:
        world.call(
            """
            @step(by="k", how="left")
            def made(left: pa.Table, right: pa.Table) -> list[dict]:
                return [] if len(right) else 1 / 0
            """
        )
    assert raised.value.group == "k=3"
    assert raised.value.sample.splitlines() == [
        "  left:",
        "  k  a",
        "  3  3",
        "  right:",
        "  b  k",
        "  (no rows)",
    ]
