"""From a declared intent to the moved pointer; any process can do it, any number of times."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from segue.errors import ForeignCommitError
from segue.failpoints import pass_point

if TYPE_CHECKING:
    from segue.protocols import Lake, Ledger
    from segue.spec.run import Intent, Publication

WORKERS = 4
"""Tables that are committed at once: most of a commit is waiting for the disk."""


def complete_intent(ledger: Ledger, lake: Lake, intent: Intent, stage: str = "publish") -> int:
    """Commit an intent's tables and move the pointer to them.

    Args:
        ledger: The ledger.
        lake: The lake.
        intent: A declared intent.
        stage: First word of the failpoints on the way: ``publish`` or ``recover``.

    Returns:
        Number of the snapshot.

    Raises:
        ForeignCommitError: Another writer committed to a table since the intent; the intent
            is withdrawn, and readers of the snapshot see nothing of it.
    """
    committed: dict[str, int] = {}

    def commit(publication: Publication) -> None:
        pass_point(f"{stage}.commit.before")
        committed[publication.table] = lake.commit(publication)
        pass_point(f"{stage}.commit.after")

    try:
        if len(intent.publications) > 1:
            with ThreadPoolExecutor(min(WORKERS, len(intent.publications))) as pool:
                # A failure cancels what has not begun, and is raised here.
                for _ in pool.map(commit, intent.publications):
                    pass
        else:
            for publication in intent.publications:
                commit(publication)
    except ForeignCommitError as error:
        ledger.withdraw(intent, committed, error.message)
        raise
    pass_point(f"{stage}.flip.before")
    number = ledger.flip(intent, committed)
    pass_point(f"{stage}.flip.after")
    return number
