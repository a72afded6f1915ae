"""A run's record: one JSON document that says what went in, what ran and what came out."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from segue.errors import name_disk_fault
from segue.failpoints import pass_point
from segue.record.lineage import table_lineage
from segue.settings import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from segue.spec.output import StagedTable
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.run import Owner, RunStart, RunStatus, RunSummary, StepOutcome

FORMAT = 1
"""Version of the document; it changes when a key changes its meaning or goes."""

LIBRARIES = ("segue", "duckdb", "pyarrow", "deltalake", "sqlglot")

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """All that a record tells, as the run knows it.

    Attributes:
        start: What was asked.
        owner: Who runs, and where.
        plan: What was meant to be done, and why.
        status: How the run stands.
        outcomes: What became of steps, and of sources that were judged.
        finished_at: UTC time as ISO text; empty while the run goes on.
        seconds: How long it took, likewise None.
        snapshot: Number of the snapshot that it published.
        numbers: Version number that each published table got.
        removed: Tables that readers see no more.
        error: Why nothing was published.
        engine: What computed: name, version, threads, memory, identity of the row hash.
        environ: The environment, from which the values of secrets are known and kept out.
    """

    start: RunStart
    owner: Owner
    plan: Plan
    status: RunStatus
    outcomes: tuple[StepOutcome, ...] = ()
    finished_at: str = ""
    seconds: float | None = None
    snapshot: int | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    error: str = ""
    engine: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


class Described:
    """The parts of a record that say the same each time that it is written, described once.

    A run writes its record three times, and most of it is steps.
    """

    def __init__(self) -> None:
        self._hidden: Mapping[str, str] = {}
        self._around: Document = {}
        self._steps: dict[str, tuple[StepOutcome, Document]] = {}

    def hide(self, hidden: Mapping[str, str]) -> None:
        """Forget what was described while other values were secret."""
        if hidden != self._hidden:
            self._hidden = dict(hidden)
            self._around.clear()
            self._steps.clear()

    def tell_around(self, plan: Plan, hide: Callable[[str], str]) -> Document:
        """Return what is known before the first step."""
        if not self._around:
            parts = {
                "plan": [_describe_plan(planned) for planned in plan.steps],
                "places": {name: asdict(place) for name, place in plan.places.items()},
                "lineage": [
                    {"start": edge.start, "end": edge.end, "how": edge.how}
                    for edge in table_lineage(plan.project).edges
                ],
            }
            self._around = _clean(parts, hide)
        return self._around

    def tell_step(
        self, outcome: StepOutcome, numbers: Mapping[str, int], hide: Callable[[str], str]
    ) -> Document:
        """Return one step, with the numbers that its tables have by now."""
        known, told = self._steps.get(outcome.step, (None, {}))
        if known is not outcome:
            told = _clean(_describe_step(outcome), hide)
            self._steps[outcome.step] = (outcome, told)
        for part, made in (("output", outcome.staged), ("rejects", outcome.rejects)):
            if made is not None:
                told = {**told, part: {**told[part], "version": numbers.get(made.table)}}
        return told


def build_record(facts: RunFacts, described: Described | None = None) -> Document:
    """Return the record of a run as plain values, without the values of secrets.

    Args:
        facts: What the run knows.
        described: What was described for the same run before.
    """
    start, plan = facts.start, facts.plan
    names = (name for name in plan.project.secrets if facts.environ.get(name))
    hidden = {name: facts.environ[name] for name in names}
    hide: Callable[[str], str] = (lambda text: redact(text, hidden, hidden)) if hidden else str
    told = described or Described()
    told.hide(hidden)
    around = told.tell_around(plan, hide)
    record: Document = {
        "format": FORMAT,
        "run_id": start.run_id,
        "project": start.project,
        "environment": start.environment,
        "command": start.command,
        "status": str(facts.status),
        "error": facts.error,
        "started_at": start.started_at,
        "finished_at": facts.finished_at,
        "seconds": _round(facts.seconds),
        "who": {"user": facts.owner.user, "host": facts.owner.host, "pid": facts.owner.pid},
        "snapshot": facts.snapshot,
        "removed": list(facts.removed),
        "alerts": [],
        "selection": asdict(plan.selection),
        "parameters": dict(plan.parameters),
        "plan": [],
        "steps": [],
        "software": _describe_software(facts),
        "places": {},
        "lineage": [],
    }
    steps = [told.tell_step(outcome, facts.numbers, hide) for outcome in facts.outcomes]
    cleaned: Document = _clean(record, hide)
    return cleaned | around | {"steps": steps}


def _describe_plan(planned: PlannedStep) -> Document:
    return {
        "step": planned.name,
        "action": planned.action.name.lower(),
        "reasons": list(map(str, planned.reasons)),
        "place": planned.place,
    }


def _describe_step(outcome: StepOutcome) -> Document:
    """Return one step: what it was, read, made and measured. Rows in, out and rejected add up."""
    return {
        "step": outcome.step,
        "status": str(outcome.status),
        "reasons": list(outcome.reasons),
        "started_at": outcome.started_at,
        "seconds": _round(outcome.seconds),
        "attempts": outcome.attempts,
        "place": outcome.place,
        "peak_memory": outcome.peak_memory,
        "fingerprint": outcome.fingerprint,
        "parts": dict(outcome.parts),
        "parameters": {name: json.loads(text) for name, text in outcome.parameters.items()},
        "inputs": [
            {"table": name, "identity": identity, "rows": outcome.input_rows.get(name)}
            for name, identity in outcome.inputs.items()
        ],
        "rows": {
            "read": dict(outcome.input_rows),
            "made": _new_rows(outcome.staged),
            "rejected": _new_rows(outcome.rejects),
        },
        "output": _describe_table(outcome.staged),
        "rejects": _describe_table(outcome.rejects),
        "measurements": _describe_report(outcome),
        "failure": asdict(outcome.failure) if outcome.failure else None,
        "seen_files": {name: list(files) for name, files in outcome.seen_files.items()},
    }


def _new_rows(staged: StagedTable | None) -> int | None:
    return sum(file.rows for file in staged.adds) if staged else None


def _describe_table(staged: StagedTable | None) -> Document | None:
    if staged is None:
        return None
    return {
        "table": staged.table,
        "version": None,
        "base": staged.base,
        "mode": str(staged.mode),
        "rows": staged.rows,
        "bytes": staged.bytes,
        "content_hash": staged.content_hash,
        "columns": {column.name: str(column.type) for column in staged.schema},
        "files": [
            {
                "path": file.path,
                "rows": file.rows,
                "bytes": file.bytes,
                "digest": file.digest,
                "new": place >= len(staged.keeps),
            }
            for place, file in enumerate(staged.files)
        ],
    }


def _describe_report(outcome: StepOutcome) -> list[Document]:
    measurements = outcome.report.measurements if outcome.report else ()
    return [
        {
            "check": each.check,
            "kind": each.kind,
            "columns": list(each.columns),
            "verdict": str(each.verdict),
            "rows": each.rows,
            "failing": each.failing,
            "value": each.value,
            "rejected": each.rejected,
            "message": each.message,
            "sample": [dict(row) for row in each.sample],
            "segments": [asdict(segment) for segment in each.segments],
            "shared": list(each.shared),
            "seconds": _round(each.seconds),
            "sql": each.sql,
        }
        for each in measurements
    ]


def _describe_software(facts: RunFacts) -> Document:
    """Return what the run was made with: enough to build the same again."""
    parts = (part for outcome in facts.outcomes for part in outcome.parts)
    used = {name.partition(" ")[2]: told for name, told in parts if name.startswith("library ")}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "lock": facts.plan.project.lock,
        "libraries": {**used, **_find_versions()},
        "engine": dict(facts.engine),
    }


@cache
def _find_versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an engine's package that is not part of this installation
            continue
    return found


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def _clean(value: Any, hide: Callable[[str], str]) -> Any:
    """Return plain JSON values, with secrets hidden in every text."""
    if isinstance(value, str):
        return hide(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has no word for these, and other readers refuse Python's
        return value if value - value == 0 else str(value)
    if isinstance(value, dict):
        return {hide(str(name)): _clean(part, hide) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part, hide) for part in value]
    return hide(str(value))


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write a record so that it is there whole or not at all, and safe on disk.

    Args:
        folder: Folder of the records; made if need be.
        record: The record; one of the same run is replaced.

    Returns:
        Path of ``<run id>.json``.

    Raises:
        StorageError: It can't be written.
    """
    path = folder / f"{record['run_id']}.json"
    draft = folder / f".{record['run_id']}.{os.getpid()}.tmp"
    text = to_json(record, indent=1, inf_nan_mode="strings")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(folder)
        pass_point("record.written")
    except OSError as error:
        raise name_disk_fault(error, folder) from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def has_record(folder: Path, run_id: str) -> bool:
    """Return whether a run has written a record."""
    return (folder / f"{run_id}.json").exists()


