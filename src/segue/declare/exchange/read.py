"""Another tool's file or model, whichever it is, as contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Location, UsageError

if TYPE_CHECKING:
    from segue.declare.exchange.draft import Draft

KINDS = ("odcs", "great-expectations", "dbt", "soda", "pandera", "pydantic")
"""Formats that can be read."""


def read_contracts(source: str, kind: str = "", table: str = "") -> Draft:
    """Return what a file or a model says, as contracts.

    Args:
        source: Path of a JSON or YAML file, or ``file.py:Model``.
        kind: One of `KINDS`; told by the content if empty.
        table: Name of the table, for a suite or a model, which do not tell it; made from the
            source's name if empty.

    Raises:
        UsageError: It can't be read, or is of no kind that is known.
    """
    path, _, name = source.rpartition(":")
    if path.endswith(".py") and name.isidentifier():
        return _read_object(path, name, table)
    document = _load(Path(source))
    kind = kind or find_kind(document)
    if not kind:
        raise UsageError(
            f"{source}: it is not clear what wrote it",
            hint=f"say --from {' or '.join(KINDS[:4])}",
        )
    if kind not in READERS:
        raise UsageError(f"{kind} has models in Python", hint="name one: models.py:Orders")
    try:
        return READERS[kind](document, table or Path(source).name.partition(".")[0])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{source} can't be read as {kind}: {what}") from error


def find_kind(document: Any) -> str:
    """Return the format of a document; empty if none fits.

    Example:
        >>> find_kind({"kind": "DataContract"}), find_kind({"checks for orders": []})
        ('odcs', 'soda')
    """
    if not isinstance(document, Mapping):
        return ""
    if document.get("kind") == "DataContract" or "dataContractSpecification" in document:
        return "odcs"
    if "expectations" in document:
        return "great-expectations"
    if {"models", "sources", "seeds", "snapshots"} & document.keys():
        return "dbt"
    if any(str(key).startswith(("checks for ", "for each ")) for key in document):
        return "soda"
    return ""


def _load(path: Path) -> Any:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}") from error
    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else getattr(error, "lineno", None)
        raise UsageError(
            f"{path} can't be read: {error}", location=Location(str(path), line)
        ) from None


def _read_object(path: str, name: str, table: str) -> Draft:
    from segue.declare.exchange.models import read_model
    from segue.declare.exchange.python_file import load_object

    model = load_object(Path(path), name)
    try:
        return read_model(model, table or name.lower())
    except ValueError as error:
        raise UsageError(f"{path}:{name}: {error}", hint="name a model's class") from None


def _read_suite(document: Any, table: str) -> Draft:
    from segue.declare.exchange.great_expectations import read_suite

    return read_suite(document, table)


def _read_properties(document: Any, table: str) -> Draft:
    from segue.declare.exchange.dbt import read_properties

    del table
    return read_properties(document)


def _read_checks(document: Any, table: str) -> Draft:
    from segue.declare.exchange.soda import read_checks

    del table
    return read_checks(document)


def _read_odcs(document: Any, table: str) -> Draft:
    from segue.declare.exchange.odcs_read import read_contract

    del table
    return read_contract(document)


READERS: dict[str, Callable[[Any, str], Draft]] = {
    "odcs": _read_odcs,
    "great-expectations": _read_suite,
    "dbt": _read_properties,
    "soda": _read_checks,
}
"""What reads the formats of files."""
