"""The process that fills a slot, as the supervisor holds it: told what to do, served, ended.

Loaded with the first deployment that is new.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from segue.agent.order import Order, tell_error
from segue.errors import (
    BundleError,
    DeploymentError,
    HubError,
    SegueError,
    StorageError,
    StorageFullError,
)
from segue.wire.deployment import Deployment

if TYPE_CHECKING:
    from segue.wire.trust_folder import Fetch

SILENCE = 900.0
"""Seconds without a word after which a process that fills a slot is ended."""

_KINDS: dict[str, type[SegueError]] = {
    kind.code: kind for kind in (BundleError, HubError, StorageError, StorageFullError)
}


def run_fill(order: Order, fetch: Fetch) -> Deployment:
    """Fill a slot in a process of its own, and serve the files of the hub that it asks for.

    Raises:
        FleetError: As `segue.agent.fill.fill_slot` does.
        StorageError: The disk can't hold it.
    """
    command = [sys.executable, "-P", "-m", "segue.agent.fill"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("Popen was asked for pipes")
        told: list[str] = []
        listener = threading.Thread(target=_listen, args=(process.stderr, told), daemon=True)
        listener.start()
        try:
            _say(process.stdin, order.plain())
            return _serve(process, process.stdin, process.stdout, fetch)
        except _ProcessEndedError:
            process.wait()
            listener.join(1)
            raise DeploymentError(
                f"checking deployment {order.generation} ended with code {process.returncode}:"
                f" {''.join(told).strip()[-1000:] or 'no message'}"
            ) from None
        finally:
            process.kill()


class _ProcessEndedError(Exception):
    """A process that fills a slot has ended without a result."""


def _listen(errors: IO[str], told: list[str]) -> None:
    for line in errors:
        told.append(line)
        del told[:-50]


def _say(pipe: IO[str], document: dict[str, Any]) -> None:
    try:
        pipe.write(json.dumps(document) + "\n")
        pipe.flush()
    except BrokenPipeError:
        with suppress(BrokenPipeError):
            pipe.close()  # closed later, it would try to write the rest again
        raise _ProcessEndedError from None


def _serve(
    process: subprocess.Popen[str], pipe: IO[str], lines: IO[str], fetch: Fetch
) -> Deployment:
    while True:
        watchdog = threading.Timer(SILENCE, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            line = lines.readline()
        finally:
            watchdog.cancel()
        try:
            told = json.loads(line)
        except ValueError:
            raise _ProcessEndedError from None
        if "filled" in told:
            return Deployment.read(told["filled"])
        if "error" in told:
            raise _read_error(told["error"])
        _say(pipe, _answer(fetch, told))


def _answer(fetch: Fetch, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        fetch(asked["get"], Path(asked["into"]), asked["most"])
    except FileNotFoundError:
        return {"missing": True}
    except SegueError as error:
        return {"error": tell_error(error)}
    except OSError as error:
        return {"error": {"message": f"{asked['get']} can't be kept: {error}"}}
    return {}


def _read_error(told: dict[str, str]) -> SegueError:
    kind = _KINDS.get(told["code"], DeploymentError)
    return kind(told["message"], hint=told["hint"])
