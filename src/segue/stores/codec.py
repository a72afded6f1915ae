"""The nouns of `segue.spec` as JSON, for ledgers and for the metadata of commits.

A no-op run reads a memory and a version of every step, so the layout is chosen for quick
reading: a schema is one text, read once however many tables have it; a file is a list of its
fields.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from segue.spec.contract import Measurement, Report, Segment, Verdict
from segue.spec.output import DataFile, StagedTable, StepMemory
from segue.spec.run import Intent, Owner, Publication, StepFailure, StepOutcome, StepStatus
from segue.spec.step import Mode
from segue.spec.types import Column, TableSchema, parse_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def dump_json(value: Any) -> str:
    """Return compact JSON in ASCII; values that JSON lacks, such as dates, become text.

    Example:
        >>> dump_json({"a": [1, 2]})
        '{"a":[1,2]}'
    """
    return json.dumps(value, separators=(",", ":"), default=str)


def encode_schema(schema: TableSchema) -> str:
    """Return the columns as JSON text of names and types by turns."""
    return dump_json([text for column in schema for text in (column.name, str(column.type))])


@lru_cache(maxsize=8192)
def decode_schema(text: str) -> TableSchema:
    """Return the schema that `encode_schema` took apart."""
    told = json.loads(text)
    return TableSchema(tuple(map(_read_column, told[::2], told[1::2])))


@lru_cache(maxsize=65536)
def _read_column(name: str, type_: str) -> Column:
    return Column(name, _read_type(type_))


_read_type = lru_cache(maxsize=4096)(parse_type)


def encode_file(file: DataFile) -> list[Any]:
    """Return a file's fields in their order."""
    return [file.path, file.rows, file.bytes, file.digest, dict(file.stats)]


def encode_staged(staged: StagedTable) -> dict[str, Any]:
    """Return a staged table as plain values."""
    return {
        "table": staged.table,
        "schema": encode_schema(staged.schema),
        "mode": str(staged.mode),
        "adds": [encode_file(file) for file in staged.adds],
        "keeps": [encode_file(file) for file in staged.keeps],
        "base": staged.base,
    }


def decode_staged(plain: Mapping[str, Any]) -> StagedTable:
    """Return the staged table that `encode_staged` took apart."""
    return StagedTable(
        table=plain["table"],
        schema=decode_schema(plain["schema"]),
        mode=Mode(plain["mode"]),
        adds=tuple(DataFile(*file) for file in plain["adds"]),
        keeps=tuple(DataFile(*file) for file in plain["keeps"]),
        base=plain["base"],
    )


def _maybe(encode: Any, value: Any) -> Any:
    return None if value is None else encode(value)


_ALWAYS = frozenset({"step", "parts", "schema"})


def encode_memory(memory: StepMemory) -> dict[str, Any]:
    """Return a memory as plain values; what is empty is left out."""
    plain = {
        "step": memory.step,
        "fingerprint": memory.fingerprint,
        "parts": [list(part) for part in memory.parts],
        "inputs": dict(memory.inputs),
        "parameters": dict(memory.parameters),
        "schema": _maybe(encode_schema, memory.schema),
        "run_id": memory.run_id,
        "finished_at": memory.finished_at,
        "seen_files": {table: list(paths) for table, paths in memory.seen_files.items()},
        "rows": memory.rows,
        "seconds": memory.seconds,
        "staged": _maybe(encode_staged, memory.staged),
        "rejects": _maybe(encode_staged, memory.rejects),
        "report": [dict(measurement) for measurement in memory.report],
        "references": dict(memory.references),
    }
    return {name: value for name, value in plain.items() if value or name in _ALWAYS}


def decode_memory(plain: Mapping[str, Any]) -> StepMemory:
    """Return the memory that `encode_memory` took apart."""
    get = plain.get
    return StepMemory(
        step=plain["step"],
        fingerprint=get("fingerprint", ""),
        parts=tuple((part, digest) for part, digest in plain["parts"]),
        inputs=get("inputs", {}),
        parameters=get("parameters", {}),
        schema=_maybe(decode_schema, plain["schema"]),
        run_id=get("run_id", ""),
        finished_at=get("finished_at", ""),
        seen_files={table: tuple(paths) for table, paths in get("seen_files", {}).items()},
        rows=get("rows", 0),
        seconds=get("seconds", 0.0),
        staged=_maybe(decode_staged, get("staged")),
        rejects=_maybe(decode_staged, get("rejects")),
        report=tuple(get("report", ())),
        references=get("references", {}),
    )


