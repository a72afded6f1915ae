"""``segue`` as pages have it typed: a process for each command, forked where segue is loaded.

A program of that name, on the path before the real one, asks a process that waits; it passes its
arguments, folder, environment and streams, and ends as the command does. Half of the time in which
pages are followed would go into loading modules otherwise.
"""

import json
import os
import signal
import socket
import sys
import tempfile
import time
import traceback
from pathlib import Path

STUB = """#!{python} -ISE
import json, os, signal, socket, sys

with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({path!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(asked, [len(told).to_bytes(8, "big")], [0, 1, 2])
    asked.sendall(told)
    code = asked.recv(1)
if not code:
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(code[0])
"""
ROOT = Path(__file__).parents[2]


def write_stub(folder, path):
    """Write the program that asks at a socket."""
    program = folder / "segue"
    program.write_text(STUB.format(python=sys.executable, path=str(path)))
    program.chmod(0o755)


def serve(path):
    """Start commands until killed, or until who started this process is gone."""
    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        listening.settimeout(5)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has followed is gone
        while os.getppid() == parent:
            try:
                asked, _ = listening.accept()
            except TimeoutError:
                continue
            with asked:
                if os.fork():
                    continue
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                follow(asked)


def follow(asked):
    """Be the command, or wait for it and tell its end."""
    size, streams, _, _ = socket.recv_fds(asked, 8, 3)
    size, told = int.from_bytes(size, "big"), b""
    while len(told) < size:
        told += asked.recv(size - len(told))
    if pid := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code >= 0:
            asked.sendall(bytes([code]))
        os._exit(0)
    asked.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    be(*json.loads(told))


def be(arguments, folder, environ):
    """Be a command, as if it had just been started."""
    from segue import failpoints
    from segue.cli.main import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    tempfile.tempdir = None
    # of those that there were, Python knows whether they are files
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        setattr(sys, name, open(number, mode, 1 if number == 2 else -1, "utf-8", closefd=False))  # noqa: SIM115
    sys.path[:] = [each for each in sys.path if each not in ("", str(ROOT))]
    for name in [each for each in sys.modules if each.partition(".")[0] == "tests"]:
        del sys.modules[name]
    sys.argv = ["segue", *arguments]
    failpoints.arm(environ.get(failpoints.VARIABLE, ""))
    code = 1
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:  # noqa: BLE001  # the last line of a process: told, and told by its code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
