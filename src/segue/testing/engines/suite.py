"""The conformance suite: subclass it, name your engine, run pytest.

::

    from segue.testing.engines.suite import EngineConformance


    class TestPool(EngineConformance):
        engine = "pool"

Override the fixtures ``on`` and ``place`` to reach an engine that is already started.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from segue.errors import SegueError
from segue.testing.engines.bench import name_test
from segue.testing.engines.cases import Case, read_cases
from segue.testing.engines.compare import expect_table
from segue.testing.engines.perform import perform_case, perform_steps
from segue.testing.engines.suite_calls import CallConformance
from segue.testing.engines.suite_errors import ErrorConformance
from segue.testing.engines.suite_frames import FrameConformance
from segue.testing.engines.suite_schemas import SchemaConformance
from segue.testing.engines.suite_types import TypeConformance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CASES = read_cases()
ROUND_TRIPS = [case for case in CASES if case.op == "roundtrip"]


def name_case(case: Case) -> str:
    """Return a case's name, as pytest shows it."""
    return case.name


class EngineConformance(
    CallConformance, ErrorConformance, FrameConformance, SchemaConformance, TypeConformance
):
    """All that an engine must do.

    Attributes:
        engine: Name of the engine's entry point; a subclass sets it.
    """

    @pytest.mark.parametrize("case", CASES, ids=name_case)
    def test_case(self, case: Case, on: Any) -> None:
        """A case gives exactly its rows and types, or a clear error."""
        check_case(case, on)

    @pytest.mark.parametrize("case", ROUND_TRIPS, ids=name_case)
    def test_steps(self, case: Case, place: Mapping[str, Any], tmp_path: Path) -> None:
        """A project's steps publish what they were given, unchanged."""
        for name, table in perform_steps(case, place, tmp_path / "project").items():
            try:
                expect_table(table, case.expected)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None

    def test_gaps_name_tests(self, request: pytest.FixtureRequest) -> None:
        """Each gap that the engine names is one of a test that is there."""
        tests = {
            name_test(item)
            for item in request.session.items
            if isinstance(getattr(item, "instance", None), type(self))
        }
        whole = len(tests) > len(CASES)  # some may have been chosen by hand
        lost = [
            gap
            for gap in self.capabilities.gaps
            if whole and not any(fnmatchcase(name, gap) for name in tests)
        ]
        if lost:
            raise AssertionError(f"gaps of tests that are not there: {lost}")


def check_case(case: Case, on: Any) -> None:
    """Do what a case says on an engine, and raise unless it comes out as it should.

    Args:
        case: Any case.
        on: Where, as `segue.transform` and `segue.query` take it.

    Raises:
        AssertionError: Something else came out, or nothing failed that should.
        SegueError: It failed, and should not.
    """
    if case.out is not None:
        expect_table(perform_case(case, on), case.expected, ordered=case.ordered)
        return
    try:
        found = perform_case(case, on)
    except SegueError:
        return
    raise AssertionError(f"this must fail, and gave {found.to_pylist()}")
