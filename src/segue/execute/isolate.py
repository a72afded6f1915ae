"""Runs a step in a process of its own, which can be ended with all that it started."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

from segue.errors import StepCrashedError, StepError, StepMemoryError, StepTimeoutError
from segue.execute.attempt import StepResult
from segue.execute.child import ENDING, LIMITS, PROGRESS, PROGRESS_FORM, RESULT, TASK

if TYPE_CHECKING:
    from threading import Event

    from segue.execute.attempt import StepTask
    from segue.protocols import Lake, Tell

_OURS = re.compile(
    rf'  File "({re.escape(str(Path(__file__).parents[1]))}/|<frozen runpy>)|Extension modules: '
)
"""Lines of a crash report that tell users nothing."""
_TICK_SECONDS = 0.2
_LAST_LINES = 20


def run_isolated(
    task: StepTask,
    lake: Lake,
    progress: Tell | None = None,
    stop: Event | None = None,
) -> StepResult:
    """Run a step in a fresh interpreter, within its limits of time and memory.

    What the step writes to its output goes to this process' stderr. When this function
    returns or raises, no process that the step started is left; if this process dies, they
    die too.

    Args:
        task: What to do; it has to be picklable.
        lake: Where the table is stored; likewise.
        progress: Hears how far it has come.
        stop: Set by another thread to end the step early.

    Raises:
        StepError: The step failed, as in `run_step`.
        StepTimeoutError: It ran longer than its timeout.
        StepMemoryError: It used more than its memory.
        StepCrashedError: Its process died.
        KeyboardInterrupt: It was stopped.
    """
    with tempfile.TemporaryDirectory(prefix="segue-step-", ignore_cleanup_errors=True) as name:
        folder, limits = Path(name), task.step.limits
        (folder / TASK).write_bytes(pickle.dumps((task, lake)))
        (folder / LIMITS).write_text(
            json.dumps({"timeout": limits.timeout, "memory": limits.memory})
        )
        command = [sys.executable, "-P", "-m", "segue.execute.child", name, str(os.getpid())]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            said: deque[str] = deque(maxlen=_LAST_LINES)
            reader = Thread(target=_pass_on, args=(process.stdout, said), daemon=True)
            reader.start()
            try:
                _wait(process, folder, progress, stop)
            except BaseException:  # an interrupt must not leave the process behind
                process.terminate()  # the supervisor ends the others, then itself
                process.wait()
                raise
            reader.join()
        return _read_answer(task, folder, process.returncode, said)


def _pass_on(output: IO[bytes], said: deque[str]) -> None:
    for line in output:
        text = line.decode(errors="replace")
        if _OURS.match(text):
            continue
        said.append(text)
        with suppress(ValueError):  # stderr may be closed at the interpreter's end
            sys.stderr.write(text)


def _wait(
    process: subprocess.Popen[bytes],
    folder: Path,
    progress: Tell | None,
    stop: Event | None,
) -> None:
    told: tuple[int, float | None] = (0, None)
    while True:
        try:
            process.wait(_TICK_SECONDS)
        except subprocess.TimeoutExpired:
            if stop is not None and stop.is_set():
                raise KeyboardInterrupt from None
            found = _read_progress(folder)
            if progress is not None and found != told:
                told = found
                progress(*found)
        else:
            return


def _read_progress(folder: Path) -> tuple[int, float | None]:
    try:
        content = (folder / PROGRESS).read_bytes()
    except FileNotFoundError:
        return 0, None
    if len(content) != PROGRESS_FORM.size:
        return 0, None
    rows, share = PROGRESS_FORM.unpack(content)
    return rows, None if share < 0 else share


def _read_answer(task: StepTask, folder: Path, code: int, said: deque[str]) -> StepResult:
    ending: dict[str, Any] = {"reason": "ended", "code": code, "peak": 0}
    if (folder / ENDING).exists():
        ending = json.loads((folder / ENDING).read_text())
    if ending["reason"] == "ended" and (folder / RESULT).exists():
        answer = pickle.loads((folder / RESULT).read_bytes())  # noqa: S301  # our own child's
        if isinstance(answer, StepResult):
            return replace(answer, peak_memory=ending["peak"])
        raise answer
    raise _explain(task, ending, "".join(said))


def _explain(task: StepTask, ending: dict[str, Any], said: str) -> StepError:
    """Return the error that tells how a step's process ended without an answer."""
    step, limits = task.step, task.step.limits
    about: dict[str, Any] = {"step": step.name, "location": step.location}
    match ending["reason"]:
        case "timeout":
            return StepTimeoutError(
                f"step {step.name!r} ran longer than its timeout of {limits.timeout:g} s"
                " and was ended with all that it started",
                hint="raise the timeout, or find out what the step waits for",
                **about,
            )
        case "memory":
            return StepMemoryError(
                f"step {step.name!r} used {_show_bytes(ending['used'])} of memory, more than its"
                f" limit of {_show_bytes(limits.memory or 0)}, and was ended",
                hint="raise `memory`, or let the function take an Iterator of frames",
                **about,
            )
    return StepCrashedError(
        f"step {step.name!r}: its process {_show_code(ending['code'])}",
        hint="what it said last is above" if said else "it said nothing",
        trace=said,
        **about,
    )


def _show_code(code: int) -> str:
    if code >= 0:
        return f"ended itself with exit code {code}, before the step was done"
    name = signal.Signals(-code).name
    told = {
        "SIGSEGV": "a library reached for memory that is not its own",
        "SIGKILL": "by somebody, or by the system for want of memory",
        "SIGABRT": "a library gave up",
    }.get(name, signal.strsignal(-code) or "a signal")
    return f"was ended by {name} ({told})"


def _show_bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004  # units are powers of 1000, as in settings
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} TB"
