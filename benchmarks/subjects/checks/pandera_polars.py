"""The checks as a schema of Pandera's over Polars."""

import sys
from datetime import datetime

import pandera.polars as pa
import polars as pl
from rules import (
    BETWEEN,
    COLUMNS,
    IN,
    MATCHES,
    MEAN,
    QUANTILE,
    REQUIRED,
    ROWS,
    UNIQUE,
    tell,
)

frame = pl.read_parquet(sys.argv[1])
checks = {name: [] for name in COLUMNS}
for name, ends in BETWEEN.items():
    low, high = map(datetime.fromisoformat, ends) if name == "created_at" else ends
    checks[name].append(pa.Check.between(low, high, name=f"{name} between"))
for name, pattern in MATCHES.items():
    checks[name].append(pa.Check.str_matches(f"^(?:{pattern})$", name=f"{name} matches"))
for name, values in IN.items():
    checks[name].append(pa.Check.isin(values, name=f"{name} in"))
amount = pl.col("amount")
mean = amount.mean().is_between(*MEAN)
quantile = amount.quantile(0.95, "linear") <= QUANTILE
checks["amount"] += [
    pa.Check(lambda data: data.lazyframe.select(mean), name="mean"),
    pa.Check(lambda data: data.lazyframe.select(quantile), name="quantile"),
]
schema = pa.DataFrameSchema(
    {
        name: pa.Column(
            checks=listed, nullable=name not in REQUIRED, unique=name == UNIQUE, name=name
        )
        for name, listed in checks.items()
    },
    checks=[
        pa.Check(lambda data: data.lazyframe.select(pl.len().is_between(*ROWS)), name="rows"),
        pa.Check(
            lambda data: data.lazyframe.select(amount >= pl.col("quantity") * 0.001), name="rule"
        ),
    ],
)
broken = set()
try:
    schema.validate(frame, lazy=True)
except pa.errors.SchemaErrors as errors:
    for error in errors.schema_errors:
        own = getattr(error.check, "name", None)
        kind = {"not_nullable": "required", "field_uniqueness": "unique"}.get(str(error.check))
        broken.add(own or f"{error.schema.name} {kind}")
tell(broken)
