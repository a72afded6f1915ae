"""``warn``, ``fail`` and ``severity`` of a check: how many failing rows are borne."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.spec.contract import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLERANCE_KEYS = ("name", "warn", "fail", "severity")
"""Keys of a check's long form that are not the kind's own."""

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_ALL = 100
_NONE = Tolerance(count=0)


def read_tolerances(
    stated: Mapping[str, Any], *, row_level: bool = True
) -> tuple[Tolerance | None, Tolerance | None]:
    """Return the tolerances beyond which a check fails and warns.

    Nothing stated means to fail at the first bad row; a `warn` alone means never to fail.

    Args:
        stated: What a contract says under `warn`, `fail` and `severity`.
        row_level: Whether the check counts rows.

    Raises:
        ValueError: It makes no sense.

    Example:
        >>> read_tolerances({"warn": "0.1%", "fail": 20})
        (Tolerance(count=20, share=None), Tolerance(count=None, share=0.001))
    """
    if "severity" in stated:
        return _read_severity(stated)
    warn = _read(stated["warn"], "warn") if "warn" in stated else None
    if "fail" in stated:
        fail = _read(stated["fail"], "fail")
    else:
        fail = None if "warn" in stated else _NONE
    if not row_level and any(limit not in (None, _NONE) for limit in (fail, warn)):
        raise ValueError("it counts no rows: say severity: warn, or leave warn and fail out")
    if fail and warn and _is_looser(warn, fail):
        raise ValueError(f"it would fail (beyond {fail}) before it warns (beyond {warn})")
    return fail, warn


def _read_severity(stated: Mapping[str, Any]) -> tuple[Tolerance | None, Tolerance | None]:
    severity = stated["severity"]
    if "warn" in stated or "fail" in stated:
        raise ValueError("severity says it all: leave warn and fail out")
    if severity not in ("warn", "fail"):
        raise ValueError(f"severity is warn or fail, not {severity!r}")
    return (None, _NONE) if severity == "warn" else (_NONE, None)


def _read(value: Any, key: str) -> Tolerance | None:
    if value is None or value == "none":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Tolerance(count=value)
    found = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or float(found[1]) > _ALL:
        raise ValueError(f"{key} is a number of rows or a share such as 0.1%, not {value!r}")
    return Tolerance(share=float(found[1]) / _ALL)


def _is_looser(one: Tolerance, other: Tolerance) -> bool:
    if one.share is not None and other.share is not None:
        return one.share > other.share
    return one.count is not None and other.count is not None and one.count > other.count
