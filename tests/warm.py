"""Commands of segue as processes that are forked where its libraries are loaded already.

Each is a process of its own, to be killed and waited for as any; only its first second, in which
modules are loaded, is saved. Tests of that second start ``python -m segue``.
"""

import os
import sys
from pathlib import Path

from segue.testing.processes import start_call, wait_until

__all__ = ["run", "start", "wait_until"]
FAILPOINT = "SEGUE_FAILPOINT"


def start(*arguments, cwd=None, out=None, err=None, **environ):
    """Start a command; its outputs are added to files, or kept for its end."""
    failpoints = environ.pop(FAILPOINT, "")
    told = [str(each) for each in arguments]
    return start_call(
        _be, told, str(cwd or Path.cwd()), out, err, failpoints=failpoints, environ=environ
    )


def run(*arguments, cwd=None, seconds=60, **environ):
    """Run a command to its end; return how it ended."""
    return start(*arguments, cwd=cwd, **environ).wait(seconds)


def _be(arguments, cwd, out, err):
    from segue.cli.main import run_command

    os.chdir(cwd)
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        if path is not None:
            with Path(path).open("ab") as file:
                os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["segue", *arguments]
    return run_command(arguments)
