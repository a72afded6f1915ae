"""The process of an agent: ``python -m segue.cli.agent_process HOME SLOT ONCE``.

``segue agent run`` becomes it: the same process begins anew without the command line, which an
agent would hold in memory for years and use for its first tenth of a second.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

_ONCE = "once"


def become_agent(home: Path, slot: Path | None, *, once: bool) -> NoReturn:
    """Go on as an agent, in the process that runs now.

    Args:
        home: The node's home.
        slot: A slot to run in place of what is deployed.
        once: Whether the agent ends when all is read and all was sent.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # What began by ``python -m`` finds modules in its folder; what began by a script does not.
    options = [] if sys.path[:1] == [os.getcwd()] else ["-P"]  # noqa: PTH109  # as `site` writes it
    options += [f"-W{each}" for each in sys.warnoptions]
    asked = [str(home), str(slot or ""), _ONCE if once else ""]
    command = [sys.executable, *options, "-m", "segue.cli.agent_process", *asked]
    os.execv(sys.executable, command)  # noqa: S606  # no shell is wanted


def main(arguments: Sequence[str]) -> int:
    """Be an agent until it is stopped; return the exit code."""
    from segue.agent.identity import read_identity
    from segue.agent.supervise import Settings, Supervisor

    home, slot, once = arguments
    try:
        settings = Settings(Path(home), Path(slot) if slot else None, once == _ONCE)
        return Supervisor(settings, read_identity(settings.home)).run()
    except Exception as error:  # noqa: BLE001  # told as by any other command
        from segue.cli.main import report

        return report(error, ["agent", "run", "--home", home])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
