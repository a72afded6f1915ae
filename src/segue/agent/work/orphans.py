"""Open windows of steps that a new deployment does not have any more.

Nobody will close them. Their rows become rejects of the tables that would have come of them,
so that they are not lost without a word.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from segue.agent.spool import Entry
from segue.agent.work.lineage import find_descendants
from segue.errors import SpoolFullError
from segue.spec.edge import REJECTS_SCHEMA, REJECTS_SUFFIX

if TYPE_CHECKING:
    from segue.agent.spool import Spool
    from segue.spec.edge import EdgePart

STATE = "windows"
"""State with the steps that may have open windows, and the sent tables that come of each."""
GONE = "its windows were open when a deployment took the step away"

Known = dict[str, list[str]]


def release_orphans(part: EdgePart, spool: Spool, generation: int) -> None:
    """Set rows aside that wait in windows which nobody will close.

    Args:
        part: What runs now.
        spool: The spool.
        generation: Generation of the deployment that runs now.
    """
    packed = spool.state(STATE)
    known: Known = json.loads(packed) if packed is not None else {}
    descendants = find_descendants(part)
    current = {
        step.name: list(descendants[step.name]) for step in part.steps if step.window is not None
    }
    if known == current:
        return
    entries: list[Entry] = []
    states: dict[str, bytes | None] = {}
    for step in known.keys() - current.keys():
        _release(step, known[step], spool, generation, entries, states)
    states[STATE] = json.dumps(current).encode()
    try:
        spool.commit(entries, {}, states)
    except SpoolFullError:
        # they wait on, and are released at a later start
        return


def _release(
    step: str,
    tables: list[str],
    spool: Spool,
    generation: int,
    entries: list[Entry],
    states: dict[str, bytes | None],
) -> None:
    """Add the rows of a step that is gone, and forget them."""
    name = f"window/{step}"
    packed = spool.state(name)
    if packed is None:
        return
    from segue.agent.work.payload import name_schema, write_payload
    from segue.agent.work.rejects import Rejects
    from segue.agent.work.shelf import Shelf
    from segue.spec.types import parse_schema

    rejects = Rejects()
    shelf = Shelf(name, spool.state, json.loads(packed).get("rows"))
    for place in shelf.places:
        for rows in shelf.fetch(place):
            rejects.add(step, rows, [[GONE]] * rows.num_rows)
        shelf.remove(place, states)
    states[name] = None
    found = rejects.gather([step])
    if found is not None:
        payload = memoryview(write_payload(found))
        schema = name_schema(parse_schema(REJECTS_SCHEMA))
        entries += [
            Entry(f"{table}{REJECTS_SUFFIX}", found.num_rows, payload, schema, generation)
            for table in tables
        ]
