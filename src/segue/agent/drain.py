"""Sends a long backlog, packed, and ends; a child of the supervisor, which never loads Arrow.

``python -m segue.agent.drain HOME SPOOL_SETTINGS PACK_FROM INSTANCE``
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from segue.agent.clock import OK, ClockWatch
from segue.agent.identity import SPOOL, open_access, read_identity
from segue.agent.lean import leave_out
from segue.agent.send import Sender, SendLimits
from segue.agent.spool import Spool
from segue.errors import SegueError
from segue.spec.edge import SpoolSettings, WhenFull
from segue.wire.client import HubClient

LEFT = 10
"""The child ends where a stream has less than this part of what it was started for."""
MOST_FAILURES = 3


def drain(home: Path, settings: SpoolSettings, pack_from: int, instance: str) -> int:
    """Send until little is left.

    Args:
        home: The node's home.
        settings: Limits of the spool.
        pack_from: Unsent rows for which this was started.
        instance: Random name of the agent's start.

    Returns:
        0, or 1 where the hub does not take what it is sent: the supervisor has more patience,
        and sends record by record meanwhile.
    """
    leave_out("numpy", "pandas")
    # a third less memory than Arrow's own, for the same work
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from segue.agent.pack import RecordPacker

    identity = read_identity(home)
    check = ClockWatch().quality() == OK
    client = HubClient(open_access(home, identity, check_time=check))
    limits = SendLimits(pack_from=max(1, pack_from // LEFT))
    pack = RecordPacker(identity.node, identity.labels)
    failures = 0
    with Spool(home / SPOOL, settings) as spool:
        sender = Sender(spool, client, instance, limits=limits, pack=pack)
        while failures < MOST_FAILURES:
            wait = sender.round()
            if sender.held:  # without rest and reason this would be started again at once
                return 1
            if not sender.error and sender.backlog < limits.pack_from:
                return 0
            failures = failures + 1 if sender.error else 0
            if wait:
                threading.Event().wait(wait)
    return 1


def read_settings(text: str) -> SpoolSettings:
    """Return limits of a spool that were written as JSON.

    Example:
        >>> read_settings('{"cap": 1000, "when_full": "block"}').when_full
        <WhenFull.BLOCK: 'block'>
    """
    plain: dict[str, Any] = json.loads(text)
    return SpoolSettings(**{**plain, "when_full": WhenFull(plain["when_full"])})


def main() -> int:
    """Read the arguments, and drain."""
    home, settings, pack_from, instance = sys.argv[1:]
    try:
        return drain(Path(home), read_settings(settings), int(pack_from), instance)
    except SegueError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
