"""Schemas as users declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.frames.arrow_types import from_arrow
from segue.frames.convert import name_type
from segue.spec.types import TableSchema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_schema(declared: Any, inputs: Mapping[str, TableSchema]) -> TableSchema | None:
    """Return the declared columns of a result, None if none are declared.

    Args:
        declared: An expression, or a `pyarrow.Schema`.
        inputs: Columns of each input; ``*`` stands for those of the first.

    Raises:
        UsageError: It can't be read.
    """
    if declared is None or isinstance(declared, TableSchema):
        return declared
    try:
        if isinstance(declared, str):
            return parse_schema(declared, next(iter(inputs.values()), None))
        if type(declared).__module__.partition(".")[0] == "pyarrow":
            return from_arrow(declared)
    except (ValueError, AttributeError) as error:
        raise UsageError(f"schema={declared!r} can't be read: {error}") from None
    raise UsageError(
        f"schema is of type {name_type(declared)}, which tells no columns",
        hint='write schema="name: type, ...", or give a pyarrow.Schema',
    )
