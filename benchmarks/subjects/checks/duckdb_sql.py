"""The checks as one SELECT that somebody wrote by hand."""

import sys

import duckdb
from rules import BETWEEN, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, RULE, UNIQUE, tell

failing = {f"{name} required": f"{name} is null" for name in REQUIRED}
for name, (low, high) in BETWEEN.items():
    ends = [f"timestamp '{end}'" if isinstance(end, str) else end for end in (low, high)]
    failing[f"{name} between"] = f"{name} < {ends[0]} or {name} > {ends[1]}"
for name, pattern in MATCHES.items():
    failing[f"{name} matches"] = f"not regexp_full_match({name}, '{pattern}')"
for name, values in IN.items():
    failing[f"{name} in"] = f"{name} not in {values}"
failing["rule"] = f"not ({RULE})"

counts = ", ".join(f'count(*) filter (where {text}) as "{name}"' for name, text in failing.items())
query = f"""
    select {counts}, count({UNIQUE}) - count(distinct {UNIQUE}) as "order_id unique",
    count(*) not between {ROWS[0]} and {ROWS[1]} as rows,
    avg(amount) not between {MEAN[0]} and {MEAN[1]} as mean,
    quantile_cont(amount, 0.95) > {QUANTILE} as quantile
    from read_parquet('{sys.argv[1]}')
"""
relation = duckdb.sql(query)
(row,) = relation.fetchall()
tell({name: bool(value) for name, value in zip(relation.columns, row, strict=True)})
