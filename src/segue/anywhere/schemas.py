"""Schemas as users declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.declare.schemas import FORMS, read_columns
from segue.errors import UsageError
from segue.frames.kinds import name_type
from segue.spec.types import TableSchema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_schema(declared: Any, inputs: Mapping[str, TableSchema]) -> TableSchema | None:
    """Return the declared columns of a result, None if none are declared.

    Args:
        declared: An expression, or anything that `read_columns` takes.
        inputs: Columns of each input; ``*`` stands for those of the first.

    Raises:
        UsageError: It can't be read.
    """
    if declared is None or isinstance(declared, TableSchema):
        return declared
    try:
        if isinstance(declared, str):
            return parse_schema(declared, next(iter(inputs.values()), None))
        return read_columns(declared)
    except ValueError as error:
        shown = repr(declared) if isinstance(declared, str) else _name(declared)
        raise UsageError(f"schema={shown} can't be read: {error}") from None
    except TypeError:
        message = f"schema is of type {name_type(declared)}, which tells no columns"
        raise UsageError(message, hint=f"give {FORMS}") from None


def _name(declared: Any) -> str:
    return declared.__qualname__ if isinstance(declared, type) else name_type(declared)
