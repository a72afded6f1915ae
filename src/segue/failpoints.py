"""Named points in the code at which a fault can be injected.

The environment variable ``SEGUE_FAILPOINT`` names points and actions, such as
``publish.intent.after=kill`` or ``stage.written=raise@3`` (at the third pass).
Actions: ``kill`` (SIGKILL of this process), ``raise`` (an `OSError`), ``full`` (an
`OSError` as of a full disk), ``stop`` (SIGSTOP until continued). Unset, a point costs
one look-up in an empty dictionary.
"""

from __future__ import annotations

import errno
import os
import signal
import threading

VARIABLE = "SEGUE_FAILPOINT"

POINTS = (
    "execute.before",
    "stage.written",
    "judge.before",
    "judge.after",
    "publish.intent.before",
    "publish.intent.after",
    "publish.commit.before",
    "publish.commit.after",
    "publish.flip.before",
    "publish.flip.after",
    "recover.before",
    "recover.commit.before",
    "recover.commit.after",
    "recover.flip.before",
    "recover.flip.after",
    "record.written",
    "deliver.before",
    "deliver.written",
    "deliver.acknowledged",
    "agent.read",
    "agent.transform",
    "agent.commit.before",
    "agent.commit.after",
    "agent.send.before",
    "agent.sent",
    "agent.acknowledged",
    "agent.delete",
    "hub.received",
    "hub.staged",
    "hub.written",
    "hub.fsync.before",
    "hub.linked",
    "hub.acknowledge.before",
    "deploy.fetched",
    "deploy.unpacked",
    "deploy.switch.before",
    "deploy.switch.after",
    "deploy.clean",
)
"""All points, in the order in which a run passes them."""


def _read(text: str) -> dict[str, tuple[str, int]]:
    points = {}
    for part in filter(None, text.split(",")):
        name, _, action = part.partition("=")
        if name not in POINTS:
            raise ValueError(f"{VARIABLE}: unknown failpoint {name!r}")
        action, _, count = action.partition("@")
        points[name] = (action, int(count or 1))
    return points


_armed = _read(os.environ.get(VARIABLE, ""))
_passes: dict[str, int] = {}
_counting = threading.Lock()


def arm(text: str) -> None:
    """Arm points as the variable does, for a process that is under way; others are disarmed.

    Args:
        text: What would stand in ``SEGUE_FAILPOINT``; empty disarms all.

    Raises:
        ValueError: There is no such point.
    """
    points = _read(text)
    with _counting:
        _armed.clear()
        _armed.update(points)
        _passes.clear()


def pass_point(name: str) -> None:
    """Do at this point what the environment asks for; nothing if it asks for nothing.

    Args:
        name: One of `POINTS`.
    """
    armed = _armed.get(name)
    if armed is None:
        return
    action, count = armed
    with _counting:
        passes = _passes[name] = _passes.get(name, 0) + 1
    if passes != count:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    else:
        raise OSError(errno.EIO, f"failpoint {name}")
