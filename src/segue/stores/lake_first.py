"""The first commit of a table's Delta log, written without deltalake.

It stands on nothing that was there before, so that there is nothing to reconcile: five kinds of
lines of JSON, which appear whole under a name that nobody else may have. Deltalake takes several
milliseconds of threads for the same bytes, and a tenth of a second to import.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from segue.stores import lake_log
from segue.stores.lake_types import has_local_timestamps, write_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.spec.output import DataFile
    from segue.spec.run import Publication

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
"""Names of files that stand in a log as they are; others are encoded."""


def has_plain_names(publication: Publication) -> bool:
    """Return whether `write_first_commit` can write the names of a publication's files."""
    return all(_PLAIN.fullmatch(file.path) for file in publication.staged.files)


def write_first_commit(
    folder: Path, publication: Publication, application: str, note: Mapping[str, str]
) -> None:
    """Write version 0 of a log.

    Args:
        folder: Folder of the table.
        publication: What is published.
        application: Whose application transaction the number of the version is.
        note: What the commit says of itself.

    Raises:
        FileExistsError: Another process was first.
    """
    path = lake_log.commit_path(folder, 0)
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(f"_commit_{uuid4()}.json.tmp")
    lines = (
        json.dumps(action, separators=(",", ":"))
        for action in _actions(folder, publication, application, note)
    )
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines))
            file.flush()
            os.fsync(file.fileno())
        # a link is refused if the name is taken; a rename would take it away from its owner
        path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def _actions(
    folder: Path, publication: Publication, application: str, note: Mapping[str, str]
) -> list[dict[str, Any]]:
    now, schema = time.time_ns() // 1_000_000, publication.staged.schema
    told = {
        "timestamp": now,
        "operation": "CREATE TABLE",
        "operationParameters": {"mode": "ErrorIfExists"},
        "engineInfo": application,
    }
    described: dict[str, Any] = {
        "id": str(uuid4()),
        "name": None,
        "description": None,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": write_schema(schema),
        "partitionColumns": [],
        "createdTime": now,
        "configuration": {},
    }
    protocol: dict[str, Any] = {"minReaderVersion": 1, "minWriterVersion": 2}
    if has_local_timestamps(schema):
        feature = ["timestampNtz"]
        protocol = {"minReaderVersion": 3, "minWriterVersion": 7}
        protocol |= {"readerFeatures": feature, "writerFeatures": feature}
    return [
        {"commitInfo": {**told, **note}},
        {"protocol": protocol},
        {"metaData": described},
        *({"add": _describe_file(folder, file)} for file in publication.staged.files),
        {"txn": {"appId": application, "version": publication.number}},
    ]


def _describe_file(folder: Path, file: DataFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "partitionValues": {},
        "size": file.bytes,
        "modificationTime": int((folder / file.path).stat().st_mtime * 1000),
        "dataChange": True,
        "stats": json.dumps({"numRecords": file.rows, **file.stats}),
    }
