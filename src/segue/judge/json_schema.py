"""Texts against a JSON Schema: every distinct one is looked at once, by `jsonschema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INSTALL = "jsonschema is not installed: pip install 'segue[jsonschema]'"


def find_schema(stated: Mapping[str, Any] | str, folder: str) -> Any:
    """Return a schema that a contract states, or that stands in the file that it names.

    Args:
        stated: The schema, or the path of a JSON file.
        folder: Folder against which a path is read; empty for the current one.

    Raises:
        ValueError: The file can't be read.
    """
    if not isinstance(stated, str):
        return stated
    path = Path(folder) / stated
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"the schema {stated} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"the schema {stated} is not JSON: {error}") from None


def make_validator(schema: Any) -> Callable[[str], bool]:
    """Return what tells whether a text is JSON that a schema allows.

    It follows the draft that the schema names by ``$schema``, or 2020-12, looks up nothing over
    the network, and takes ``format`` for a remark, as the standard does unless told otherwise.

    Args:
        schema: The schema.

    Raises:
        ValueError: It is no schema, or the library is not installed.

    Example:
        >>> is_valid = make_validator({"type": "object", "required": ["id"]})
        >>> is_valid('{"id": 1}'), is_valid('{"id": NaN}'), is_valid("[]")
        (True, False, False)
    """
    try:
        from jsonschema import Draft202012Validator, SchemaError
        from jsonschema.validators import validator_for
        from jsonschema_specifications import REGISTRY
        from referencing.exceptions import Unresolvable
    except ModuleNotFoundError:
        raise ValueError(_INSTALL) from None
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        place = f" at {where}" if where else ""
        raise ValueError(f"it is no JSON Schema{place}: {error.message}") from None
    validator = kind(schema, registry=REGISTRY)

    def is_valid(text: str) -> bool:
        try:
            return bool(validator.is_valid(json.loads(text, parse_constant=_refuse_constant)))
        except Unresolvable as error:
            raise ValueError(f"the schema refers to what it does not hold: {error}") from None
        except (json.JSONDecodeError, _NotJsonError, RecursionError):
            return False

    return is_valid


class _NotJsonError(ValueError):
    """A word that Python reads as a number and RFC 8259 does not know."""


def _refuse_constant(word: str) -> Any:
    raise _NotJsonError(word)
