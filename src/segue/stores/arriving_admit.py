"""Which of the batches that came in follow what a table has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.spec.arriving import Place, Verdict
from segue.stores.arriving_files import CrowdedError, PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from segue.spec.arriving import Batch
    from segue.stores.arriving_log import LogState

Range = tuple[int, int, str]


@dataclass(slots=True)
class Admission:
    """What becomes of batches, and what is to be committed.

    Attributes:
        places: What is answered for each batch, in their order.
        losses: Batches that declare losses, to be committed.
        ranges: Sequences and digests to be committed, by application transaction.
        bases: Where each of these stood before.
    """

    places: list[Place]
    losses: list[Batch] = field(default_factory=list)
    ranges: dict[str, list[Range]] = field(default_factory=dict)
    bases: dict[str, int] = field(default_factory=dict)

    def still_holds(self, state: LogState) -> bool:
        """Return whether another writer's commits changed nothing that this stands on."""
        found = {name: state.transactions.get(name, 0) for name in self.bases}
        return found == self.bases


def digest_of(batch: Batch) -> str:
    """Return what tells a batch from another one of the same sequences."""
    return f"gap:{batch.rows}:{batch.reason}"[:80] if batch.gap else batch.digest[:32]


def list_ranges(batch: Batch) -> list[Range]:
    """Return the sequences of a batch with their digests: one by one, where they are known."""
    if len(batch.digests) == batch.last - batch.first + 1:
        return [(batch.first + at, batch.first + at, each) for at, each in enumerate(batch.digests)]
    return [(batch.first, batch.last, digest_of(batch))]


def admit(
    state: LogState,
    batches: Sequence[Batch],
    take: Callable[[Batch], None],
    look: Callable[[Batch], bool],
) -> Admission:
    """Look at batches in the order of their sequences, whatever order they came in.

    Args:
        state: What the table has.
        batches: The batches.
        take: Takes the rows of a batch in, or raises a `PayloadError` or a `CrowdedError`.
        look: Tells whether the table holds a batch that is too old to be remembered.
    """
    admission = Admission([Place(0, "")] * len(batches))
    order = sorted(range(len(batches)), key=lambda at: (batches[at].key.application, at))
    order.sort(key=lambda at: (batches[at].key.application, batches[at].first))
    for at in order:
        admission.places[at] = _admit_one(state, admission, batches[at], take, look)
    return admission


def _admit_one(
    state: LogState,
    admission: Admission,
    batch: Batch,
    take: Callable[[Batch], None],
    look: Callable[[Batch], bool],
) -> Place:
    name = batch.key.application
    taken = admission.ranges.get(name, [])
    committed = taken[-1][1] if taken else state.transactions.get(name, 0)
    incarnation = state.incarnation
    if batch.last <= committed:
        if _is_same((*state.recent.get(name, ()), *taken), batch, look):
            return Place(committed, incarnation)
        # what came before is the same as ours: it was acknowledged
        return Place(
            batch.first - 1,
            incarnation,
            Verdict.FENCED,
            "the table has other rows under these sequences: another agent uses this identity",
        )
    if batch.first != committed + 1:
        return Place(committed, incarnation, Verdict.EXPECTED, f"{committed + 1} is expected")
    if batch.gap:
        admission.losses.append(batch)
    else:
        try:
            take(batch)
        except PayloadError as error:
            return Place(committed, incarnation, Verdict.REFUSED, str(error))
        except CrowdedError:
            # sent again, it comes with others
            return Place(committed, incarnation, Verdict.EXPECTED, f"{committed + 1} is too large")
    admission.bases.setdefault(name, committed)
    admission.ranges.setdefault(name, []).extend(list_ranges(batch))
    return Place(batch.last, incarnation, fresh=True)


def _is_same(known: Iterable[Range], batch: Batch, look: Callable[[Batch], bool]) -> bool:
    """Return whether the table has a batch, and not another one of its sequences."""
    for first, last, digest in known:
        if (first, last) == (batch.first, batch.last):
            # A digest that came with others of a packed batch is the beginning of one.
            return digest_of(batch).startswith(digest)
    return look(batch)
