"""What a session and its forks share: Spark, and DuckDB, which says what a query means."""

from __future__ import annotations

import itertools
import threading
import uuid
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.errors import StepError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.protocols import LocalSession


@dataclass
class Driver:
    """Spark as this process holds it.

    Attributes:
        spark: A session of our own, so that nobody else's settings and views change.
        scratch: Folder for what is written before Spark reads it.
        local: DuckDB's session, which describes queries and reads what Spark can't.
        connect: Whether Spark is reached by Spark Connect.
        nearby: Whether Spark's workers see this machine's files.
        address: Where Spark was reached; its master, for a classic one.
        owner: Whether closing the first session stops Spark.
        origin: Session to which frames that users get belong.
        lax: Whether a server computes otherwise than Spark, or its user has told it to: numbers
            overflow, and rows may come to workers unsorted.
        odd: Settings of a user's own session that give some queries another meaning.
        proven: Whether workers were seen to run the same versions as this process.
    """

    spark: Any
    scratch: Path
    local: LocalSession
    connect: bool
    nearby: bool
    address: str
    owner: bool = False
    origin: Any = None
    proven: bool = False
    lax: bool = False
    odd: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def functions(self) -> Any:
        """Spark's functions, of the kind that goes with its frames."""
        if self.connect:
            from pyspark.sql.connect import functions

            return functions
        from pyspark.sql import functions as classic

        return classic

    def new_name(self) -> str:
        """Return a name that no other view has."""
        return f"segue_{self.mark}_{next(self.numbers)}"

    def refuse_if_closed(self) -> None:
        """Raise a `StepError` if Spark was let go."""
        if self.closed:
            raise StepError("the engine was closed")

    def close(self) -> None:
        """Let Spark go, and stop it if it was started for this."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
        self.local.close()
        if not self.owner:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.connect:
                # a server that is gone has forgotten the session by itself
                self.spark.client.set_retry_policies([])
            self.spark.stop()
