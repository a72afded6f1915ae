"""A worker for tests of the supervisor: it makes numbered rows, and misbehaves on demand.

What it does stands in the slot's ``orders.json``: rows in all, rows of a batch, seconds between
batches, and what it does in the end.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from segue.agent.heartbeat import WorkerReport, write_report
from segue.agent.spool import Entry, Spool
from segue.spec.edge_codec import read_edge

STREAM = "readings"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    parser.add_argument("--slot", type=Path)
    parser.add_argument("--generation", type=int)
    parser.add_argument("--once", action="store_true")
    asked = parser.parse_args()
    orders = json.loads((asked.slot / "orders.json").read_text())
    part = read_edge((asked.slot / "edge.json").read_bytes())
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    with (asked.home / "starts").open("a") as file:
        file.write(f"{os.getpid()} {time.monotonic()}\n")
    beat, made = 0, 0
    if orders.get("child"):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with Spool(asked.home / "spool.db", part.spool) as spool:
        cursor = spool.cursor("numbers") or {"n": 0}
        while not stopped:
            beat += 1
            write_report(
                asked.home,
                WorkerReport(
                    os.getpid(), beat, asked.generation, ready=True, rows={STREAM: cursor["n"]}
                ),
            )
            if cursor["n"] < orders["rows"]:
                count = min(orders["batch"], orders["rows"] - cursor["n"])
                spool.commit(
                    [make_entry(cursor["n"], count)], {"numbers": cursor_after(cursor, count)}, {}
                )
                cursor = cursor_after(cursor, count)
                made += 1
            elif asked.once:
                return 0
            misbehave(orders, made)
            time.sleep(orders.get("pause", 0.0 if cursor["n"] < orders["rows"] else 0.05))
    return 0


def cursor_after(cursor, count):
    return {"n": cursor["n"] + count}


def make_entry(start, count):
    numbers = list(range(start, start + count))
    if os.environ.get("LITTLE_ARROW"):
        import pyarrow as pa

        from segue.agent.work.payload import write_payload

        payload = write_payload(pa.table({"n": pa.array(numbers, pa.int64())})).to_pybytes()
    else:
        payload = json.dumps(numbers).encode()
    return Entry(STREAM, count, payload, schema="ab" * 8, deployment=1)


def misbehave(orders, made):
    how = orders.get("how")
    if not how or made < orders.get("after", 1):
        return
    if how == "hang":
        time.sleep(600)
    elif how == "die":
        os._exit(3)
    elif how == "leak":
        misbehave.kept = b"x" * orders["leak"]
    elif how == "spin":
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass


if __name__ == "__main__":
    sys.exit(main())
