"""Steps in a process that may die: ``python -m segue.agent.work.child SLOT [--check]``.

Asked over standard input, it answers over standard output. A question is the name of a step
and its rows; an answer is ``+`` and rows, or ``-`` and an error that is sealed. The first answer
is unasked: all that steps need was made. With
``--check`` it only makes what all steps need, and tries their SQL on no rows.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from segue.agent.lean import leave_out_unused
from segue.agent.work.bench import Bench
from segue.agent.work.payload import add_node, read_payload, write_payload
from segue.agent.work.slot import open_slot
from segue.errors import SegueError, StepCrashedError
from segue.execute.process_tree import follow_parent
from segue.spec.failure import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.agent.work.slot import Slot

SIZES = struct.Struct(">IQ")
"""Lengths of a step's name and of its rows."""
ANSWER = struct.Struct(">cQ")
GOOD, BAD = b"+", b"-"


def serve(slot: Slot, scratch: Path, asked: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    bench = Bench(slot, scratch)
    session = bench.open() if any(step.sql for step in slot.part.steps) else None
    runs = bench.make_runs(slot.part.steps, session)
    answers.write(ANSWER.pack(GOOD, 0))
    answers.flush()
    while head := asked.read(SIZES.size):
        length, size = SIZES.unpack(head)
        name = asked.read(length).decode()
        rows = read_payload(asked.read(size))
        try:
            packed = memoryview(write_payload(runs[name](rows)))
            kind = GOOD
        except SegueError as error:
            kind, packed = BAD, memoryview(seal(error).text.encode())
        answers.write(ANSWER.pack(kind, packed.nbytes))
        answers.write(packed)
        answers.flush()
    bench.close()


def check_slot(slot: Slot, scratch: Path) -> None:
    """Make what all steps need, and try their SQL, checks and conditions on no rows.

    Raises:
        SegueError: Something of it can't work at all.
    """
    from segue.agent.work.checks import Judge
    from segue.agent.work.watch import Watch
    from segue.frames.arrow_types import to_arrow
    from segue.spec.windows import END, START

    bench, part = Bench(slot, scratch), slot.part
    needs = any(step.sql for step in part.steps) or part.checks or part.alerts
    session = bench.open() if needs else None
    runs = bench.make_runs(part.steps, session)
    schemas = {each.name: each.schema for each in part.sources}
    schemas |= {step.name: step.schema for step in part.steps}
    empty = {name: add_node(to_arrow(schema).empty_table(), "") for name, schema in schemas.items()}
    for step in part.steps:
        if step.sql is not None and step.model is None:
            rows = empty[step.stream]
            if step.window is not None:
                kind = rows.schema.field(step.window.column).type
                import pyarrow as pa

                none = pa.nulls(0, pa.timestamp("us", tz=kind.tz))
                kept = [name for name in rows.column_names if name not in (START, END)]
                rows = rows.select(kept).append_column(START, none).append_column(END, none)
            runs[step.name](rows)
    if session is not None:
        for check in part.checks:
            if check.table in empty:
                Judge(check.table, [check], session).try_on(empty[check.table])
        for alert in part.alerts:
            if alert.table in empty:
                Watch(alert, "", session, lambda _: None).see(empty[alert.table])
    bench.close()


def check_apart(slot: Path, go_on: Callable[[], bool]) -> None:
    """Do `check_slot` in a process of its own, for what it loads is large.

    Args:
        slot: Folder of the unpacked bundle.
        go_on: Called about twice a second; false ends the process.

    Raises:
        SegueError: Something of it can't work at all.
    """
    asked = [sys.executable, "-m", "segue.agent.work.child", str(slot), "--check"]
    with subprocess.Popen(asked, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        while True:
            try:
                answer, _ = child.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                if not go_on():
                    child.kill()
    if child.returncode:
        text = answer.decode("utf-8", "replace")
        raise unseal(text) or StepCrashedError(
            f"the deployment can't be tried: its process ended with code {child.returncode}"
        )


def main(arguments: list[str]) -> int:
    """Do what is asked; return the exit code."""
    follow_parent(os.getppid(), signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a step prints is no answer
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        try:
            slot = open_slot(Path(arguments[0]))
            leave_out_unused(slot.part)
            if "--check" in arguments:
                check_slot(slot, Path(folder))
            else:
                serve(slot, Path(folder), sys.stdin.buffer, answers)
        except SegueError as error:
            sealed = seal(error).text.encode()
            answers.write(ANSWER.pack(BAD, len(sealed)) + sealed)
            answers.flush()
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
