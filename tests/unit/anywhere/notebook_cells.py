"""Run the cells of a notebook that come in as JSON, and tell as JSON what each came to."""

import contextlib
import io
import json
import re
import sys


def main():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    cells = json.load(sys.stdin)
    shell = InteractiveShell.instance()
    told = []
    for cell in cells:
        with capture_output() as caught, contextlib.redirect_stderr(io.StringIO()) as errors:
            result = shell.run_cell(cell, store_history=True)
        value = result.result
        html = (
            "" if value is None else shell.display_formatter.format(value)[0].get("text/html", "")
        )
        failed = not result.success
        text = re.sub(r"\x1b\[[0-9;]*m", "", caught.stdout + caught.stderr + errors.getvalue())
        told.append(
            {
                "error": text.strip() if failed else "",
                "type": "" if value is None else type(value).__name__,
                "html": html,
                "shown": [each.data["text/html"] for each in caught.outputs if value is None],
            }
        )
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
