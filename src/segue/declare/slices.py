"""``where``, ``by``, ``sample`` and ``new`` of a check: the rows that it looks at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.spec.contract import Slice
from segue.spec.row_expression import check_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import CheckKind

SLICE_KEYS = ("where", "by", "sample", "new")
"""Keys of a check's long form that say which rows it looks at."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def read_slice(stated: Mapping[str, Any]) -> Slice:
    """Return the rows that a check looks at.

    Args:
        stated: What a contract says under `SLICE_KEYS`.

    Raises:
        ValueError: It makes no sense.

    Example:
        >>> read_slice({"where": "status = 'paid'", "by": "store", "sample": "5%"})
        Slice(where="status = 'paid'", by=('store',), sample=0.05, new=False)
    """
    where = stated.get("where", "")
    if "where" in stated:
        if not isinstance(where, str) or not where.strip():
            raise ValueError(f"expected a SQL expression as `where`, found {where!r}")
        where = where.strip()
        check_expression(where)
    new = stated.get("new", False)
    if not isinstance(new, bool):
        raise ValueError(f"new is true or false, not {new!r}")  # noqa: TRY004  # of the contract
    return Slice(where, read_names(stated.get("by", ()), "by"), _read_sample(stated), new)


def refuse_options(kind: CheckKind, stated: Mapping[str, Any]) -> None:
    """Refuse what a kind of check can't heed: it tells by `refused`.

    Raises:
        ValueError: A contract states one of these options.
    """
    refused = getattr(kind, "refused", ())
    for key in stated:
        if key in refused:
            raise ValueError(f"{key!r} makes no sense here")


def refuse_boundless(
    kind: CheckKind, arguments: Mapping[str, Any], anomaly: Mapping[str, Any] | None
) -> None:
    """Refuse a metric that nothing judges: neither bounds nor its history.

    Raises:
        ValueError: A kind that has bounds (it tells by `limited`) is given none.
    """
    limited = getattr(kind, "limited", None)
    if limited is not None and anomaly is None and not limited(arguments):
        raise ValueError("expected bounds such as {min: 0, max: 10}, or anomaly: true")


def read_anomaly(value: Any) -> Mapping[str, Any] | None:
    """Return how what is measured is held against its own history; None if it is not.

    Raises:
        ValueError: It makes no sense.

    Example:
        >>> read_anomaly(True), read_anomaly({"side": "above"}), read_anomaly(False)
        ({}, {'side': 'above'}, None)
    """
    if value is None or value is False:
        return None
    if value is True:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"anomaly is true or a mapping, not {value!r}")  # noqa: TRY004
    return _read_anomaly_keys(value)


def _read_anomaly_keys(value: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = {"side": ("above", "below", "both"), "season": ("hour", "weekday", "month", "none")}
    for key, item in value.items():
        if key in choices and item not in choices[key]:
            raise ValueError(f"{key} is one of {', '.join(choices[key])}, not {item!r}")
        if key in ("sensitivity", "least") and not _is_positive(item):
            raise ValueError(f"{key} is a number above 0, not {item!r}")
        if key not in (*choices, "sensitivity", "least"):
            known = ", ".join((*choices, "sensitivity", "least"))
            raise ValueError(f"anomaly has no key {key!r}: expected {known}")
    return dict(value)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def read_names(value: Any, key: str) -> tuple[str, ...]:
    """Return the names of columns: one as text, or a list of them.

    Raises:
        ValueError: It is something else, or a column comes twice.
    """
    names = (value,) if isinstance(value, str) else value
    listed = isinstance(names, list | tuple)
    if not listed or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"expected a column or a list of columns as `{key}`, found {value!r}")
    if len(set(names)) < len(names):
        raise ValueError(f"a column comes twice in `{key}`: {', '.join(names)}")
    return tuple(names)


def _read_sample(stated: Mapping[str, Any]) -> float | None:
    if "sample" not in stated:
        return None
    value = stated["sample"]
    found = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share < 1:
        raise ValueError(f"sample is a share of the rows such as 5%, not {value!r}")
    return share
