"""Which checks of a contract are asked for."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from segue.errors import UnknownNameError
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.contract import Contract


def select_checks(contract: Contract, patterns: Sequence[str]) -> Contract:
    """Return a contract with only the checks whose name, kind or column is named.

    Args:
        contract: The contract.
        patterns: Names, or patterns of them such as ``amount *``; none for all checks.
    """

    def wanted(words: Sequence[str]) -> bool:
        return any(fnmatchcase(word, pattern) for word in words for pattern in patterns)

    if not patterns:
        return contract
    checks = tuple(
        each for each in contract.checks if wanted((each.name, each.kind, *each.columns))
    )
    return replace(contract, checks=checks)


def refuse_unmatched(contracts: Sequence[Contract], patterns: Sequence[str]) -> None:
    """Refuse patterns that no check has.

    Raises:
        UnknownNameError: The hint tells the nearest.
    """
    for pattern in patterns:
        if not any(select_checks(each, (pattern,)).checks for each in contracts):
            known = [check.name for each in contracts for check in each.checks]
            hint = nearest(pattern, known, noun="check")
            raise UnknownNameError(f"no check is called {pattern!r}", hint=hint)
