"""Begins a child of the supervisor: it ends with its parent, and keeps within its bounds.

``python -m segue.agent.launch MODULE MEMORY PARENT ARGUMENT...``
"""

from __future__ import annotations

import os
import resource
import runpy
import signal
import sys
from contextlib import suppress

from segue.execute.process_tree import follow_parent

SPARE = 4 * 2**30
"""Bytes of addresses beyond the limit: Arrow and DuckDB reserve more than they use."""
_PLAIN = 5
_MORE_LIKELY = b"500"


def launch(module: str, memory: int, parent: int) -> None:
    """Run a module as this process' program.

    The limit on addresses stops an allocation that runs away between two looks of the
    supervisor; the look at resident memory is what enforces the limit.

    Args:
        module: Name of the module.
        memory: Bytes that it may use; 0 for no limit.
        parent: Process id of the supervisor.
    """
    follow_parent(parent, signal.SIGKILL)
    _give_way()
    # If the machine runs out of memory, the worker goes before the supervisor.
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb") as file:  # noqa: PTH123  # not a file
        file.write(_MORE_LIKELY)
    if memory:
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = memory + SPARE
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _give_way() -> None:
    """Let the supervisor, and what else the machine does, go first.

    Where Linux weighs sessions instead of processes, being nice counts within the session alone.
    """
    os.nice(_PLAIN)
    if os.getsid(0) == os.getpid():
        with suppress(OSError), open("/proc/self/autogroup", "wb") as file:  # noqa: PTH123  # not a file
            file.write(str(_PLAIN).encode())


if __name__ == "__main__":
    _, asked, most_memory, starter, *rest = sys.argv
    sys.argv = [asked, *rest]
    launch(asked, int(most_memory), int(starter))
