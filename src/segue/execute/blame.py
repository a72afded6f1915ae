"""Errors in a user's function, told in the user's own terms."""

from __future__ import annotations

import os
import sysconfig
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
        location = Location(_shorten(frames[-1].filename, project.root), frames[-1].lineno)
    told = "".join(traceback.format_exception_only(error)).strip()
    blamed = StepError(
        f"step {step.name!r} raised {told}",
        step=step.name,
        location=location,
        group=group,
        trace=_write_trace(frames, told, project.root),
        sample=write_samples(given or {}, project),
    )
    blamed.__cause__ = error
    return blamed


def _own_frames(error: BaseException, root: Path) -> list[traceback.FrameSummary]:
    """Return the frames that lie in the project's files, the innermost last."""
    inside = os.path.realpath(root) + os.sep
    outside = tuple(os.path.realpath(path) + os.sep for path in sysconfig.get_paths().values())
    found = []
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.realpath(frame.filename)
        if path.startswith(inside) and not path.startswith(outside):
            found.append(frame)
    return found


def _shorten(path: str, root: Path) -> str:
    try:
        return str(Path(os.path.realpath(path)).relative_to(os.path.realpath(root)))
    except ValueError:
        return path


def _write_trace(frames: Sequence[traceback.FrameSummary], told: str, root: Path) -> str:
    lines = []
    for position, frame in enumerate(frames):
        if len(frames) > _MOST_FRAMES and position == _MOST_FRAMES // 2:
            lines.append(f"  … {len(frames) - _MOST_FRAMES} more …")
        if (
            _MOST_FRAMES // 2 <= position < len(frames) - _MOST_FRAMES // 2
            and len(frames) > _MOST_FRAMES
        ):
            continue
        lines.append(f"  {_shorten(frame.filename, root)}:{frame.lineno} in {frame.name}")
        if frame.line:
            lines.append(f"    {frame.line}")
    return "\n".join([*lines, f"  {told}"]) if lines else ""


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
