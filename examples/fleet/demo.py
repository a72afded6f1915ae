"""Run a hub and twenty agents on this machine, hurt them, and count every row.

``make demo-fleet``. The project is copied to ``demo/fleet``, homes and logs of the agents are in
``demo/fleet-nodes``; each start begins anew.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from loggers import Loggers

from segue.errors import FleetError
from segue.testing.fleet import LocalFleet
from segue.testing.network import Proxy

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent / "demo" / "fleet"
NODES = PROJECT.with_name("fleet-nodes")
SHOPS = [f"shop-{number:02d}" for number in range(1, 21)]
CUT = SHOPS[:5]
KILLED = SHOPS[8:11]
PATIENCE = 600.0
"""Seconds after which something that must come about is given up."""

BAD = (
    "select n, measured, freezer, celsius, cast(freezer as integer) as fahrenheit\nfrom readings\n"
)
ACCOUNT = """
select
  (select count(*) from plausible) as arrived,
  (select count(distinct (_node, n)) from plausible) as once,
  (select count(*) from plausible__rejects) as rejected,
  (select coalesce(sum("rows"), 0)::bigint from plausible__gaps) as lost
"""


def main() -> int:
    """Tell the tale."""
    for folder in (PROJECT, NODES):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE, PROJECT, ignore=shutil.ignore_patterns("*.py", "__pycache__", "lake"))
    readings = {shop: NODES / shop / "readings" for shop in SHOPS}
    try:
        with ExitStack() as stack:
            fleet = stack.enter_context(LocalFleet(PROJECT, NODES))
            proxy = stack.enter_context(Proxy(("127.0.0.1", fleet.port)))
            loggers = stack.enter_context(Loggers(readings))
            settings = PROJECT / "segue.toml"
            settings.write_text(settings.read_text().replace("8440", str(fleet.port)))
            return tell(fleet, proxy, loggers)
    except FleetError as error:
        print(f"{error}\nThe logs are in {os.path.relpath(NODES)}.", file=sys.stderr)
        return 1


def tell(fleet: LocalFleet, proxy: Proxy, loggers: Loggers) -> int:
    """Do one thing after the other, and say what."""
    say(
        "A hub, and a person's key whose deployments count.\n"
        "The hub passes deployments on; it could not make one."
    )
    fleet.start_hub()
    fleet.allow()
    say("Twenty shops. Each gets a token that works once, and makes a key of its own.")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda shop: enrol(fleet, shop, proxy), SHOPS))
    loggers.start()
    for shop in SHOPS:
        fleet.start_agent(shop, READINGS=str(NODES / shop / "readings"))
    say("What is placed on the shops is signed and deployed: one SELECT and its contract.")
    first = fleet.deploy("--to", "role=shop")
    wait(fleet, f"all run generation {first}", lambda: all_run(fleet, first))

    say(f"The network of {len(CUT)} shops is cut. {len(KILLED)} agents are killed with -9.")
    proxy.cut()
    for shop in KILLED:
        fleet.kill(shop)
    say("Meanwhile somebody deploys a mistake, to a tenth of the shops first.")
    step = PROJECT / "steps" / "plausible.sql"
    good = step.read_text()
    step.write_text(BAD)
    bad = fleet.deploy("--to", "role=shop", "--canary", "10%", "--health", "errors < 1%")
    wait(fleet, f"generation {bad} is given up", lambda: fleet.stage(bad) == "stopped")
    say("The canaries went back by themselves; no other shop ever ran it. It is mended.")
    step.write_text(good.replace("1.8 + 32", "9 / 5 + 32"))
    last = fleet.deploy("--to", "role=shop")
    for shop in KILLED:
        fleet.start_agent(shop)
    loggers.stop()
    say("The network is whole again, the loggers are silent. All that they wrote must arrive.")
    proxy.mend()
    healed = time.monotonic()
    wait(fleet, "every line is accounted for", lambda: count_lines(fleet) >= loggers.written)
    seconds = time.monotonic() - healed
    wait(fleet, f"all run generation {last}", lambda: all_run(fleet, last))
    return render(fleet, loggers.written, seconds)


def enrol(fleet: LocalFleet, shop: str, proxy: Proxy) -> None:
    """Make a shop a node, some of them behind a network that can be cut."""
    labels = {"role": "shop", "country": ("BE", "NL")[int(shop[-2:]) % 2]}
    fleet.enrol(shop, labels, proxy if shop in CUT else None)


def all_run(fleet: LocalFleet, generation: int) -> bool:
    """Return whether every node runs a generation."""
    return all(told.get("applied") == generation for told in fleet.statuses().values())


def count_lines(fleet: LocalFleet) -> int:
    """Return how many lines have arrived, were set aside or declared lost."""
    (found,) = fleet.query(ACCOUNT)
    return int(found["arrived"] + found["rejected"] + found["lost"])


def render(fleet: LocalFleet, written: int, seconds: float) -> int:
    """Print the account, and return whether it is even."""
    (found,) = fleet.query(ACCOUNT)
    doubled = found["arrived"] - found["once"]
    missing = written - found["once"] - found["rejected"] - found["lost"]
    print()
    for name, count in (
        ("generated", written),
        ("arrived", found["arrived"]),
        ("rejected, with reasons", found["rejected"]),
        ("declared lost", found["lost"]),
        ("doubled", doubled),
        ("not accounted for", missing),
    ):
        print(f"  {name:<24}{count:>12,}")
    print(f"  {'time to converge':<24}{seconds:>10.1f} s")
    say("What arrived is read like any other table.")
    print(fleet.call("run", "--project", PROJECT))
    print(fleet.call("read", "warmest", "--project", PROJECT, "--limit", "5"))
    return int(bool(doubled or missing or found["lost"]))


def wait(fleet: LocalFleet, what: str, holds: Callable[[], bool]) -> None:
    """Wait for something that must come about, and say how long it took."""
    print(f"  {what}: {fleet.wait(what, holds, PATIENCE):.1f} s", flush=True)


def say(text: str) -> None:
    """Print a paragraph of the tale."""
    print(f"\n{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
