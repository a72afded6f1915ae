"""The checks as a suite of Great Expectations over pandas."""

import os
import sys

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
from rules import BETWEEN, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, UNIQUE, tell

context = gx.get_context(mode="ephemeral")
context.variables.progress_bars = None
frame = pd.read_parquet(sys.argv[1])
frame["rule"] = frame["amount"] - frame["quantity"] * 0.001
batch = (
    context.data_sources.add_pandas("local")
    .add_dataframe_asset("orders")
    .add_batch_definition_whole_dataframe("all")
    .get_batch({"dataframe": frame})
)
asked = {}
for name in REQUIRED:
    asked[f"{name} required"] = gxe.ExpectColumnValuesToNotBeNull(column=name)
for name, ends in BETWEEN.items():
    low, high = map(pd.Timestamp, ends) if name == "created_at" else ends
    asked[f"{name} between"] = gxe.ExpectColumnValuesToBeBetween(
        column=name, min_value=low, max_value=high
    )
for name, pattern in MATCHES.items():
    regex = f"^(?:{pattern})$"
    asked[f"{name} matches"] = gxe.ExpectColumnValuesToMatchRegex(column=name, regex=regex)
for name, values in IN.items():
    asked[f"{name} in"] = gxe.ExpectColumnValuesToBeInSet(column=name, value_set=list(values))
asked["order_id unique"] = gxe.ExpectColumnValuesToBeUnique(column=UNIQUE)
asked["rows"] = gxe.ExpectTableRowCountToBeBetween(min_value=ROWS[0], max_value=ROWS[1])
asked["rule"] = gxe.ExpectColumnValuesToBeBetween(column="rule", min_value=0.0)
asked["mean"] = gxe.ExpectColumnMeanToBeBetween(
    column="amount", min_value=MEAN[0], max_value=MEAN[1]
)
asked["quantile"] = gxe.ExpectColumnQuantileValuesToBeBetween(
    column="amount", quantile_ranges={"quantiles": [0.95], "value_ranges": [[None, QUANTILE]]}
)
suite = gx.ExpectationSuite("orders")
for name, expectation in asked.items():
    expectation.meta = {"name": name}
    suite.add_expectation(expectation)
found = batch.validate(suite, result_format="BASIC")
for each in found.results:
    if each.exception_info.get("raised_exception"):
        raise SystemExit(each.exception_info)
tell({each.expectation_config.meta["name"]: not each.success for each in found.results})
