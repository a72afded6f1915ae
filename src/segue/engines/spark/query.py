"""SELECTs over bound data: DuckDB says what they mean, Spark runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.engines.spark.bound import Bound
from segue.errors import SqlError
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from segue.engines.spark.driver import Driver


class Query:
    """What queries of one session see."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._local = driver.local.fork()
        self._bound: dict[str, Bound] = {}
        self._refused: dict[str, SqlError] = {}

    def add(self, name: str, bound: Bound) -> None:
        """Let queries see data."""
        self._bound[name] = bound

    def remove(self, name: str) -> None:
        """Forget data."""
        self._bound.pop(name, None)

    def describe(self, query: str) -> TableSchema:
        raise NotImplementedError

    def resolve(self, query: str) -> Bound:
        raise NotImplementedError

    def close(self) -> None:
        self._local.close()
