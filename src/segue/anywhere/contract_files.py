"""Files of contracts for data that belongs to no project."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import yaml

from segue.declare.contracts import FILES, parse_contract
from segue.declare.problems import Problems, read_text
from segue.declare.yaml_nodes import compose, read_entries
from segue.errors import Location, UsageError
from segue.registry import CHECKS, names
from segue.spec.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from segue.errors import Problem

_MISSING = re.compile(r"no table '(?P<name>[^']+)'")
_OF_TABLES = ("owner", "about", "columns", "checks", "rejects")


@dataclass(frozen=True, slots=True)
class ContractFile:
    """A file of contracts.

    Attributes:
        path: The file.
        text: What stands in it.
        tables: Tables that it names; none if it is a single contract without a name.
    """

    path: Path
    text: str
    tables: tuple[str, ...]

    def read(self, table: str, known: Collection[str]) -> Contract:
        """Return the contract of a table.

        Args:
            table: Name of the table.
            known: Names of the data that is there, for contracts that look into others.

        Raises:
            UsageError: It is wrong; the first problem with file and line, and all others.
        """
        problems = Problems()
        if table in self.tables and not yaml.safe_load(self.text)[table]:
            return Contract(table, Location(str(self.path)), ())
        found = parse_contract(self.text, str(self.path), table, {*known, table}, problems)
        if found is None or len(problems):
            raise_problems(problems.sorted())
        return replace(found, table=table)


def find_contracts(stated: Path | None, near: Sequence[str] = ()) -> ContractFile:
    """Return the file of contracts: the one that is stated, else the one here or beside the data.

    Args:
        stated: Its path; None to look for it.
        near: Paths of the data.

    Raises:
        UsageError: There is none, or it can't be read.
    """
    if stated is None:
        folders = dict.fromkeys((Path(), *(Path(each).parent for each in near)))
        paths = [folder / name for folder in folders for name in FILES]
        stated = next((path for path in paths if path.is_file()), None)
    if stated is None:
        what = near[0] if near else "DATA"
        raise UsageError(
            "there is no contracts.yml here, nor beside the data",
            hint=f"begin with what is there: segue suggest {what} > contracts.yml",
        )
    problems = Problems()
    text = read_text(stated, str(stated), problems) or ""
    node = compose(text, str(stated), problems) if not len(problems) else None
    if len(problems):
        raise_problems(problems.sorted())
    if not isinstance(node, yaml.MappingNode):
        hint = "begin with the name of a table, and a colon"
        raise UsageError(f"{stated}: there is no contract in it", hint=hint)
    keys = tuple(each.key for each in read_entries(node, str(stated), problems))
    if len(problems):
        raise_problems(problems.sorted())
    bare = {*keys} & {*_OF_TABLES, *names(CHECKS)}
    return ContractFile(stated, text, () if bare else keys)


def _tell_other(problem: Problem) -> str:
    """Return a problem in one line."""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{problem.location or ''}: {problem.message}{hint}"


def raise_problems(problems: Sequence[Problem]) -> NoReturn:
    """Raise what is wrong with a contract, the first with its place.

    Raises:
        UsageError: Always.
    """
    first, *others = problems
    more = "".join(f"\n  {_tell_other(each)}" for each in others)
    hint = first.hint
    missing = _MISSING.search(first.message) if first.code == "unknown-table" else None
    if missing is not None:
        near = f"{hint} If not, " if "did you mean" in hint else ""
        hint = f"{near}name its data as well: {missing['name']}=PATH"
    message = f"the contract: {first.message}{more}"
    raise UsageError(message, hint=hint, location=first.location)
