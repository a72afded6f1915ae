"""A project's hub, opened from its folder."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue import registry
from segue.declare.discover import declare_project, find_root
from segue.errors import UsageError
from segue.hub.hub import Hub
from segue.hub.ingest import note_commits
from segue.hub.rollout_routes import FOLDER, HubRollouts
from segue.hub.rollout_store import digest_root, read_root, take_root
from segue.place.edge import map_fleets
from segue.spec.edge import REJECTS_SUFFIX
from segue.wire.trust_folder import FIRST_ROOT, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segue.protocols.hub import Arriving, HubStore
    from segue.spec.step import ProjectSpec

HOME = "_hub"
"""Folder of a hub's own files, inside the lake."""
DATABASE = "hub.db"


@dataclass(frozen=True, slots=True)
class HubPlace:
    """Where a project's hub keeps what it has.

    Attributes:
        project: Name of the project.
        lake: Folder of the lake.
        home: Folder of the hub's own files.
        database: URL of its database.
        tables: Names of all tables that nodes may send.
        root: The project's folder.
    """

    project: str
    lake: Path
    home: Path
    database: str
    tables: frozenset[str]
    root: Path

    @property
    def streams(self) -> frozenset[str]:
        """Names of these tables without those of rejects."""
        return frozenset(name for name in self.tables if not name.endswith(REJECTS_SUFFIX))


def find_place(folder: Path) -> HubPlace:
    """Return where the hub of a project keeps what it has.

    Raises:
        UsageError: There is no project, or its lake is no folder.
        ProjectError: The project's files are wrong.
    """
    spec = declare_project(find_root(folder), {})
    if "://" in str(spec.lake):
        raise UsageError(
            f"a hub writes into a local folder, and the lake is {spec.lake}",
            hint="set [lake] path to a folder",
        )
    lake = Path(spec.lake).absolute()
    database = spec.ledger
    if not database or database.startswith("sqlite"):
        database = f"sqlite:///{lake / DATABASE}"
    tables = frozenset(_name_tables(spec))
    return HubPlace(spec.name, lake, lake / HOME, database, tables, spec.root)


def _name_tables(spec: ProjectSpec) -> Iterable[str]:
    for name in map_fleets(spec):
        yield name
        yield f"{name}{REJECTS_SUFFIX}"


def find_trust(place: HubPlace) -> str:
    """Return the SHA-256 of the first TUF root; empty if nobody may deploy yet.

    The project's own root goes to the hub with it, so that nodes get it when they are enrolled.

    Raises:
        DeploymentError: The hub has another root than the project.
    """
    folder = place.home / FOLDER
    own = place.root / PROJECT / FIRST_ROOT
    if own.is_file():
        take_root(folder, own.read_bytes())
    return digest_root(read_root(folder))


def open_store(place: HubPlace) -> HubStore:
    """Open the database of a hub.

    Raises:
        StorageError: It can't be opened.
    """
    store: HubStore = registry.load(registry.HUB_STORES, "sql")(place.database)
    return store


def open_hub(place: HubPlace, *, url: str = "", ca: str = "", pace: Any = None) -> Hub:
    """Open a hub: its database, its tables, and its deployments.

    Args:
        place: Where it keeps what it has.
        url: Where agents reach it.
        ca: PEM of the root that agents pin; empty without TLS.
        pace: How batches are brought together; the store's own way if None.

    Raises:
        StorageError: The database or the lake can't be used.
    """
    place.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = open_store(place)
    hub: Hub

    def tell(commits: Any) -> None:
        note_commits(hub, commits)

    make: Any = registry.load(registry.HUB_STORES, "arriving")
    arriving: Arriving = make(str(place.lake), pace, tell)

    def takes(table: str) -> bool:
        # a table that was sent once is still sent by nodes that run an older deployment
        known = table in place.tables or arriving.exists(table)
        return known or hub.rollouts.sends(table)

    hub = Hub(place.project, place.home, store, arriving, takes, ca, url, now=time.time)
    hub.rollouts = HubRollouts(hub)
    return hub
