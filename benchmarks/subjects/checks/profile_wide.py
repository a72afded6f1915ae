"""Every column of a file described by Segue, as a page. Arguments: the file, the page."""

import json
import sys
from pathlib import Path

import segue
from segue.judge.profiling.page import write_page

found = segue.profile(sys.argv[1])
Path(sys.argv[2]).write_text(write_page([found]), encoding="utf-8")
print(json.dumps({"columns": len(found.columns), "rows": found.rows}))
