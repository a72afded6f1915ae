"""Messages in the bodies of requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from segue.errors import UsageError
from segue.wire.selector import LONGEST_LABEL

if TYPE_CHECKING:
    from segue.wire.messages import Message

_MOST_LABELS = 64

_M = TypeVar("_M", bound="Message")


def read_json(body: bytes, kind: type[_M]) -> _M:
    """Return the message in a body.

    Raises:
        UsageError: There is none.
    """
    try:
        return kind.read(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the request can't be read: {error}") from None


def are_labels(value: Any) -> bool:
    """Return whether a value is names with texts, not too many and not too long.

    Example:
        >>> are_labels({"role": "shop"}), are_labels({"role": 1}), are_labels(["role"])
        (True, False, False)
        >>> are_labels({"role": "shop" * 100})
        False
    """
    if not isinstance(value, dict) or len(value) > _MOST_LABELS:
        return False
    return all(
        isinstance(each, str) and len(each) <= LONGEST_LABEL
        for pair in value.items()
        for each in pair
    )
