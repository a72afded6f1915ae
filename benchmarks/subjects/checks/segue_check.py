"""The checks as a contract of segue's."""

import sys

from rules import BETWEEN, IN, MATCHES, MEAN, QUANTILE, REQUIRED, ROWS, RULE, UNIQUE, tell

import segue

columns = {name: {} for name in (*REQUIRED, *IN)}
for name in REQUIRED:
    columns[name]["required"] = True
for name, ends in BETWEEN.items():
    columns[name]["between"] = list(ends)
for name, pattern in MATCHES.items():
    columns[name]["matches"] = pattern
for name, values in IN.items():
    columns[name]["in"] = list(values)
columns[UNIQUE]["unique"] = True
columns["amount"]["mean"] = {"name": "mean", "between": list(MEAN)}
columns["amount"]["quantile"] = {"name": "quantile", "at": 0.95, "max": QUANTILE}
contract = {
    "columns": columns,
    "rows": {"min": ROWS[0], "max": ROWS[1]},
    "checks": [{"name": "rule", "rule": RULE}],
}

report = segue.check(sys.argv[1], contract)
if any(each.verdict == "error" for each in report.measurements):
    raise SystemExit([each.message for each in report.measurements])
tell({each.check: each.verdict != "pass" for each in report.measurements})
