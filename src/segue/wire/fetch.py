"""Files of a hub's deployments, over a node's or an operator's connection, a piece at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import HubError, UnknownNameError
from segue.wire.trust_folder import TARGETS, Fetch

if TYPE_CHECKING:
    from segue.wire.client import HubClient

PIECE = 4 * 2**20
"""Bytes of a bundle in one answer, so that neither side holds a large one in memory."""

_MISSING = 404


def fetch_from_hub(client: HubClient) -> Fetch:
    """Return what brings files of a hub here."""

    def fetch(path: str, into: Path, most: int) -> None:
        try:
            if path.startswith(f"{TARGETS}/"):
                _fetch_pieces(client, path, into, most)
            else:
                into.write_bytes(client.get(f"/v1/{path}", most=most).body)
        except UnknownNameError:
            raise FileNotFoundError(path) from None
        except HubError as error:
            if error.status == _MISSING:
                raise FileNotFoundError(path) from None
            raise

    return fetch


def _fetch_pieces(client: HubClient, path: str, into: Path, most: int) -> None:
    size = 0
    with into.open("wb") as file:
        while True:
            query = {"begin": str(size), "most": str(PIECE)}
            piece = client.get(f"/v1/{path}", query, most=PIECE).body
            size += len(piece)
            if size > most:
                raise HubError(f"the hub's {path} has more than {most:,} bytes")
            file.write(piece)
            if len(piece) < PIECE:
                return
