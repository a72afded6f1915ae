"""The checks as a contract of Soda Core's over DuckDB, which reads the file."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"

import duckdb
import yaml
from rules import BETWEEN, COLUMNS, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, RULE, UNIQUE, tell
from soda_core.contracts import verify_contract_locally
from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

columns = {name: [] for name in COLUMNS}
for name in REQUIRED:
    columns[name].append({"missing": {"name": f"{name} required"}})
for name, (low, high) in BETWEEN.items():
    told = {"name": f"{name} between", "qualifier": "between"}
    if name == "created_at":
        rule = f"{name} < timestamp '{low}' or {name} > timestamp '{high}'"
        columns[name].append({"failed_rows": {**told, "expression": rule}})
    else:
        columns[name].append({"invalid": {**told, "valid_min": low, "valid_max": high}})
for name, pattern in MATCHES.items():
    regex = {"regex": f"^(?:{pattern})$", "name": "pattern"}
    told = {"name": f"{name} matches", "qualifier": "matches"}
    columns[name].append({"invalid": {**told, "valid_format": regex}})
for name, values in IN.items():
    told = {"name": f"{name} in", "qualifier": "in"}
    columns[name].append({"invalid": {**told, "valid_values": list(values)}})
columns[UNIQUE].append({"duplicate": {"name": "order_id unique"}})
mean = {
    "must_be_between": {"greater_than_or_equal": MEAN[0], "less_than_or_equal": MEAN[1]},
}
columns["amount"] += [
    {"aggregate": {"name": "mean", "function": "avg", "threshold": mean}},
    {
        "metric": {
            "name": "quantile",
            "expression": "quantile_cont(amount, 0.95)",
            "threshold": {"must_be_less_than_or_equal": QUANTILE},
        }
    },
]
rows = {"must_be_between": {"greater_than_or_equal": ROWS[0], "less_than_or_equal": ROWS[1]}}
contract = {
    "dataset": "local/main/orders",
    "columns": [{"name": name, "checks": listed} for name, listed in columns.items()],
    "checks": [
        {"row_count": {"name": "rows", "threshold": rows}},
        {"failed_rows": {"name": "rule", "expression": f"not ({RULE})"}},
    ],
}
with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
    connection.execute(f"create view orders as from read_parquet('{sys.argv[1]}')")
    path = Path(folder) / "orders.yml"
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    source = DuckDBDataSourceImpl.from_existing_cursor(connection, "local")
    result = verify_contract_locally(data_sources=[source], contract_file_path=str(path))
    if result.has_errors:
        raise SystemExit(result.get_errors_str())
    (verified,) = result.contract_verification_results
    tell({each.check.name: each.outcome.name != "PASSED" for each in verified.check_results})
