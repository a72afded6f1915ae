"""How data that lies in files is to be read: what a source or lake says, and an engine does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.types import DataType, TableSchema


@dataclass(frozen=True, slots=True)
class Scan:
    """Files that together make a table, and how to read them.

    Attributes:
        format: ``csv``, ``json``, ``parquet`` or ``arrow``.
        paths: Absolute paths of the files, in the order of their rows.
        options: What the format needs; the names are those of the source kind's settings.
        types: Column types that replace inferred ones.
        schema: Logical columns, where they are known beforehand. A Parquet file that stores
            a type in a nearest one (see `Lake.storage_type`) is cast back to it.
        hive: Whether ``name=value`` folders are columns.
        siblings: Further files of the same table, which are not read: columns and their types
            are found in all files, so that a part of a table has those of the whole.
        remembered: Columns as they were read last, for text in which no row tells the types.
    """

    format: str
    paths: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, DataType] = field(default_factory=dict)
    schema: TableSchema | None = None
    hive: bool = False
    siblings: tuple[str, ...] = ()
    remembered: TableSchema | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A table's rows with the places in files that they come from.

    Attributes:
        name: Under which they are bound: the table's columns, and those named below.
        files: The files' paths, each with how it is shown.
        numbered: Whether rows have numbers, so that a few of them can be read by these.
    """

    name: str
    files: Mapping[str, str]
    numbered: bool

    FILE: ClassVar[str] = "__segue_file"
    """Column of the file's path."""
    PART: ClassVar[str] = "__segue_part"
    """Column of the file's number."""
    ROW: ClassVar[str] = "__segue_row"
    """Column of the row's number in its file."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source, as it was seen.

    Attributes:
        path: Absolute path.
        bytes: Size.
        stamp: What changes when the file does: size and modification time, or its version.
        name: Its path as it is shown and remembered: from the project's folder, which may
            move, and without secrets. Empty if that is the path itself.
    """

    path: str
    bytes: int
    stamp: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source table as it was seen before a plan was made.

    Attributes:
        table: Name of the table.
        identity: Changes whenever the data may have changed.
        files: Its files, sorted by path.
        rows: Number of rows, where statistics tell without reading.
        grows: Whether files are added to it (a glob or folder), so that an append step reads
            only the new ones.
        version: For a table whose rows tell which version brought them: the newest. The stamp
            of a file is then ``<first>-<last>``, of the versions whose rows it has, or empty if
            another program wrote it.
        incarnation: Which table that is: another one after it was made anew or set back.
    """

    table: str
    identity: str
    files: tuple[SourceFile, ...] = ()
    rows: int | None = None
    grows: bool = False
    version: int | None = None
    incarnation: str = ""

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)
