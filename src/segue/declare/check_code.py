"""The code of checks that call a user's function: a changed function changes the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.declare.digest import digest_text
from segue.registry import load_check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.declare.problems import Problems
    from segue.spec.contract import Contract


def add_code(
    contracts: Mapping[str, Contract], root: Path, problems: Problems
) -> dict[str, Contract]:
    """Return contracts whose digests cover the code that their checks call.

    Args:
        contracts: Contracts by table.
        root: The project's folder.
        problems: Takes what is wrong: a function that is not there, or can't be called so.
    """
    found = {}
    for table, contract in contracts.items():
        codes = []
        for check in contract.checks:
            tell: Any = getattr(load_check(check.kind), "tell_code", None)
            if tell is None:
                continue
            try:
                codes.append(tell(check, root))
            except ValueError as error:
                problems.add("bad-check", f"{check.kind}: {error}", check.location)
        digest = digest_text("\0".join([contract.digest, *codes])) if codes else contract.digest
        found[table] = replace(contract, digest=digest)
    return found
