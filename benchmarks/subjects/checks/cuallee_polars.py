"""The checks as a check of Cuallee's over Polars; what it has no rule for, by Polars."""

import sys
from datetime import datetime

import polars as pl
from cuallee import Check, CheckLevel
from rules import BETWEEN, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, UNIQUE, tell

frame = pl.read_parquet(sys.argv[1])
names = []
check = Check(CheckLevel.WARNING, "orders")
for name in REQUIRED:
    check.is_complete(name)
    names.append(f"{name} required")
for name, ends in BETWEEN.items():
    low, high = map(datetime.fromisoformat, ends) if name == "created_at" else ends
    check.is_between(name, (low, high))
    names.append(f"{name} between")
for name, pattern in MATCHES.items():
    check.has_pattern(name, f"^(?:{pattern})$")
    names.append(f"{name} matches")
for name, values in IN.items():
    check.is_contained_in(name, values)
    names.append(f"{name} in")
check.is_unique(UNIQUE)
names.append("order_id unique")
found = check.validate(frame)
broken = {name: status != "PASS" for name, status in zip(names, found["status"], strict=True)}
broken["rows"] = not ROWS[0] <= len(frame) <= ROWS[1]
broken["rule"] = not (frame["amount"] >= frame["quantity"] * 0.001).all()
broken["mean"] = not MEAN[0] <= frame["amount"].mean() <= MEAN[1]
broken["quantile"] = frame["amount"].quantile(0.95, "linear") > QUANTILE
tell(broken)
