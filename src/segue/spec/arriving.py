"""Batches of rows that nodes send, and what becomes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[^\W\d][\w .-]{0,119}")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_EPOCH = re.compile(r"[0-9a-f]{16}")


def is_table_name(name: str) -> bool:
    """Return whether a stream can have this name: a word, no path.

    Example:
        >>> is_table_name("readings__rejects"), is_table_name("../readings")
        (True, False)
    """
    return _NAME.fullmatch(name) is not None and not name.endswith((".", " "))


def is_node_name(name: str) -> bool:
    """Return whether a node can have this name.

    Example:
        >>> is_node_name("shop-17.be"), is_node_name("a/b")
        (True, False)
    """
    return _NODE.fullmatch(name) is not None


def is_epoch(text: str) -> bool:
    """Return whether a text is an epoch: 16 hex digits."""
    return _EPOCH.fullmatch(text) is not None


class Verdict(StrEnum):
    """What became of a batch."""

    OK = "ok"
    """It is in the table: now, or since earlier."""
    EXPECTED = "expected"
    """It does not follow what the table has."""
    FENCED = "fenced"
    """The table has other rows under its sequences: somebody else uses the epoch."""
    REFUSED = "refused"
    """It can't be read."""


@dataclass(frozen=True, slots=True)
class Key:
    """Whose sequences these are, in one table."""

    node: str
    epoch: str

    @property
    def application(self) -> str:
        """Name of the Delta application transaction that holds the last sequence.

        Example:
            >>> Key("shop-1", "00ff00ff00ff00ff").application
            'segue-fleet/shop-1/00ff00ff00ff00ff'
        """
        return f"{APPLICATION}/{self.node}/{self.epoch}"


APPLICATION = "segue-fleet"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table as a node sent them, or a loss that it declares.

    Attributes:
        table: Name of the table.
        key: Node and epoch.
        first: First sequence that it covers.
        last: Last one.
        rows: Rows in the payload, or rows lost; None for a loss that can't be counted.
        gap: Whether it declares a loss.
        payload: Rows in `format`.
        format: ``ipc`` or ``parquet``.
        digest: SHA-256 of the payload, hex.
        schema_id: Schema id of the rows.
        deployment: Generation of the deployment that made them.
        clock: Quality of the node's clock.
        reason: Why rows are lost.
        labels: Labels of the node.
        digests: Of a batch that was packed from several: the first 16 hex digits of the digest
            of each sequence by itself.
    """

    table: str
    key: Key
    first: int
    last: int
    rows: int | None = 0
    gap: bool = False
    payload: bytes | memoryview = field(default=b"", repr=False)
    format: str = "ipc"
    digest: str = ""
    schema_id: str = ""
    deployment: int = 0
    clock: str = "ok"
    reason: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node's sequences stand in a table.

    Attributes:
        committed: Last sequence that the table has.
        incarnation: Which table that is: another one after it was made anew or set back.
        verdict: What became of the batch.
        reason: For people.
        fresh: Whether this batch put rows into the table, and no earlier one.
    """

    committed: int
    incarnation: str
    verdict: Verdict = Verdict.OK
    reason: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Commits:
    """What one commit of a table did.

    Attributes:
        table: Name of the table.
        batches: Batches that were looked at.
        places: What became of each.
        seconds: How long it took.
        odd_columns: Columns that were made because a type does not fit.
    """

    table: str
    batches: Sequence[Batch]
    places: Sequence[Place]
    seconds: float
    odd_columns: tuple[str, ...] = ()
