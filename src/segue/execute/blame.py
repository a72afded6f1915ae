"""Errors in a user's function, told in the user's own terms."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Location, OutputError, StepError
from segue.frames.values import show_value
from segue.spec.sensitive import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pyarrow as pa

    from segue.spec.sensitive import Sensitive
    from segue.spec.step import ProjectSpec, StepSpec

    Given = Callable[[], Mapping[str, pa.Table]]

SAMPLE_ROWS = 5
MASK = "***"
_WIDEST = 40
_MOST_FRAMES = 12
_QUOTED = re.compile(r"(?<= holds )(?!values of type ).+", re.DOTALL)
"""What messages about types quote: ``row 7 holds 'x'``."""
_TELLING_NO_VALUES = (AttributeError, ImportError, NameError)
"""What is raised about names in code, never about values."""
_PACKAGE = f"{Path(os.path.realpath(__file__)).parents[1]}/"


@dataclass(frozen=True, slots=True)
class Blame:
    """Who is to answer for errors, and how they are told.

    Attributes:
        subject: Whose function it is, as messages begin: ``step 'daily'``.
        root: Folder of the user's files: frames of the traceback that lie elsewhere are left out.
        step: Name of the step; empty for a function without a project.
        location: Where the function is, for errors that no line of it tells.
        shown: What stands before paths in that folder, so that the user finds them.
        sensitive: Columns whose values must not be shown, by table.
    """

    subject: str
    root: str
    step: str = ""
    location: Location | None = None
    shown: str = ""
    sensitive: Mapping[str, Sensitive] = field(default_factory=dict)

    def refuse(
        self, message: str, group: str = "", hint: str = "", given: Given | None = None
    ) -> OutputError:
        """Return an error about what the function returned."""
        if self._is_private(self.sensitive if given is None else given()):
            message = _QUOTED.sub("a value that is not shown (sensitive columns)", message)
        return OutputError(
            f"{self.subject}: {message}",
            step=self.step,
            location=self.location,
            group=self._mask_group(group),
            hint=hint,
            sample=write_samples(given(), self.sensitive) if given is not None else "",
        )

    def accuse(self, error: BaseException, group: str, given: Given) -> StepError:
        """Return a user's exception as a `StepError` with all that helps to find the fault.

        Args:
            error: What the function raised.
            group: The group's key, as text.
            given: Returns what the function was given, by table.
        """
        frames = self._own_frames(error)
        location = self.location
        if frames:
            path, frame = frames[-1]
            location = Location(path, frame.lineno)
        told = "".join(traceback.format_exception_only(error)).strip()
        tables = given()
        if self._is_private(tables) and not isinstance(error, _TELLING_NO_VALUES):
            told = f"{type(error).__name__} (its message may hold sensitive values)"
        blamed = StepError(
            f"{self.subject} raised {told}",
            step=self.step,
            location=location,
            group=self._mask_group(group),
            trace=_write_trace(frames, told),
            sample=write_samples(tables, self.sensitive),
        )
        blamed.__cause__ = error
        return blamed

    def _is_private(self, tables: Iterable[str]) -> bool:
        """Return whether a step works with values that must not be shown."""
        return any(self.sensitive.get(name) for name in (self.step, *tables))

    def _mask_group(self, group: str) -> str:
        """Return a group's key, or a mask if a column of it must not be shown in any table."""
        several = self.sensitive.values()
        if any(found.is_open for found in several):
            return MASK if group else group
        hidden = {re.escape(name) for found in several for name in found.names}
        told = rf"(?:^|, )(?:{'|'.join(hidden)})="
        return MASK if hidden and re.search(told, group, re.IGNORECASE) else group

    def _own_frames(self, error: BaseException) -> list[tuple[str, traceback.FrameSummary]]:
        """Return the frames that lie in the user's files with their paths, innermost last."""
        from segue.declare.modules import is_project_file

        top, found = Path(os.path.realpath(self.root)), []
        foreign = (_PACKAGE, f"{sysconfig.get_path('stdlib')}/")
        for frame in traceback.extract_tb(error.__traceback__):
            path = os.path.realpath(frame.filename)
            if is_project_file(path, top) and not path.startswith(foreign):
                found.append((f"{self.shown}{os.path.relpath(path, top)}", frame))
        return found


def blame_step(project: ProjectSpec, step: StepSpec) -> Blame:
    """Return how errors in the function of a project's step are told."""
    return Blame(
        f"step {step.name!r}",
        str(project.root),
        step.name,
        step.location,
        sensitive=project.sensitive,
    )


def _write_trace(frames: Sequence[tuple[str, traceback.FrameSummary]], told: str) -> str:
    parts = []
    for path, frame in frames:
        line = f"\n    {frame.line}" if frame.line else ""
        parts.append(f"  {path}:{frame.lineno} in {frame.name}{line}")
    if len(parts) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        parts[half:-half] = [f"  … {len(parts) - 2 * half} more …"]
    return "\n".join([*parts, f"  {told}"]) if parts else ""


def write_samples(given: Mapping[str, pa.Table], sensitive: Mapping[str, Sensitive]) -> str:
    """Return the first rows of each table as text, sensitive columns masked."""
    parts = []
    for name, table in given.items():
        title = f"  {name}:\n" if len(given) > 1 else ""
        parts.append(title + write_rows(table, sensitive.get(name, NONE).among(table.column_names)))
    return "\n".join(parts)


def write_rows(table: pa.Table, masked: Iterable[str] = ()) -> str:
    """Return the first rows of a table as aligned text.

    Example:
        >>> import pyarrow as pa
        >>> print(write_rows(pa.table({"store": [1, None], "mail": ["a@b", "c"]}), ["mail"]))
          store  mail
          1      ***
          null   ***
    """
    hidden = set(masked)
    rows = table.slice(0, SAMPLE_ROWS)
    columns = [
        [name, *(MASK if name in hidden else _write_value(value) for value in rows[name])]
        for name in rows.column_names
    ]
    if not columns:
        return "  (no columns)"
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in zip(*columns, strict=True)
    ]
    if not rows.num_rows:
        lines.append("  (no rows)")
    return "\n".join(line.rstrip() for line in lines)


def _write_value(value: Any) -> str:
    if not value.is_valid:
        return "null"
    text = show_value(value).replace("\n", "\\n")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def write_key(names: Sequence[str], values: Sequence[Any]) -> str:
    """Return a group's key as it is shown.

    Example:
        >>> write_key(["store", "region"], [3, None])
        'store=3, region=None'
    """
    return ", ".join(f"{name}={value!s}" for name, value in zip(names, values, strict=True))
