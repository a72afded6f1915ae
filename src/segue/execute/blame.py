"""Errors in a user's function, told in the user's own terms."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import Location, StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from segue.spec.step import ProjectSpec, StepSpec

SAMPLE_ROWS = 5
MASK = "***"
_WIDEST = 40
_MOST_FRAMES = 12


def blame_function(
    error: BaseException,
    project: ProjectSpec,
    step: StepSpec,
    *,
    group: str = "",
    given: Mapping[str, pa.Table] | None = None,
) -> StepError:
    """Return a user's exception as a `StepError` with all that helps to find the fault.

    Args:
        error: What the function raised.
        project: Tells which files are the user's, and which columns must not be shown.
        step: The step.
        group: The group's key, as text.
        given: What the function was given, by table.
    """
    frames = _own_frames(error, project.root)
    location = step.location
    if frames:
        path, frame = frames[-1]
        location = Location(path, frame.lineno)
    told = "".join(traceback.format_exception_only(error)).strip()
    blamed = StepError(
        f"step {step.name!r} raised {told}",
        step=step.name,
        location=location,
        group=group,
        trace=_write_trace(frames, told),
        sample=write_samples(given or {}, project),
    )
    blamed.__cause__ = error
    return blamed


def _own_frames(error: BaseException, root: Path) -> list[tuple[str, traceback.FrameSummary]]:
    """Return the frames that lie in the project's files with their paths there, innermost last."""
    from segue.declare.modules import is_project_file

    top, found = Path(os.path.realpath(root)), []
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.realpath(frame.filename)
        if is_project_file(path, top):
            found.append((os.path.relpath(path, top), frame))
    return found


def _write_trace(frames: Sequence[tuple[str, traceback.FrameSummary]], told: str) -> str:
    parts = []
    for path, frame in frames:
        line = f"\n    {frame.line}" if frame.line else ""
        parts.append(f"  {path}:{frame.lineno} in {frame.name}{line}")
    if len(parts) > _MOST_FRAMES:
        half = _MOST_FRAMES // 2
        parts[half:-half] = [f"  … {len(parts) - 2 * half} more …"]
    return "\n".join([*parts, f"  {told}"]) if parts else ""


def write_samples(given: Mapping[str, pa.Table], project: ProjectSpec) -> str:
    """Return the first rows of each table as text, sensitive columns masked."""
    parts = []
    for name, table in given.items():
        contract = project.contracts.get(name)
        masked = contract.sensitive if contract is not None else ()
        title = f"  {name}:\n" if len(given) > 1 else ""
        parts.append(title + write_rows(table, masked))
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
    try:
        text = str(value.as_py())
    except ValueError:  # nanoseconds that Python's own times can't hold
        text = str(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def write_key(names: Sequence[str], values: Sequence[Any]) -> str:
    """Return a group's key as it is shown.

    Example:
        >>> write_key(["store", "region"], [3, None])
        'store=3, region=None'
    """
    return ", ".join(f"{name}={value!s}" for name, value in zip(names, values, strict=True))
