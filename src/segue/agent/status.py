"""What a node says of itself: to the hub, and to whoever asks at the node."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue import __version__
from segue.agent.clock import read_steady
from segue.agent.heartbeat import write_atomically
from segue.agent.processes import measure_process
from segue.errors import FleetError
from segue.wire.messages import Status

if TYPE_CHECKING:
    from pathlib import Path

    from segue.agent.heartbeat import WorkerReport
    from segue.agent.processes import Use
    from segue.agent.spool.model import Standing, Usage

FILE = "status.json"
STALE = 30.0
"""Seconds after which the file is no news any more: the supervisor writes it each few seconds."""
_TOLD = 20
"""Alerts that are told at once."""


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What was seen of the spool at the last look.

    Attributes:
        usage: What it takes.
        standings: Where the lake stands in it.
    """

    usage: Usage | None = None
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the node stands with its hub.

    Attributes:
        linked: Whether the last request was answered.
        error: Why not.
        requests: Requests with records that were answered.
        rows: Rows that were acknowledged since the agent began.
        hint: What can be done about the error.
        silent: Seconds for which the hub has owed an answer.
    """

    linked: bool = False
    error: str = ""
    requests: int = 0
    rows: int = 0
    hint: str = ""
    silent: float = 0.0


@dataclass(frozen=True, slots=True)
class Local:
    """What ``segue agent status`` shows: the node's status and what only matters there.

    Attributes:
        node: Name of the node.
        hub: Address of its hub.
        status: What the hub is told.
        link: How it stands with the hub.
        pid: Process id of the supervisor.
        worker: Process id of the worker; 0 while it is down.
        steady: When this was written, by a clock that nobody can set.
    """

    node: str
    hub: str
    status: Status
    link: LinkState
    pid: int
    worker: int
    steady: float = field(default_factory=read_steady)


def compose_status(
    spool: SpoolState,
    report: WorkerReport | None,
    use: Use,
    *,
    clock: str,
    restarts: int,
    error: str = "",
    alerts: tuple[str, ...] = (),
) -> Status:
    """Return the status that a node's parts make up, but for its deployments.

    Args:
        spool: What was seen of the spool.
        report: What the worker says; None before its first word.
        use: What all processes use.
        clock: Quality of the clock.
        restarts: How often the worker was started again.
        error: Why the worker is not well.
        alerts: What the supervisor has to say besides.
    """
    waiting = [each for each in spool.standings if each.waits]
    oldest = max(waiting, key=lambda each: each.age, default=None)
    usage = spool.usage
    told = [*alerts, *(usage.alerts if usage else ()), *(report.alerts if report else ())]
    return Status(
        error=error or (report.error if report else ""),
        lag=oldest.age if oldest else 0.0,
        oldest_unsent=f"{oldest.stream}/{oldest.epoch}/{oldest.acknowledged + 1}" if oldest else "",
        spool_bytes=usage.bytes if usage else 0,
        spool_cap=usage.cap if usage else 0,
        unsent=sum(each.rows for each in waiting),
        rows=report.rows if report else {},
        rejects=report.rejects if report else {},
        batches=report.batches if report else 0,
        errors=report.errors if report else 0,
        clock=time.time(),
        clock_quality=clock,
        restarts=restarts,
        memory=use.memory,
        cpu=use.cpu,
        destinations=report.destinations if report else [],
        alerts=list(dict.fromkeys(told))[:_TOLD],
        version=__version__,
        python=sys.version.split()[0],
    )


def write_status(home: Path, local: Local) -> bool:
    """Replace the status in a node's home; return whether it could be written."""
    plain = {
        "node": local.node,
        "hub": local.hub,
        "pid": local.pid,
        "worker": local.worker,
        "steady": local.steady,
        "linked": local.link.linked,
        "link_error": local.link.error,
        "link_hint": local.link.hint,
        "silent": local.link.silent,
        "requests": local.link.requests,
        "sent_rows": local.link.rows,
        "status": local.status.plain(),
    }
    return write_atomically(home / FILE, json.dumps(plain, ensure_ascii=False).encode())


def read_status(home: Path) -> dict[str, Any]:
    """Return the last status of a node, and whether its agent runs now, as ``running``.

    Raises:
        FleetError: There is none, or it can't be read.
    """
    try:
        plain = json.loads((home / FILE).read_bytes())
        pid, steady = int(plain["pid"]), float(plain["steady"])
    except FileNotFoundError:
        raise FleetError(
            f"no agent has run in {home}", hint="start it: segue agent run, or segue agent install"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FleetError(f"{home / FILE} can't be read: {error}") from None
    age = read_steady() - steady
    running = bool(measure_process(pid).pids) and 0 <= age <= STALE
    return {**plain, "running": running}
