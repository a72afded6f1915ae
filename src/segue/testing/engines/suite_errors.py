"""Errors of users' functions: the same story on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import segue
from segue.errors import OutputError, SegueError, SqlError, StepError
from segue.testing.engines.bench import EngineBench
from segue.testing.engines.notation import make_table
from segue.testing.engines.user_code import find_line

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from segue.testing.engines.user_code import UserCode

BROKEN = """
def check(given):
    if any(str(value) == "bad" for value in given["v"]):
        raise KeyError("this is the bug")


def broken(given: {annotation}) -> {annotation}:
    check(given)
    return given
"""
FRAMES = ("pandas.DataFrame", "polars.DataFrame", "pyarrow.Table")


def make_rows() -> pa.Table:
    """Return rows of three groups, one of which has a bad value."""
    return make_table("k:str,v:str", [["a", "good"], ["b", "bad"], ["b", "fine"], [None, "well"]])


def expect_error(kind: type[SegueError], call: Callable[[], Any]) -> Any:
    """Return the error that a call raises.

    Raises:
        AssertionError: It raises none of this kind.
    """
    try:
        found = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised, and this came back: {found}")


def expect_parts(text: str, *parts: str) -> None:
    """Raise unless a text has all of these parts.

    Raises:
        AssertionError: One is missing.
    """
    missing = [part for part in parts if part not in text]
    if missing:
        raise AssertionError(f"{missing} should stand in:\n{text}")


class ErrorConformance(EngineBench):
    """What users are told."""

    @pytest.mark.parametrize("annotation", FRAMES)
    def test_error_in_group(self, annotation: str, on: Any, user: UserCode) -> None:
        """An error names the group, the user's line, the exception, and shows rows."""
        text = BROKEN.format(annotation=annotation)
        module = user.write(text, annotation.partition(".")[0])
        error = expect_error(
            StepError,
            lambda: segue.transform(make_rows(), module.broken, by="k", schema="*", on=on),
        )
        self._expect_story(error, module)
        if error.group != "k=b":
            raise AssertionError(f"the group is told as {error.group!r}")
        expect_parts(error.sample, "bad", "fine")
        if "good" in error.sample:
            raise AssertionError(f"rows of another group are shown:\n{error.sample}")

    def test_error_in_all_rows(self, on: Any, user: UserCode) -> None:
        """An error without groups names the user's line, and shows the first rows."""
        module = user.write(BROKEN.format(annotation="pandas.DataFrame"))
        error = expect_error(
            StepError, lambda: segue.transform(make_rows(), module.broken, schema="*", on=on)
        )
        self._expect_story(error, module)
        if error.group:
            raise AssertionError(f"there is no group, and it is told as {error.group!r}")
        expect_parts(error.sample, "good", "bad")

    def _expect_story(self, error: StepError, module: Any) -> None:
        """Raise unless an error tells where, what and on which engine."""
        line = find_line(module, "raise KeyError")
        expect_parts(str(error.location), f"{module.__name__}.py:{line}")
        expect_parts(error.message, "broken", "KeyError", "this is the bug")
        expect_parts(error.trace, f":{line} in check", "in broken")
        told = (error.code, error.engine)
        wanted = ("step-failed", self.engine if self.capabilities.distributed else "")
        if told != wanted:
            raise AssertionError(f"expected {wanted}, found {told}")
        for foreign in ("site-packages", "segue/execute", "Traceback"):
            if foreign in str(error):
                raise AssertionError(f"{foreign!r} is nothing for users:\n{error}")

    def test_error_in_cogroup(self, on: Any, user: UserCode) -> None:
        """An error on groups of two tables shows rows of both."""
        module = user.write(
            """
            def broken(one: pandas.DataFrame, other: pandas.DataFrame) -> pandas.DataFrame:
                if len(one) > 1:
                    raise ValueError("this is the bug")
                return one
            """
        )
        other = make_table("k:str,w:str", [["b", "other"], ["a", "more"]])
        error = expect_error(
            StepError,
            lambda: segue.transform(
                (make_rows(), other), module.broken, by="k", schema="k:string, v:string", on=on
            ),
        )
        expect_parts(str(error), "k=b", "this is the bug", "fine", "other")

    def test_error_in_null_group(self, on: Any, user: UserCode) -> None:
        """The group of null is told as one."""
        module = user.write(
            """
            def broken(given: pandas.DataFrame) -> pandas.DataFrame:
                if given["k"].isna().any():
                    raise ValueError("this is the bug")
                return given
            """
        )
        error = expect_error(
            StepError,
            lambda: segue.transform(make_rows(), module.broken, by="k", schema="*", on=on),
        )
        expect_parts(error.group, "k=None")
        expect_parts(error.sample, "well")

    def test_error_in_result(self, on: Any, user: UserCode) -> None:
        """A result of another type than declared is told with column, types and group."""
        module = user.write(
            """
            def wrong(given: pandas.DataFrame) -> pandas.DataFrame:
                return given.assign(n="many") if (given["k"] == "b").any() else given.assign(n=1)
            """
        )
        error = expect_error(
            OutputError,
            lambda: segue.transform(make_rows(), module.wrong, by="k", schema="*, n: int64", on=on),
        )
        expect_parts(str(error), "'n'", "int64", "string", "k=b", "fine")

    def test_error_of_missing_column(self, on: Any, user: UserCode) -> None:
        """A result without a declared column is told with the column."""
        module = user.write(
            """
            def wrong(given: pandas.DataFrame) -> pandas.DataFrame:
                return given[["k"]]
            """
        )
        error = expect_error(
            OutputError, lambda: segue.transform(make_rows(), module.wrong, schema="*", on=on)
        )
        expect_parts(str(error), "'v'")

    def test_error_of_last_group(self, on: Any, user: UserCode) -> None:
        """One bad group among many is found, and no half result comes back."""
        module = user.write(
            """
            def broken(given: pandas.DataFrame) -> pandas.DataFrame:
                if given["k"].iloc[0] == 299:
                    raise ValueError("this is the bug")
                return given
            """
        )
        table = make_table("k:i64", [[number] for number in range(300)])
        error = expect_error(
            StepError, lambda: segue.transform(table, module.broken, by="k", schema="*", on=on)
        )
        expect_parts(error.group, "k=299")

    def test_error_in_sql(self, on: Any) -> None:
        """A misspelled column of a query is told with the nearest name."""
        error = expect_error(
            SqlError, lambda: segue.query("select k,\n  vv from t", t=make_rows(), on=on)
        )
        expect_parts(str(error), "vv", "'v'", "line 2")
