"""A project's folder into one frozen spec, or into all the problems that it has."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from segue.declare.alerts import read_alerts
from segue.declare.apply import apply_parameters, apply_settings
from segue.declare.cache import find_cache
from segue.declare.carry import carry_sensitive
from segue.declare.check_code import add_code
from segue.declare.digest import digest_parts
from segue.declare.edge_graph import (
    check_fleet_steps,
    check_windows,
    find_fleet_tables,
    name_companions,
)
from segue.declare.edge_models import add_models
from segue.declare.edge_tables import read_fleet_tables
from segue.declare.graph import index_steps, order_steps, resolve_reads
from segue.declare.modules import STEPS
from segue.declare.problems import REJECTS, Problems, check_name, read_text
from segue.declare.python import read_python_steps
from segue.declare.sql_cache import SqlCache
from segue.declare.toml import FILE, read_config
from segue.errors import Location, UsageError
from segue.spec.step import Mode, ProjectSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.spec.contract import Contract
    from segue.spec.step import Scalar, StepSpec

MOST_WORKERS = 4
"""Steps side by side where the project says nothing: an engine's own threads fill the cores."""
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "requirements.txt")


def find_root(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds a ``segue.toml``.

    Raises:
        UsageError: There is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise UsageError(
        f"there is no {FILE} in {start} or above it",
        hint="go to a project's folder, or make one: segue new NAME",
    )


def declare_project(root: Path, parameters: Mapping[str, Scalar] | None = None) -> ProjectSpec:
    """Read a project's files.

    Args:
        root: Folder with ``segue.toml``.
        parameters: Values of settings, ``step.name`` to value; they go before ``[params]``.

    Raises:
        UsageError: The folder is no project.
        ProjectError: The files are wrong; it carries every problem.
    """
    root = root.resolve()
    if not (root / FILE).is_file():
        find_root(root)
        raise UsageError(f"{root} has no {FILE}", hint=f"name the folder that holds {FILE}")
    problems = Problems()
    config = read_config(root, os.environ, problems)
    _refuse_hidden(root / STEPS, problems)
    declared, broken = _read_sql(root, problems)
    python = read_python_steps(root, list_files(root / STEPS, ".py"), problems)
    broken |= python.broken
    if not config.readable:
        problems.check()
    steps = index_steps([*declared, *python.steps], config.sources, problems)
    broken |= config.broken
    contracts = _read_contracts(root, [*steps, *config.sources], broken, problems)
    contracts = add_code(contracts, root, problems)
    tables = find_fleet_tables(steps, config.sources, config)
    more = name_companions(tables)
    steps = resolve_reads(steps, config.sources, contracts, broken, problems, more)
    order = order_steps(steps, contracts, problems)
    _check_contracts(steps, contracts, problems)
    alerts = read_alerts(config, contracts, problems)
    steps = apply_settings(steps, broken, config, problems)
    check_fleet_steps(steps, tables, broken, problems)
    check_windows(steps, problems)
    steps = add_models(steps, tables, root, problems)
    fleets = read_fleet_tables(config, tables, problems)
    values = apply_parameters(parameters or {}, python.settings, steps, broken, config, problems)
    problems.check()
    steps = {name: steps[name] for name in order}
    sensitive = carry_sensitive(steps.values(), config.sources, contracts, root)
    contracts |= {n: contracts[n].hide(found) for n, found in sensitive.items() if n in contracts}
    lake = config.settings.lake
    return ProjectSpec(
        name=config.settings.project.name,
        root=root,
        steps=_finish_fingerprints(steps, contracts),
        sources=config.sources,
        contracts=contracts,
        places=config.places,
        parameters=values,
        lake=lake.path if "://" in lake.path else os.path.normpath(root / lake.path),
        ledger=lake.ledger,
        secrets=config.secrets,
        lock=_digest_lock(root),
        workers=config.settings.project.workers or min(MOST_WORKERS, os.cpu_count() or 1),
        lease=lake.lease,
        wait=lake.wait,
        alerts=alerts,
        fleets=fleets,
        sensitive=sensitive,
    )


def _refuse_hidden(folder: Path, problems: Problems) -> None:
    """Stop if there are folders of steps that can't be looked into: their tables would lack."""

    def tell(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            where = Location(os.path.relpath(error.filename, folder.parent))
            hint = "give the user who runs segue the right to read it"
            problems.add("unreadable-file", f"can't be read: {error.strerror}", where, hint)

    before = len(problems)
    for _, folders, _ in os.walk(folder, onerror=tell):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
    if len(problems) > before:
        problems.check()


def list_files(folder: Path, suffix: str) -> list[str]:
    """Return the files below a folder that end in `suffix`, sorted, relative to its parent.

    Folders and files whose names begin with a dot or two underscores are left out.
    """
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        inside = os.path.relpath(base, folder.parent)
        found += [
            f"{inside}/{name}"
            for name in names
            if name.endswith(suffix) and not name.startswith((".", "__"))
        ]
    return sorted(found)


def _read_sql(root: Path, problems: Problems) -> tuple[list[StepSpec], set[str]]:
    """Return the SQL steps, and the names of those that can't be read."""
    steps, broken = [], set()
    cache = SqlCache(root, find_cache())
    for shown in list_files(root / STEPS, ".sql"):
        name = shown.rpartition("/")[2].removesuffix(".sql")
        named = check_name(name, "step", Location(shown), problems)
        text = read_text(f"{root}/{shown}", shown, problems)
        step = cache.read(name, text, shown, problems) if text is not None else None
        if step is None or not named:
            broken.add(name)
        else:
            steps.append(step)
    cache.keep()
    return steps, broken


def _read_contracts(
    root: Path, tables: Sequence[str], broken: set[str], problems: Problems
) -> dict[str, Contract]:
    """Return the contracts by table; who has none does without YAML."""
    if not any(root.glob("contracts.y*ml")):
        return {}
    from segue.declare.contracts import read_contracts

    return read_contracts(root, tables, broken, problems)


def _check_contracts(
    steps: Mapping[str, StepSpec], contracts: Mapping[str, Contract], problems: Problems
) -> None:
    """Report contracts that their step's mode can't keep."""
    for name, contract in contracts.items():
        mode = steps[name].mode if name in steps else None
        if mode == Mode.EFFECT:
            message = f"{name!r} returns None: there is no table to check"
            hint = "return a frame, or take the contract out"
            problems.add("bad-contract", message, contract.location, hint)
        if mode == Mode.VIEW and contract.rejects:
            message = f"{name!r} is a view: it can't set rows aside"
            hint = "take rejects out, or make it a table: leave mode: view out"
            problems.add("bad-contract", message, contract.location, hint)


def _finish_fingerprints(
    steps: Mapping[str, StepSpec], contracts: Mapping[str, Contract]
) -> dict[str, StepSpec]:
    """Add to each fingerprint what else decides the table: contracts, and views it reads.

    A source's contract counts for its readers: it says which rows are set aside.

    Args:
        steps: Steps, a table before its readers.
        contracts: Contracts by table.
    """
    finished: dict[str, StepSpec] = {}
    for name, step in steps.items():
        more = [
            (f"view {table}", finished[table].fingerprint.digest)
            for table in step.reads
            if table in finished and finished[table].mode == Mode.VIEW
        ]
        read = dict.fromkeys(table.removesuffix(REJECTS) for table in step.reads)
        more += [
            (f"contract of {table}", contracts[table].digest)
            for table in read
            if table in contracts and table not in steps
        ]
        if name in contracts:
            more.append(("contract", contracts[name].digest))
        code = step.fingerprint
        finished[name] = (
            replace(step, fingerprint=digest_parts([*code.parts, *more], code.opaque))
            if more
            else step
        )
    return finished


def _digest_lock(root: Path) -> str:
    for name in LOCKS:
        path = root / name
        if path.is_file():
            return blake2b(path.read_bytes(), digest_size=16).hexdigest()
    return ""
