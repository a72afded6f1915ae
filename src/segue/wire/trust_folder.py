"""The folder ``trust/``: what a node, a hub or a person knows of who may deploy.

Standard library only, so that an agent can pin a root without loading a signature library.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from segue.errors import DeploymentError
from segue.wire.durable import write_durably

PINNED = "pinned.json"
"""The root that all trust begins with; whatever else stands in the folder was checked by it."""

PROJECT = "trust"
"""Folder of a project with its roots: part of the project, so that all who deploy share it."""

FIRST_ROOT = "1.root.json"

METADATA = "trust"
TARGETS = "targets"
"""Folders of a hub, and the beginnings of paths in `/v1/`, for signed metadata and bundles."""


class Fetch(Protocol):
    """What brings a file of a hub here."""

    def __call__(self, path: str, into: Path, most: int) -> None:
        """Write a file of the hub into a file here.

        Args:
            path: ``trust/<name>`` or ``targets/<name>``.
            into: The new file.
            most: Bytes that it may have.

        Raises:
            FileNotFoundError: The hub has no such file.
            HubError: The hub can't be reached, or the file is longer.
        """
        ...


def pin_root(folder: Path, text: bytes, digest: str = "") -> None:
    """Keep the root that all trust begins with.

    Args:
        folder: The folder ``trust/``.
        text: The root.
        digest: Its SHA-256, as the token says; empty not to look at it.

    Raises:
        DeploymentError: It is another, or there is one already that differs.
    """
    if digest and hashlib.sha256(text).hexdigest() != digest:
        raise DeploymentError(
            "the hub gave another trust root than the token names",
            hint="ask for a new token; if that does not help, somebody has changed the hub",
        )
    pinned = folder / PINNED
    if pinned.exists():
        if pinned.read_bytes() != text:
            raise DeploymentError(f"{pinned} holds another trust root already")
        return
    write_durably(pinned, text)


def read_pinned(folder: Path) -> bytes | None:
    """Return the root that all trust begins with; None if there is none yet."""
    try:
        return (folder / PINNED).read_bytes()
    except FileNotFoundError:
        return None


def fetch_from_folders(*folders: Path) -> Fetch:
    """Return what reads a hub's files from folders, the first that has one."""

    def fetch(path: str, into: Path, most: int) -> None:
        for folder in folders:
            source = folder / path
            if source.is_file():
                content = source.read_bytes()
                if len(content) > most:
                    raise DeploymentError(f"{path} is longer than {most:,} bytes")
                into.write_bytes(content)
                return
        raise FileNotFoundError(path)

    return fetch
