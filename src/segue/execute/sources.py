"""How a source is read now: what its kind says, and what is remembered of its columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue import registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.spec.output import StepMemory
    from segue.spec.scan import Scan
    from segue.spec.step import ProjectSpec


def scan_source(
    project: ProjectSpec,
    name: str,
    scratch: Path,
    memories: Mapping[str, StepMemory],
    only: Sequence[str] = (),
) -> Scan:
    """Return how to read a source.

    Args:
        project: The project.
        name: Name of the source.
        scratch: Folder for what has to be unpacked.
        memories: What is remembered of sources and steps: text without rows has the types
            that it had when it was read last.
        only: Paths of the files to read; all if none is named.

    Raises:
        SourceError: A file is damaged, or there is none.
    """
    source, memory = project.sources[name], memories.get(name)
    scan = registry.load_source(source.kind).scan(source, project.root, scratch, only)
    return replace(scan, remembered=memory.schema if memory else None)
