"""Rows of open windows in the spool: new ones are added without writing the others again.

The rows of a batch are one state. Once there are `FAN` of a size, they are written together as
one of the next size, so that few states are there however long a window is, and each row is
written a few times only. Names of states are used again: the spool remembers each that it had.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segue.agent.work.payload import read_payload, write_payload

if TYPE_CHECKING:
    import pyarrow as pa

    Load = Callable[[str], bytes | None]
    States = dict[str, bytes | None]

FAN = 16
"""How many states of a size become one of the next."""

Index = dict[str, list[list[int]]]


class Shelf:
    """Rows of one step, kept apart by a number: where their stretch of time begins.

    Args:
        name: Beginning of the states' names.
        load: Reads a state of the spool.
        index: What `dump` returned; None to begin.
    """

    def __init__(self, name: str, load: Load, index: Index | None = None) -> None:
        """Know what the spool has."""
        self._name = name
        self._load = load
        self._levels = {int(place): levels for place, levels in (index or {}).items()}
        self._taken = {
            slot for levels in self._levels.values() for level in levels for slot in level
        }

    @property
    def places(self) -> tuple[int, ...]:
        """Numbers under which there are rows."""
        return tuple(self._levels)

    def fetch(self, place: int) -> list[pa.Table]:
        """Return the rows under a number, those of committed batches only."""
        slots = [slot for level in reversed(self._levels.get(place, [])) for slot in level]
        return self._read(slots)

    def add(self, place: int, rows: pa.Table, states: States) -> None:
        """Keep more rows under a number; `states` gets what has to be committed."""
        levels = self._levels.setdefault(place, [[]])
        number = 0
        held = [rows]
        while len(levels[number]) >= FAN - 1:
            held = [*self._read(levels[number]), *held]
            self._free(levels[number], states)
            levels[number] = []
            number += 1
            if number == len(levels):
                levels.append([])
        slot = self._find_slot(states)
        levels[number].append(slot)
        states[self._state(slot)] = bytes(write_payload(_join(held)))

    def remove(self, place: int, states: States) -> None:
        """Forget the rows under a number."""
        for level in self._levels.pop(place, []):
            self._free(level, states)

    def dump(self) -> Index:
        """Return what has to be known to go on."""
        return {str(place): levels for place, levels in self._levels.items()}

    def _read(self, slots: list[int]) -> list[pa.Table]:
        packed = (self._load(self._state(slot)) for slot in slots)
        # what a damaged spool has lost is told by it as a gap
        return [read_payload(each) for each in packed if each is not None]

    def _free(self, slots: list[int], states: States) -> None:
        for slot in slots:
            self._taken.discard(slot)
            states[self._state(slot)] = None

    def _find_slot(self, states: States) -> int:
        """Return a number that no state has, and that this batch does not free either."""
        slot = 0
        while slot in self._taken or self._state(slot) in states:
            slot += 1
        self._taken.add(slot)
        return slot

    def _state(self, slot: int) -> str:
        return f"{self._name}/{slot}"


def _join(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    first = tables[-1].schema
    same = [table for table in tables if table.schema.equals(first)]
    # rows that another deployment kept have other columns, which are dealt with when they close
    if len(same) < len(tables):
        return pa.concat_tables(tables, promote_options="permissive")
    return pa.concat_tables(tables)
