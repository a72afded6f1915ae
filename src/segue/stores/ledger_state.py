"""How a ledger stands: the reads of every command, in SQL that SQLite and PostgreSQL share.

They are texts, and not put together by SQLAlchemy, because most commands read nothing else:
importing it takes longer than all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from segue.errors import UnknownNameError
from segue.spec.output import DataFile, StepMemory, TableVersion
from segue.spec.run import Intent, RunStatus, Snapshot
from segue.stores.codec import decode_intent, decode_memory, decode_schema

Ask = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
"""Runs a SELECT, whose parameters stand in it as ``:name``, and returns its rows."""

SCHEMA_VERSION = 3
"""Version of the ledger's tables."""

LIVE = "live"
VOID = "void"
"""Of a lease that is fenced off: others bring its intent, if any, and its record to their end."""
OVER = "over"
PENDING = "pending"
"""Of an intent that is declared and not finished."""

_VERSION = "select value from segue_meta where name = 'version'"
_FIRST_RUN = "select number from segue_runs limit 1"
_LEASES = "select distinct state from segue_leases where state in (:live, :void)"
_INTENTS = "select payload from segue_intents where state = :pending order by run_number"
_DEAD_INTENTS = """
select i.payload from segue_intents i join segue_leases l on l.run_id = i.run_id
where i.state = :pending and l.state = :void order by i.run_number
"""
_POINTER = "select snapshot from segue_pointers where environment = :environment"
_SNAPSHOT = "select environment, run_id, created_at from segue_snapshots where number = :number"
_NOW = "s.last is null"
_THEN = "s.first <= :number and (s.last is null or s.last >= :number)"
_VERSIONS = """
select v.name, v.number, v.delta_version, v.schema, v.content_hash, v.run_id, v.fingerprint,
    v.published_at
from segue_snapshot_tables s join segue_versions v on v.name = s.name and v.number = s.number
where s.environment = :environment and {held}
"""
_FILES = """
select f.name, f.path, f.rows, f.bytes, f.digest, f.stats
from segue_snapshot_tables s join segue_files f on f.name = s.name
where s.environment = :environment and {held}
    and f.first <= s.number and (f.last is null or f.last >= s.number)
order by f.first, f.path
"""
_MEMORIES = "select memory from segue_memories where environment = :environment"
# later ones replace earlier ones in the dictionary
_STAGED = """
select s.memory from segue_steps s join segue_runs r on r.run_id = s.run_id
where s.reusable = 1 and r.status in (:failed, :lost) order by s.run_number
"""
_HEADS = "select name, head from segue_tables where head is not null"
_NUMBERS = "select name, last_number from segue_tables"


def find_version(ask: Ask) -> int:
    """Return the version of the ledger's tables."""
    return int(ask(_VERSION, {})[0][0])


def is_empty(ask: Ask) -> bool:
    """Return whether no run was ever recorded."""
    return not ask(_FIRST_RUN, {})


def find_lease_states(ask: Ask) -> frozenset[str]:
    """Return which of `LIVE` and `VOID` some lease is."""
    return frozenset(str(row[0]) for row in ask(_LEASES, {"live": LIVE, "void": VOID}))


def find_pending(ask: Ask, *, dead_only: bool) -> tuple[Intent, ...]:
    """Return intents that are not finished, oldest first."""
    if dead_only:
        found = ask(_DEAD_INTENTS, {"pending": PENDING, "void": VOID})
    else:
        found = ask(_INTENTS, {"pending": PENDING})
    return tuple(decode_intent(row[0]) for row in found)


def find_snapshot(ask: Ask, environment: str, number: int | None) -> Snapshot:
    """Return a snapshot of an environment; the newest without a number."""
    here = {"environment": environment}
    held = _THEN
    if number is None:
        pointed = ask(_POINTER, here)
        if not pointed:
            return Snapshot(0, environment, {})
        number, held = int(pointed[0][0]), _NOW
    made = ask(_SNAPSHOT, {"number": number})
    if not made or made[0][0] != environment:
        raise UnknownNameError(
            f"there is no snapshot {number} of {environment!r}", hint="segue runs lists them"
        )
    at = here if held is _NOW else {**here, "number": number}
    listed = group_files(ask(_FILES.format(held=held), at))
    versions = [
        make_version(row, listed.get(row[0], ())) for row in ask(_VERSIONS.format(held=held), at)
    ]
    _, run_id, created_at = made[0]
    return Snapshot(
        number, environment, {each.table: each for each in versions}, run_id, created_at
    )


def group_files(rows: Sequence[Sequence[Any]]) -> dict[str, list[DataFile]]:
    """Return the files of each table, from rows of name, path, rows, bytes, digest, statistics."""
    # one text for all statistics: a tenth of the calls that one by one would take
    stats = json.loads(f"[{','.join([row[5] for row in rows])}]")
    listed: dict[str, list[DataFile]] = {}
    for (name, path, count, size, digest, _), told in zip(rows, stats, strict=True):
        listed.setdefault(name, []).append(DataFile(path, count, size, digest, told))
    return listed


def make_version(row: Sequence[Any], held: Iterable[DataFile]) -> TableVersion:
    """Return a version from its row, in the order of its columns, and its files."""
    name, number, delta_version, schema, content_hash, run_id, fingerprint, published_at = row
    return TableVersion(
        table=name,
        number=number,
        delta_version=delta_version,
        schema=decode_schema(schema),
        files=tuple(held),
        content_hash=content_hash,
        run_id=run_id,
        fingerprint=fingerprint,
        published_at=published_at,
    )


def find_memories(ask: Ask, environment: str) -> dict[str, StepMemory]:
    """Return each step's last success that became true."""
    return _decode_memories(ask(_MEMORIES, {"environment": environment}))


def find_staged(ask: Ask) -> dict[str, StepMemory]:
    """Return each step's last staged success that no run published."""
    over = {"failed": str(RunStatus.FAILED), "lost": str(RunStatus.LOST)}
    return _decode_memories(ask(_STAGED, over))


def _decode_memories(rows: Sequence[Sequence[Any]]) -> dict[str, StepMemory]:
    plain = json.loads(f"[{','.join([row[0] for row in rows])}]")
    return {each["step"]: decode_memory(each) for each in plain}


def find_heads(ask: Ask) -> dict[str, int]:
    """Return the Delta version at which each table's log must stand."""
    return {str(name): int(head) for name, head in ask(_HEADS, {})}


def find_numbers(ask: Ask) -> dict[str, int]:
    """Return the last number given to each table."""
    return {str(name): int(number) for name, number in ask(_NUMBERS, {})}
