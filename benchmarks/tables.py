"""Two hundred published tables of one row, beside as many trivial tasks of other orchestrators."""

from __future__ import annotations

from benchmarks.children import PEERS, Child, ChildError, subject
from benchmarks.kit import Kit
from benchmarks.projects import chain_steps, run_anew, write_project
from benchmarks.results import Row

NAME = "tables"
TABLES = 200
LIMIT_MS = 12.0


def measure(kit: Kit) -> list[Row]:
    """Time many and one; the difference is what each further one costs."""
    count = kit.scale(TABLES)
    projects = {
        "many": write_project(kit.scratch / "tables", chain_steps(count)),
        "one": write_project(kit.scratch / "table", chain_steps(1)),
    }
    found = kit.measure({name: run_anew(project) for name, project in projects.items()}, repeats=5)
    spent = per_step(found["many"].seconds, found["one"].seconds, count)
    work = per_step(found["many"].cpu, found["one"].cpu, count)
    peak = found["many"].peak
    rows = [
        Row(
            f"{count} one-row tables, each",
            spent,
            LIMIT_MS,
            "limit",
            "ms",
            1.0,
            peak=peak,
            note=f"CPU {work:.1f} ms",
        )
    ]
    for peer, script in (("Dagster", "dagster_ops"), ("Prefect", "prefect_tasks")):
        try:
            rows.append(measure_peer(kit, peer, script, count, spent, work, peak))
        except ChildError as error:
            print(f"  {peer} is left out: {str(error).strip().splitlines()[-1]}", flush=True)
    return rows


def per_step(many: float, one: float, count: int) -> float:
    """Return milliseconds for each step beyond the first."""
    return (many - one) * 1000 / (count - 1)


def measure_peer(
    kit: Kit, peer: str, script: str, count: int, spent: float, work: float, peak: int
) -> Row:
    """Time an orchestrator's trivial steps, which store nothing."""
    if not PEERS.exists():
        raise ChildError("it is not installed")
    home = kit.scratch / peer.lower()
    home.mkdir()
    # Local and silent: no server of its own to find, no telemetry, no network.
    env = {
        "DO_NOT_TRACK": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "HOME": str(home),
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    }
    found = kit.measure(
        {
            name: Child(subject(script, number, python=PEERS), env=env)
            for name, number in (("many", count), ("one", 1))
        },
        repeats=3,
    )
    theirs = per_step(found["many"].seconds, found["one"].seconds, count)
    their_work = per_step(found["many"].cpu, found["one"].cpu, count)
    return Row(
        "  beside a task without a table",
        spent,
        theirs,
        peer,
        "ms",
        None,
        work / their_work,
        peak,
        found["many"].peak,
        note=f"start-up {found['one'].seconds:.1f} s",
    )
