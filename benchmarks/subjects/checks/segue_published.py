"""Check a published table by its statistics. Argument: the project, run if it never was."""

import json
import sys
import time

import segue

with segue.load(sys.argv[1]) as project:
    if not project.runs():
        project.run()
        project.close()
with segue.load(sys.argv[1]) as project:
    began = time.perf_counter()
    project.check("made")
    between = time.perf_counter()
    (report,) = project.check("made")
    ended = time.perf_counter()
told = {
    "first": between - began,
    "seconds": ended - between,
    "broken": [each.check for each in report.measurements if each.verdict != "pass"],
    "read": [each.check for each in report.measurements if not each.sql.startswith("--")],
}
print(json.dumps(told))
