"""What every tool checks, and how each tells what it found."""

from __future__ import annotations

import json
from collections.abc import Mapping

COLUMNS = (
    "order_id", "customer_id", "email", "status", "amount", "quantity", "country", "created_at",
)  # fmt: skip
REQUIRED = ("order_id", "customer_id", "email", "status", "amount", "quantity", "created_at")
BETWEEN = {
    "customer_id": (0, 499_999),
    "amount": (0.0, 10_000.0),
    "quantity": (1, 99),
    "created_at": ("2025-01-01 00:00:00", "2025-12-31 23:59:59"),
}
MATCHES = {"email": r"[a-z0-9.]+@[a-z]+\.[a-z]{2,3}", "country": "[A-Z]{2}"}
IN = {
    "status": ("new", "paid", "sent", "returned"),
    "country": ("AT", "BE", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "US"),
}
UNIQUE = "order_id"
ROWS = (1_000, 1_000_000_000)
MEAN = (10.0, 5_000.0)
QUANTILE = 9_900.0
RULE = "amount >= quantity * 0.001"

NAMES = (
    *(f"{name} required" for name in REQUIRED),
    *(f"{name} between" for name in BETWEEN),
    *(f"{name} matches" for name in MATCHES),
    *(f"{name} in" for name in IN),
    "order_id unique",
    "rows",
    "rule",
    "mean",
    "quantile",
)
"""The checks: twenty."""


def tell(broken: Mapping[str, bool] | set[str]) -> None:
    """Print which checks are broken, for whoever measures."""
    found = {name for name in broken if not isinstance(broken, Mapping) or broken[name]}
    strange = found - set(NAMES)
    if strange:
        raise SystemExit(f"unknown checks: {sorted(strange)}")
    print(json.dumps({"broken": sorted(found)}))