def encode_segments(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Return segments as plain values."""
    return [{**asdict(segment), "verdict": str(segment.verdict)} for segment in segments]


def decode_segments(plain: Sequence[Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Return the segments that `encode_segments` took apart."""
    return tuple(Segment(**{**each, "verdict": Verdict(each["verdict"])}) for each in plain)


def encode_measurement(measurement: Measurement) -> dict[str, Any]:
    """Return a measurement as plain values."""
    return {
        "table": measurement.table,
        "check": measurement.check,
        "kind": measurement.kind,
        "columns": list(measurement.columns),
        "verdict": str(measurement.verdict),
        "rows": measurement.rows,
        "failing": measurement.failing,
        "message": measurement.message,
        "value": measurement.value,
        "sample": [dict(row) for row in measurement.sample],
        "sql": measurement.sql,
        "rejected": measurement.rejected,
        "segments": encode_segments(measurement.segments),
        "seconds": measurement.seconds,
        "shared": list(measurement.shared),
    }


def decode_measurement(plain: Mapping[str, Any]) -> Measurement:
    """Return the measurement that `encode_measurement` took apart."""
    return Measurement(
        **{
            **plain,
            "columns": tuple(plain["columns"]),
            "verdict": Verdict(plain["verdict"]),
            "sample": tuple(plain["sample"]),
            "segments": decode_segments(plain.get("segments", ())),
            "shared": tuple(plain.get("shared", ())),
        }
    )


def _encode_report(report: Report) -> dict[str, Any]:
    return {
        "table": report.table,
        "rows": report.rows,
        "measurements": [encode_measurement(each) for each in report.measurements],
    }


def _decode_report(plain: Mapping[str, Any]) -> Report:
    measured = tuple(decode_measurement(each) for each in plain["measurements"])
    return Report(plain["table"], plain["rows"], measured)


def encode_failure(failure: StepFailure) -> dict[str, str]:
    """Return a failure as plain values."""
    return {name: getattr(failure, name) for name in StepFailure.__dataclass_fields__}


def encode_outcome(outcome: StepOutcome) -> dict[str, Any]:
    """Return a step's outcome as plain values."""
    plain = {name: getattr(outcome, name) for name in StepOutcome.__dataclass_fields__}
    return plain | {
        "status": str(outcome.status),
        "inputs": dict(outcome.inputs),
        "input_rows": dict(outcome.input_rows),
        "parameters": dict(outcome.parameters),
        "staged": _maybe(encode_staged, outcome.staged),
        "rejects": _maybe(encode_staged, outcome.rejects),
        "report": _maybe(_encode_report, outcome.report),
        "failure": _maybe(encode_failure, outcome.failure),
        "seen_files": dict(outcome.seen_files),
        "columns": _maybe(encode_schema, outcome.columns),
        "references": dict(outcome.references),
        "renews": _maybe(encode_memory, outcome.renews),
    }


def decode_outcome(plain: Mapping[str, Any]) -> StepOutcome:
    """Return the outcome that `encode_outcome` took apart."""
    failure = plain["failure"]
    changed = {
        "status": StepStatus(plain["status"]),
        "reasons": tuple(plain["reasons"]),
        "parts": tuple((part, digest) for part, digest in plain["parts"]),
        "staged": _maybe(decode_staged, plain["staged"]),
        "rejects": _maybe(decode_staged, plain["rejects"]),
        "report": _maybe(_decode_report, plain["report"]),
        "failure": StepFailure(**failure) if failure else None,
        "seen_files": {table: tuple(paths) for table, paths in plain["seen_files"].items()},
        "columns": _maybe(decode_schema, plain.get("columns")),
        "renews": _maybe(decode_memory, plain.get("renews")),
    }
    return StepOutcome(**{**plain, **changed})


def _encode_publication(publication: Publication) -> dict[str, Any]:
    plain = {name: getattr(publication, name) for name in Publication.__dataclass_fields__}
    return plain | {
        "staged": encode_staged(publication.staged),
        "memory": _maybe(encode_memory, publication.memory),
    }


def _decode_publication(plain: Mapping[str, Any]) -> Publication:
    changed = {
        "staged": decode_staged(plain["staged"]),
        "memory": _maybe(decode_memory, plain["memory"]),
    }
    return Publication(**{**plain, **changed})


def encode_intent(intent: Intent) -> str:
    """Return all of an intent as JSON text, enough to finish it in another process."""
    return dump_json(
        {
            "run_id": intent.run_id,
            "token": intent.token,
            "environment": intent.environment,
            "publications": [_encode_publication(each) for each in intent.publications],
            "outcomes": [encode_outcome(each) for each in intent.outcomes],
            "removals": dict(intent.removals),
        }
    )


def decode_intent(text: str) -> Intent:
    """Return the intent that `encode_intent` took apart."""
    plain = json.loads(text)
    return Intent(
        run_id=plain["run_id"],
        token=plain["token"],
        environment=plain["environment"],
        publications=tuple(_decode_publication(each) for each in plain["publications"]),
        outcomes=tuple(decode_outcome(each) for each in plain["outcomes"]),
        removals=plain.get("removals", {}),
    )


def encode_owner(owner: Owner) -> str:
    """Return an owner as JSON text."""
    return dump_json({name: getattr(owner, name) for name in Owner.__dataclass_fields__})


def decode_owner(text: str) -> Owner:
    """Return the owner that `encode_owner` took apart."""
    return Owner(**json.loads(text))
