"""An unpacked bundle: the edge part and the files that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import BundleError
from segue.spec.edge_codec import read_edge

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from segue.spec.edge import EdgePart, ReferenceTable

EDGE = "edge.json"
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that can be run.

    Attributes:
        path: Its folder.
        generation: Generation of the deployment.
        part: What runs.
    """

    path: Path
    generation: int
    part: EdgePart

    @property
    def project(self) -> Path:
        """Folder with the modules of the project."""
        return self.path / PROJECT

    def load_references(self) -> dict[str, pa.Table]:
        """Return the reference tables; their pages are mapped, not read.

        Raises:
            BundleError: A file is missing or damaged.
        """
        return {each.table: self._load(each) for each in self.part.references}

    def _load(self, reference: ReferenceTable) -> pa.Table:
        import pyarrow as pa

        from segue.frames.arrow_types import conform

        path = self.path / reference.file
        try:
            with pa.memory_map(str(path)) as file:
                return conform(pa.ipc.open_file(file).read_all(), reference.schema)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise BundleError(
                f"the reference table {reference.table!r} can't be read: {error}"
            ) from None


def open_slot(path: Path, generation: int | None = None) -> Slot:
    """Open an unpacked bundle.

    Args:
        path: Its folder.
        generation: Generation of the deployment; its folder's name if it is a number, else 0.

    Raises:
        BundleError: There is no edge part in it that this release understands.
    """
    try:
        part = read_edge((path / EDGE).read_bytes())
    except OSError as error:
        raise BundleError(f"{path / EDGE} can't be read: {error.strerror}") from None
    if generation is None:
        generation = int(path.name) if path.name.isdigit() else 0
    return Slot(path.resolve(), generation, part)
