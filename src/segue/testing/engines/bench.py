"""What every test of an engine has: the engine, a place, a user's files, and known gaps."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from segue import registry
from segue.testing.engines.user_code import UserCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from segue.protocols import Capabilities

REASONS = ("never", "upstream", "open")
"""First words of a gap's reason."""


class EngineBench:
    """Fixtures of all tests of an engine.

    Attributes:
        engine: Name of the engine's entry point.
    """

    engine: ClassVar[str]

    @property
    def capabilities(self) -> Capabilities:
        """What the engine says that it can do."""
        return registry.load_engine(self.engine).capabilities

    @pytest.fixture
    def on(self) -> Any:
        """Where functions and queries run: a name, an address or a live handle."""
        return self.engine

    @pytest.fixture
    def place(self) -> Mapping[str, Any]:
        """Keys of ``[places.*]`` by which a project reaches the engine."""
        return {"engine": self.engine}

    @pytest.fixture
    def user(self, tmp_path: Path) -> Iterator[UserCode]:
        """A folder for a user's modules."""
        folder = tmp_path / "user"
        folder.mkdir()
        code = UserCode(folder)
        yield code
        code.forget()

    @pytest.fixture(autouse=True)
    def expect_gap(self, request: pytest.FixtureRequest) -> None:
        """Expect a test to fail, strictly, where the engine names a gap."""
        reason = find_gap(name_test(request.node), self.capabilities.gaps)
        if reason:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def name_test(node: Any) -> str:
    """Return the name by which gaps know a test: of a case, or of a function and its parameter.

    Example:
        >>> from types import SimpleNamespace
        >>> name_test(SimpleNamespace(originalname="test_case", name="test_case[join-left]"))
        'join-left'
        >>> name_test(SimpleNamespace(originalname="test_odd_name", name="test_odd_name[dot]"))
        'odd-name-dot'
    """
    function = node.originalname.removeprefix("test_").replace("_", "-")
    found = re.fullmatch(r"[^\[]+(?:\[(.*)\])?", node.name)
    parameter = found[1] if found and found[1] else ""
    if function == "case":
        return parameter
    return f"{function}-{parameter}" if parameter else function


def find_gap(name: str, gaps: Mapping[str, str]) -> str:
    """Return why a test can't pass on an engine, empty if it must.

    Args:
        name: The test's name.
        gaps: Patterns of names, and reasons.

    Raises:
        ValueError: A reason does not begin with one of `REASONS`.

    Example:
        >>> find_gap("join-anti", {"join-*": "open: not yet written"})
        'open: not yet written'
    """
    for pattern, reason in gaps.items():
        if reason.partition(":")[0] not in REASONS:
            raise ValueError(f"a gap's reason begins with {', '.join(REASONS)}: {reason!r}")
        if fnmatchcase(name, pattern):
            return reason
    return ""
