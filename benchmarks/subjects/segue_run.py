"""Load a project and run it, in a process that has imported nothing yet."""

import json
import sys
import time

began = time.perf_counter()
import segue  # noqa: E402  # importing is part of what a user waits for

with segue.load(sys.argv[1]) as project:
    loaded = time.perf_counter()
    result = project.run()
    ended = time.perf_counter()
    rows = {info.name: info.rows for info in project.tables() if info.kind == "table"}
told = {"seconds": ended - began, "run": ended - loaded, "rows": rows}
print(json.dumps({**told, "status": str(result.status)}))
