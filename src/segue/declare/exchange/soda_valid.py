"""What Soda calls invalid, as SQL over a column's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.declare.exchange.draft import literal

_BOUNDS = {
    "valid min": "{0} < {1}",
    "valid max": "{0} > {1}",
    "valid length": "length({0}) <> {1}",
    "valid min length": "length({0}) < {1}",
    "valid max length": "length({0}) > {1}",
}
_BESIDE = frozenset(("name", "warn", "fail", "filter", "missing values", "attributes"))


def count_invalid(name: str, details: Mapping[str, Any], missing: str) -> str:
    """Return the predicate of invalid rows; a missing value is not invalid.

    Args:
        name: The column, quoted.
        details: What a check says of valid values.
        missing: Predicate of the rows whose value is missing.

    Raises:
        ValueError: It says nothing of them, or something that SQL does not.

    Example:
        >>> count_invalid('"x"', {"valid min": 1, "valid max": 9}, '"x" is null')
        'not ("x" is null) and ("x" < 1 or "x" > 9)'
    """
    broken = []
    for key, value in details.items():
        if key in _BOUNDS:
            broken.append(_BOUNDS[key].format(name, literal(value)))
        elif key == "valid values":
            broken.append(f"{name} not in ({', '.join(map(literal, value))})")
        elif key == "invalid values":
            broken.append(f"{name} in ({', '.join(map(literal, value))})")
        elif key == "valid regex":
            broken.append(f"not regexp_matches({name}, {literal(value)})")
        elif key not in _BESIDE:
            raise ValueError(f"`{key}: {value}` is not carried over")
    if not broken:
        raise ValueError("it does not say which values are valid")
    return f"not ({missing}) and ({' or '.join(broken)})"