def write_stub(folder: Path, run: RunSummary) -> Path:
    """Write what is known of a run that died before it wrote its record."""
    record = {
        "format": FORMAT,
        "run_id": run.run_id,
        "project": "",
        "environment": run.environment,
        "command": run.command,
        "status": str(run.status),
        "error": run.error,
        "started_at": run.started_at,
        "finished_at": "",
        "seconds": run.seconds,
        "who": {"user": run.user, "host": run.host, "pid": None},
        "snapshot": run.snapshot,
        "removed": [],
        "alerts": [],
        "selection": {},
        "parameters": {},
        "plan": [],
        "steps": [],
        "software": {},
        "places": {},
        "lineage": [],
    }
    return write_record(folder, record)


def amend_record(
    folder: Path,
    run_id: str,
    changes: Mapping[str, Any],
    numbers: Mapping[str, int] | None = None,
) -> Path | None:
    """Complete the record of a run that could not do it itself.

    Args:
        folder: Folder of the records.
        run_id: The run.
        changes: Keys of the record and what they are now, such as ``status`` and ``snapshot``.
        numbers: Version number that each published table got.

    Returns:
        Path of the record, None if the run died before it wrote one.
    """
    path = folder / f"{run_id}.json"
    if not path.exists():
        return None
    record = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    for step in record["steps"]:
        for made in filter(None, (step["output"], step["rejects"])):
            made["version"] = (numbers or {}).get(made["table"], made["version"])
    return write_record(folder, record)
