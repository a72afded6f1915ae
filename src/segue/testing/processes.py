"""Segue in processes that can be killed, stopped and watched.

Processes are forked from one that has the libraries loaded, so that each costs a few
milliseconds and not a second: a suite can kill hundreds of them. They are processes of
their own all the same, and a signal does to them what it does to ``segue`` in a terminal.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import segue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.context import ForkServerContext, ForkServerProcess

LOADED = (
    "deltalake.transaction",
    "duckdb",
    "getpass",
    "pandas",
    "psutil",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
    "rich.table",
    "rich.progress",
    "sqlalchemy.dialects.sqlite",
)
"""What is loaded beside segue before processes are forked; loading it starts no thread."""

OUTPUTS = ("out", "err")

PATIENCE = 60.0
"""Seconds after which a process that should have answered is taken for hung."""


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    found = (module.name for module in walk_packages(segue.__path__, "segue."))
    # Names that can't be loaded, such as those of extras, are passed over.
    context.set_forkserver_preload([*LOADED, *(name for name in found if "__main__" not in name)])
    return context


def wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for something that another process does; return the first true answer.

    Args:
        condition: Asked again and again.
        what: What is waited for, for the failure's message.
        seconds: Longest wait.

    Raises:
        TimeoutError: It did not come.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.002)
    return answer


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        code: Its exit code; the number of a signal below zero if one ended it.
        out: What it wrote to its output.
        err: What it wrote to its error output.
    """

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        """Whether it was ended by SIGKILL."""
        return self.code == -signal.SIGKILL

    @property
    def document(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """Code of the error that its JSON tells; empty if there is none."""
        try:
            found = self.document.get("error")
        except (AttributeError, ValueError):
            return ""
        return str(found["code"]) if found else ""


class Victim:
    """A process to which things happen.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, process: ForkServerProcess, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._ended: Ended | None = None
        self.pid: int = process.pid or 0

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether it is stopped by a signal."""
        import psutil

        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> Ended:
        """End it at once, as ``kill -9`` does."""
        self._process.kill()
        return self.wait()

    def wait_stopped(self, seconds: float = PATIENCE) -> None:
        """Wait until it has stopped itself at a failpoint.

        Raises:
            TimeoutError: It ended or went on instead.
        """
        wait_until(lambda: self.stopped or not self.runs, f"process {self.pid} to stop", seconds)
        if not self.stopped:
            raise TimeoutError(f"process {self.pid} ended and did not stop: {self.wait()}")

    def go_on(self) -> None:
        """Let it continue after a stop."""
        self.send(signal.SIGCONT)

    def wait(self, seconds: float = PATIENCE) -> Ended:
        """Wait for its end.

        Raises:
            TimeoutError: It did not end; it is killed.
        """
        if self._ended is not None:
            return self._ended
        self._process.join(seconds)
        if late := self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        out, err = (
            (self._folder / name).read_text(encoding="utf-8", errors="replace") for name in OUTPUTS
        )
        shutil.rmtree(self._folder)
        self._ended = Ended(self._process.exitcode or 0, out, err)
        if late:
            raise TimeoutError(f"process {self.pid} did not end within {seconds:g} s\n{err}")
        return self._ended


def start_call(
    function: Callable[..., object],
    *arguments: object,
    failpoints: str = "",
    environ: Mapping[str, str] | None = None,
) -> Victim:
    """Call a function of a module in a process of its own.

    Args:
        function: What to call; what it returns, if an int, is the exit code.
        *arguments: For the function.
        failpoints: As in ``SEGUE_FAILPOINT``.
        environ: Variables beside those of this process.
    """
    folder = Path(tempfile.mkdtemp(prefix="segue-victim-"))
    for name in OUTPUTS:
        (folder / name).touch()
    variables = {**os.environ, **(environ or {}), "SEGUE_FAILPOINT": failpoints}
    process = _context().Process(
        target=_call, args=(folder, variables, function, arguments), daemon=False
    )
    process.start()
    return Victim(process, folder)


def start_command(
    *arguments: str | Path,
    failpoints: str = "",
    environ: Mapping[str, str] | None = None,
) -> Victim:
    """Start a command of segue.

    Args:
        *arguments: What would be typed after ``segue``.
        failpoints: As in ``SEGUE_FAILPOINT``.
        environ: Variables beside those of this process.

    Example:
        >>> start_command("--version").wait().code
        0
    """
    typed = [str(argument) for argument in arguments]
    return start_call(_type, typed, failpoints=failpoints, environ=environ)


def _type(arguments: list[str]) -> int:
    sys.argv = ["segue", *arguments]
    try:
        runpy.run_module("segue", run_name="__main__")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0


def run_segue(*arguments: str | Path, failpoints: str = "") -> Ended:
    """Run a command of segue to its end, or to that which a failpoint makes of it."""
    return start_command(*arguments, failpoints=failpoints).wait()


@contextmanager
def running(victim: Victim) -> Iterator[Victim]:
    """Kill a process at the end of a ``with`` block, if it has not ended by then."""
    try:
        yield victim
    finally:
        if victim.runs:
            victim.kill()
        victim.wait()


def _call(
    folder: Path,
    variables: Mapping[str, str],
    function: Callable[..., object],
    arguments: tuple[object, ...],
) -> None:
    """Be the process: take environment and outputs of its own, then call."""
    from segue import failpoints

    os.setsid()
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    tempfile.tempdir = None
    for stream, name in zip((sys.stdout, sys.stderr), OUTPUTS, strict=True):
        with (folder / name).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    failpoints.arm(variables["SEGUE_FAILPOINT"])
    try:
        code = function(*arguments)
    except BaseException:  # noqa: BLE001  # the process' last line: told, and told by its code
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # No thread of a library may delay the end, or be joined at it.
    os._exit(code if isinstance(code, int) else 0)
