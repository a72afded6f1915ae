"""The checks as a schema of Pandera's over pandas."""

import sys

import pandas as pd
import pandera.pandas as pa
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

frame = pd.read_parquet(sys.argv[1])
checks = {name: [] for name in COLUMNS}
for name, ends in BETWEEN.items():
    low, high = map(pd.Timestamp, ends) if name == "created_at" else ends
    checks[name].append(pa.Check.between(low, high, name=f"{name} between"))
for name, pattern in MATCHES.items():
    checks[name].append(pa.Check.str_matches(f"^(?:{pattern})$", name=f"{name} matches"))
for name, values in IN.items():
    checks[name].append(pa.Check.isin(values, name=f"{name} in"))
mean = pa.Check(lambda column: MEAN[0] <= column.mean() <= MEAN[1], name="mean")
quantile = pa.Check(lambda column: column.quantile(0.95) <= QUANTILE, name="quantile")
checks["amount"] += [mean, quantile]
schema = pa.DataFrameSchema(
    {
        name: pa.Column(
            checks=listed, nullable=name not in REQUIRED, unique=name == UNIQUE, name=name
        )
        for name, listed in checks.items()
    },
    checks=[
        pa.Check(lambda frame: ROWS[0] <= len(frame) <= ROWS[1], name="rows"),
        pa.Check(lambda frame: frame["amount"] >= frame["quantity"] * 0.001, name="rule"),
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
