"""The checks as a validation of Pointblank's over Polars."""

import sys
from datetime import datetime

import pointblank as pb
import polars as pl
from rules import BETWEEN, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, UNIQUE, tell

frame = pl.read_parquet(sys.argv[1])
names = []
plan = pb.Validate(frame)
for name in REQUIRED:
    plan = plan.col_vals_not_null(name)
    names.append(f"{name} required")
for name, ends in BETWEEN.items():
    low, high = map(datetime.fromisoformat, ends) if name == "created_at" else ends
    plan = plan.col_vals_between(name, low, high, na_pass=True)
    names.append(f"{name} between")
for name, pattern in MATCHES.items():
    plan = plan.col_vals_regex(name, f"^(?:{pattern})$", na_pass=True)
    names.append(f"{name} matches")
for name, values in IN.items():
    plan = plan.col_vals_in_set(name, list(values))
    names.append(f"{name} in")
plan = (
    plan.rows_distinct([UNIQUE])
    .specially(lambda rows: ROWS[0] <= len(rows) <= ROWS[1])
    .col_vals_expr(pl.col("amount") >= pl.col("quantity") * 0.001)
    .specially(lambda rows: MEAN[0] <= rows["amount"].mean() <= MEAN[1])
    .specially(lambda rows: rows["amount"].quantile(0.95, "linear") <= QUANTILE)
)
names += ["order_id unique", "rows", "rule", "mean", "quantile"]
plan = plan.interrogate(collect_extracts=False)
if any(step.eval_error for step in plan.validation_info):
    raise SystemExit("a step could not be evaluated")
passed = plan.all_passed
tell({name: not plan.validation_info[at].all_passed for at, name in enumerate(names)})
