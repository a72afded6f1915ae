"""Slots of a node: the deployment that runs, the one that has yet to prove itself, the last good.

``slots.json`` is replaced as a whole, so that a node that dies at any point finds the state
before or the state after. A folder ``slots/<generation>/`` that it does not name is rubbish.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.failpoints import pass_point
from segue.wire.durable import write_durably
from segue.wire.messages import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.wire.deployment import Deployment

EDGE = "edge.json"

STATE = "slots.json"
FOLDER = "slots"
SITE = "site"
"""Folder of a slot with the packages that were installed for it alone."""

MOST_FAILED = 100
LONGEST_ERROR = 4000


@dataclass(frozen=True, slots=True)
class Slots(Message):
    """Which deployments a node has, by generation; 0 for none.

    Attributes:
        current: What runs; it is the candidate while there is one.
        candidate: What has yet to prove itself.
        last_good: The newest that has proven itself.
        highest: The highest that was ever begun: a node never goes below by itself being told.
        failed: Generations that were given up, with their errors: not tried again.
        deployments: What was signed about each that has a folder, by generation.
        proven: Seconds in a row for which the candidate was healthy.
        starts: Starts of the agent in a row in which the candidate has proven nothing.
        proven_at_start: What `proven` was at the last start.
    """

    current: int = 0
    candidate: int = 0
    last_good: int = 0
    highest: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    proven: float = 0.0
    starts: int = 0
    proven_at_start: float = -1.0

    def begin(self, deployment: Deployment) -> Slots:
        """Return the slots with a new candidate.

        Example:
            >>> from segue.wire.deployment import Deployment
            >>> slots = Slots(current=1, last_good=1).begin(Deployment(2, "shop", "shops"))
            >>> slots.current, slots.candidate, slots.last_good
            (2, 2, 1)
        """
        number = deployment.generation
        kept = {str(self.last_good), str(number)}
        signed = {**self.deployments, str(number): asdict(deployment)}
        return replace(
            self,
            current=number,
            candidate=number,
            highest=max(self.highest, number),
            deployments={name: each for name, each in signed.items() if name in kept},
            proven=0.0,
            starts=0,
            proven_at_start=-1.0,
        )

    def promote(self) -> Slots:
        """Return the slots after the candidate has proven itself."""
        signed = self.deployments.get(str(self.current))
        return replace(
            self,
            candidate=0,
            last_good=self.current,
            deployments={str(self.current): signed} if signed else {},
        )

    def give_up(self, error: str) -> Slots:
        """Return the slots after the candidate has failed: the last good one runs again.

        Example:
            >>> slots = Slots(current=2, candidate=2, last_good=1).give_up("died")
            >>> slots.current, slots.candidate, slots.failed
            (1, 0, [{'generation': 2, 'error': 'died'}])
        """
        told = [*self.failed, {"generation": self.candidate, "error": error[:LONGEST_ERROR]}]
        signed = dict(self.deployments)
        signed.pop(str(self.candidate), None)
        return replace(
            self,
            current=self.last_good,
            candidate=0,
            failed=told[-MOST_FAILED:],
            deployments=signed,
            proven=0.0,
        )

    def find_failure(self, generation: int) -> str | None:
        """Return the error with which a generation was given up; None if it was not."""
        for each in reversed(self.failed):
            if each.get("generation") == generation:
                return str(each.get("error", ""))
        return None

    def read_deployment(self, generation: int) -> Deployment | None:
        """Return what was signed about a generation that has a folder."""
        signed = self.deployments.get(str(generation))
        if not signed:
            return None
        from segue.wire.deployment import Deployment

        return Deployment.read(signed)


def read_slots(home: Path) -> Slots:
    """Return the slots of a node; what a damaged file has forgotten is told by the folders.

    A node that has no file has no slots. One whose file is damaged goes on with the newest
    folder that is whole, so that collection does not stop for a bad sector.
    """
    try:
        return Slots.read(json.loads((home / STATE).read_bytes()))
    except FileNotFoundError:
        return Slots()
    except (ValueError, OSError):
        found = [int(path.name) for path in (home / FOLDER).glob("[0-9]*") if _is_whole(path)]
        newest = max(found, default=0)
        return Slots(current=newest, last_good=newest, highest=newest)


def _is_whole(folder: Path) -> bool:
    """Return whether a slot is there: its folder appears by a rename, so it is whole or not."""
    return folder.name.isdecimal() and (folder / EDGE).is_file()


def write_slots(home: Path, slots: Slots) -> None:
    """Replace the state of a node's slots."""
    pass_point("deploy.switch.before")
    write_durably(home / STATE, slots.dump())
    pass_point("deploy.switch.after")


def find_slot(home: Path, generation: int) -> Path | None:
    """Return the folder of a generation; None if it has none."""
    folder = home / FOLDER / str(generation)
    return folder if generation and _is_whole(folder) else None


def add_site(slot: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of processes that see the packages of a slot before others.

    Example:
        >>> add_site(Path("/no/slot"), {"PATH": "/bin"})
        {'PATH': '/bin'}
    """
    site = slot / SITE
    if not site.is_dir():
        return dict(environ)
    path = os.pathsep.join(filter(None, (str(site), environ.get("PYTHONPATH", ""))))
    return {**environ, "PYTHONPATH": path}


def remove_rubbish(home: Path, slots: Slots) -> None:
    """Remove the folders of slots that nothing needs, and what dead processes have left."""
    kept = {str(each) for each in (slots.current, slots.candidate, slots.last_good) if each}
    for path in (home / FOLDER).glob("*"):
        if path.name in kept or path.name == LOCK:
            continue
        pass_point("deploy.clean")
        if path.is_dir() and not path.is_symlink():
            import shutil

            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


LOCK = "lock"
"""File in the folder of slots that the process that fills one holds locked."""
