"""Load a project and run it, in a process that has imported nothing yet."""

import json
import sys
import time

began = time.perf_counter()
import segue  # noqa: E402  # importing is part of what a user waits for

with segue.load(sys.argv[1]) as project:
    result = project.run()
    seconds = time.perf_counter() - began
    rows = {info.name: info.rows for info in project.tables() if info.kind == "table"}
print(json.dumps({"seconds": seconds, "rows": rows, "status": str(result.status)}))
