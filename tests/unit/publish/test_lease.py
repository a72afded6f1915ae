import os
import subprocess
import sys
import threading
from dataclasses import replace

import psutil
import pytest

from segue.errors import LeaseLostError, LedgerBusyError
from segue.publish.lease import Heartbeat, is_alive, this_owner
from segue.spec.run import Lease

LEASE = Lease("run", 1, 0.03, this_owner())


class Beats:
    """Hears beats, and answers each as it is told."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.heard = threading.Semaphore(0)

    def beat(self, lease):
        self.heard.release()
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer


def test_this_process_is_alive():
    owner = this_owner()
    assert owner.pid == os.getpid()
    assert owner.born == pytest.approx(psutil.Process().create_time(), abs=0.1)
    assert is_alive(owner)
    assert not is_alive(replace(owner, born=owner.born - 60)), "its number was given anew"


def test_an_ended_process_is_not_alive():
    code = "from segue.publish.lease import *; o = this_owner(); print(o.pid, o.born, flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        pid, born = child.stdout.readline().split()
        owner = replace(this_owner(), pid=int(pid), born=float(born))
        assert is_alive(owner)
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(owner), "a zombie is dead"
    assert not is_alive(owner)


def test_a_heart_beats_until_its_block_ends():
    ledger = Beats(LedgerBusyError("busy"))
    with Heartbeat(ledger, LEASE) as heartbeat:
        for _ in range(3):
            assert ledger.heard.acquire(timeout=10)
        heartbeat.check()
        assert not heartbeat.lost


def test_a_lost_lease_is_told_to_the_run():
    ledger = Beats(LeaseLostError("taken for lost"))
    with Heartbeat(ledger, LEASE) as heartbeat:
        assert ledger.heard.acquire(timeout=10)
        heartbeat._thread.join(10)
        with pytest.raises(LeaseLostError):
            heartbeat.check()
    assert heartbeat.lost


def test_a_block_that_raises_stops_the_heart():
    with pytest.raises(ValueError, match="mine"), Heartbeat(Beats(), LEASE) as heartbeat:
        raise ValueError("mine")
    assert not heartbeat._thread.is_alive()
