"""How often a function is called, with which rows, and what it can do besides returning some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pytest

import segue
from segue.testing.engines.bench import EngineBench
from segue.testing.engines.compare import expect_table
from segue.testing.engines.notation import make_table

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from segue.testing.engines.user_code import UserCode

COUNT = """
def count(given: pandas.DataFrame) -> pandas.DataFrame:
    return pandas.DataFrame({"n": [len(given)]})
"""
LIST = """
def list_rows(given: pandas.DataFrame) -> list[dict]:
    return [{"k": given["k"].iloc[0], "seen": ",".join(given["v"].astype(str))}]
"""

SEEN = """
def see(given: pandas.DataFrame) -> list[dict]:
    return [{"seen": ",".join(given["v"].astype(str))}]
"""

TELL = """
from typing import Callable


def tell(given: pandas.DataFrame, say: Callable) -> pandas.DataFrame:
    more = say(int(given["k"].iloc[0]), len(given))
    return given if more else given.head(0)
"""


def make_rows(count: int = 10) -> pa.Table:
    """Return rows of two groups in no order."""
    return make_table("k:i64,v:i64", [[n % 2, n * 7 % count] for n in range(count)])


class CallConformance(EngineBench):
    """Calls of functions."""

    @pytest.mark.parametrize("sort", ["v", "-v"])
    def test_sorted_groups(self, sort: str, on: Any, user: UserCode) -> None:
        """Rows of a group come in the order that was asked for."""
        call = user.write(LIST).list_rows
        found = segue.transform(
            make_rows(), call, by="k", sort=sort, schema="k:int64, seen:string", on=on
        )
        seen = {0: "0,2,4,6,8", 1: "1,3,5,7,9"}
        if sort == "-v":
            seen = {key: text[::-1] for key, text in seen.items()}
        expect_table(found, make_table("k:i64,seen:str", [list(pair) for pair in seen.items()]))

    @pytest.mark.parametrize("sort", ["v", "-v"])
    def test_sorted_rows(self, sort: str, on: Any, user: UserCode) -> None:
        """All rows come in the order that was asked for."""
        call = user.write(SEEN).see
        found = segue.transform(make_rows(), call, sort=sort, schema="seen:string", on=on)
        digits = "0,1,2,3,4,5,6,7,8,9"
        expect_table(found, make_table("seen:str", [[digits if sort == "v" else digits[::-1]]]))

    def test_many_groups(self, on: Any, user: UserCode) -> None:
        """Each of many groups is whole, however rows were spread before."""
        call = user.write(COUNT).count
        table = make_table("k:i64", [[n % 500] for n in range(5000)])
        found = segue.transform(table, call, by="k", schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[10]] * 500))

    def test_skewed_groups(self, on: Any, user: UserCode) -> None:
        """One group holds nearly all rows."""
        call = user.write(COUNT).count
        table = make_table("k:i64", [[max(0, n - 20_000)] for n in range(20_010)])
        found = segue.transform(table, call, by="k", schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[20_001], *[[1]] * 9]))

    def test_all_rows_in_one_call(self, on: Any, user: UserCode) -> None:
        """Without keys and hints there is one call."""
        call = user.write(COUNT).count
        found = segue.transform(make_rows(20_000), call, schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[20_000]]))

    @pytest.mark.parametrize("split", [3, "even:3"])
    def test_parts(self, split: int | str, on: Any, user: UserCode) -> None:
        """Rows are split in so many parts, or fewer."""
        call, rows, parts = user.write(COUNT).count, 1000, 3
        found = segue.transform(make_rows(rows), call, split=split, schema="n:int64", on=on)
        sizes = found["n"].to_pylist()
        if sum(sizes) != rows or len(sizes) > parts:
            raise AssertionError(f"{rows} rows in {parts} parts came as {sizes}")
        if split == "even:3" and max(sizes) - min(sizes) > parts:
            raise AssertionError(f"{rows} rows in even parts came as {sizes}")

    def test_rows_of_parts(self, on: Any, user: UserCode) -> None:
        """A part has so many rows at most."""
        call, rows, most = user.write(COUNT).count, 1000, 90
        found = segue.transform(
            make_rows(rows), call, split=f"rows:{most}", schema="n:int64", on=on
        )
        sizes = found["n"].to_pylist()
        if sum(sizes) != rows or max(sizes) > most:
            raise AssertionError(f"{rows} rows in parts of {most} came as {sizes}")

    def test_parts_of_groups(self, on: Any, user: UserCode) -> None:
        """A number of parts does not tear groups apart."""
        call = user.write(COUNT).count
        found = segue.transform(make_rows(), call, by="k", split=2, schema="n:int64", on=on)
        expect_table(found, make_table("n:i64", [[5], [5]]))

    def test_nothing_returned(self, on: Any, user: UserCode, tmp_path: Path) -> None:
        """A function that returns nothing is called for each group, for what it does."""
        call = user.write(
            """
            def store(given: pandas.DataFrame, folder: str) -> None:
                key = given["k"].iloc[0]
                with open(f"{folder}/{key}-{given['v'].sum()}.txt", "x"):
                    pass
            """
        ).store
        seen = tmp_path / "seen"
        seen.mkdir()
        segue.transform(make_rows(), call, by="k", params={"folder": str(seen)}, on=on)
        names = sorted(path.name for path in seen.iterdir())
        if names != ["0-20.txt", "1-25.txt"]:
            raise AssertionError(f"it did {names}")

    def test_parameters(self, on: Any, user: UserCode) -> None:
        """A function takes parameters, with and without defaults."""
        call = user.write(
            """
            def add(given: pandas.DataFrame, more: int, text: str = "x") -> pandas.DataFrame:
                return given.assign(v=given["v"] + more, t=text)
            """
        ).add
        table = make_table("v:i64", [[1]])
        found = segue.transform(table, call, params={"more": 2}, schema="*, t:string", on=on)
        expect_table(found, make_table("v:i64,t:str", [[3, "x"]]))

    def test_generator(self, on: Any, user: UserCode) -> None:
        """A function may yield several frames for a group."""
        call = user.write(
            """
            def twice(given: pandas.DataFrame) -> Iterator[pandas.DataFrame]:
                yield given.head(1)
                yield given.head(0)
                yield given.head(2)
            """
        ).twice
        found = segue.transform(make_rows(), call, by="k", sort="v", schema="*", on=on)
        rows = [[0, 0], [0, 0], [0, 2], [1, 1], [1, 1], [1, 3]]
        expect_table(found, make_table("k:i64,v:i64", rows))

    def test_closure(self, on: Any, user: UserCode) -> None:
        """A function takes what it refers to with it."""
        module = user.write(
            """
            FACTOR = 3


            def scale(value):
                return value * FACTOR


            def make(more):
                def inner(given: pandas.DataFrame) -> pandas.DataFrame:
                    return given.assign(v=scale(given["v"]) + more)

                return inner
            """
        )
        table = make_table("v:i64", [[1], [2]])
        found = segue.transform(table, module.make(1), schema="*", on=on)
        expect_table(found, make_table("v:i64", [[4], [7]]))

    def test_inferred_schema(self, on: Any, user: UserCode) -> None:
        """Without a schema the function is tried on a few rows, and the types are kept."""
        call = user.write(
            """
            def summarise(given: pandas.DataFrame) -> pandas.DataFrame:
                mean = given["v"].mean()
                return pandas.DataFrame({"k": given["k"].head(1), "m": [mean], "t": ["x"]})
            """
        ).summarise
        found = segue.transform(make_rows(), call, by="k", on=on)
        expect_table(found, make_table("k:i64,m:f64,t:str", [[0, 4.0, "x"], [1, 5.0, "x"]]))

    def test_skipped_groups(self, on: Any, user: UserCode) -> None:
        """Groups for which a function raises what `skip` names are left out, and reported."""
        call = user.write(
            """
            def check(given: pandas.DataFrame) -> pandas.DataFrame:
                if given["k"].iloc[0] == 1:
                    raise ZeroDivisionError("an odd key")
                return given
            """
        ).check
        heard: list[Any] = []
        found = segue.transform(
            make_rows(4),
            call,
            by="k",
            schema="*",
            on=on,
            skip=ZeroDivisionError,
            on_skip=heard.append,
        )
        expect_table(found, make_table("k:i64,v:i64", [[0, 0], [0, 2]]))
        told = [(each.group, each.reason) for each in heard]
        if told != [("k=1", "ZeroDivisionError: an odd key")]:
            raise AssertionError(f"this was told of the group that was left out: {told}")

    def test_listen(self, on: Any, user: UserCode) -> None:
        """A function calls back to this process, and hears its answer."""
        call = user.write(TELL).tell
        heard = []

        def listen(key: int, rows: int) -> bool:
            heard.append((key, rows))
            return key == 0

        found = segue.transform(make_rows(), call, by="k", schema="*", on=on, listen=listen)
        expect_table(found, make_rows().filter(pc.field("k") == 0))
        if sorted(heard) != [(0, 5), (1, 5)]:
            raise AssertionError(f"this was heard: {heard}")

    def test_listener_that_stops(self, on: Any, user: UserCode) -> None:
        """What a listener raises ends the work, and arrives as it is."""
        call = user.write(TELL).tell

        def listen(key: int, rows: int) -> bool:
            raise StopAsyncIteration(f"{rows} rows of {key} are enough")

        with pytest.raises(StopAsyncIteration, match="are enough"):
            segue.transform(make_rows(), call, by="k", schema="*", on=on, listen=listen)
