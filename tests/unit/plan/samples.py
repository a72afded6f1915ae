"""Small projects and histories, and a history as if a plan had been executed."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from segue.errors import Location
from segue.plan.build import build_plan
from segue.plan.growth import seen_after
from segue.plan.parameters import write_parameters
from segue.plan.settle import settle
from segue.spec.contract import Check, Contract, Tolerance
from segue.spec.output import DataFile, StagedTable, StepMemory, TableVersion
from segue.spec.plan import Action, History, Plan, Selection
from segue.spec.scan import SourceFile, SourceState
from segue.spec.step import (
    Fingerprint,
    FrameKind,
    FrameSpec,
    FunctionSpec,
    Mode,
    ProjectSpec,
    SourceSpec,
    StepSpec,
)
from segue.spec.types import parse_schema

FRAME = FrameSpec(FrameKind.PANDAS)
RUN_1 = "20261120-090000-aaaa"
RUN_2 = "20261120-100000-bbbb"


def make_step(name: str, *reads: str, code: str = "1", **fields) -> StepSpec:
    fields = {"mode": Mode.REPLACE, "sql": f"select * from {', '.join(reads)}"} | fields
    fingerprint = Fingerprint(f"{name}:{code}", ((f"query {name}", code),))
    where = Location(f"steps/{name}.sql", 1)
    return StepSpec(name, where, reads, **{"fingerprint": fingerprint} | fields)


def make_function(name: str, *reads: str, code: str = "1", settings=(), **fields) -> StepSpec:
    function = FunctionSpec("steps/all.py", name, tuple((r, FRAME) for r in reads), FRAME, settings)
    return make_step(name, *reads, code=code, sql=None, function=function, **fields)


def make_contract(table: str, *references: str, types: Mapping | None = None) -> Contract:
    where = Location("contracts.yml", 1)
    checks = tuple(
        Check(f"x in {other}", "references", ("x",), {"table": other}, Tolerance(0), None, where)
        for other in references
    )
    return Contract(table, where, checks, types=types or {})


def make_project(*steps: StepSpec, sources=("raw",), contracts=(), parameters=None) -> ProjectSpec:
    return ProjectSpec(
        "shop",
        Path("/shop"),
        {step.name: step for step in steps},
        {name: SourceSpec(name, Location("segue.toml", 1), "csv", {}) for name in sources},
        {contract.table: contract for contract in contracts},
        {},
        parameters or {},
        "/shop/lake",
    )


def make_state(table: str = "raw", *files: str, identity: str = "") -> SourceState:
    """A source; its files are ``name`` or ``name=stamp``, and more than one means it grows."""
    seen = tuple(
        SourceFile(f"/data/{file.partition('=')[0]}", 100, file.partition("=")[2] or "1")
        for file in files or ("one.csv",)
    )
    return SourceState(table, identity or f"{table}:{files}", seen, grows=len(files) > 1)


def make_version(table: str, *files: str, rows: int = 10, content: str = "") -> TableVersion:
    data = tuple(DataFile(file, rows, 1000, "0a") for file in files or ("a.parquet",))
    schema = parse_schema("x: int64")
    content = content or f"{table}:{files}"
    return TableVersion(table, 1, 0, schema, data, content, RUN_1, "", "2026-11-20T09:00:00")


def make_history(*states: SourceState, **fields) -> History:
    return History(sources={state.table: state for state in states or (make_state(),)}, **fields)


def plan_of(project: ProjectSpec, history: History, *terms: str, params=None, **asked) -> Plan:
    return build_plan(project, history, Selection(terms, **asked), params)


def actions(plan: Plan) -> dict[str, str]:
    return {planned.name: planned.action.name for planned in plan.steps}


def reasons(plan: Plan, name: str) -> list[str]:
    return [str(reason) for reason in plan[name].reasons]


def publish(plan: Plan, run_id: str = RUN_1, *, same: bool = False) -> History:
    """Return the history after the plan was executed, with every stage's rules kept.

    Args:
        plan: The plan.
        run_id: The run.
        same: Whether steps make the rows that they had made before.
    """
    history = plan.history
    versions, memories = dict(history.versions), dict(history.memories)
    made: dict[str, tuple[str, ...]] = {}
    for planned in plan.steps:
        if planned.action not in (Action.RUN, Action.REUSE):
            continue
        inputs = {name: _identify(name, history, versions) for name in planned.inputs}
        final = settle(planned, history.memories.get(planned.name), inputs, made)
        if final.action not in (Action.RUN, Action.REUSE):
            continue
        step = planned.step
        if step.stored:
            versions[step.name] = _next_version(final, versions.get(step.name), run_id, same=same)
            made[step.name] = tuple(file.path for file in versions[step.name].files)
        memories[step.name] = StepMemory(
            step.name,
            step.fingerprint.digest,
            step.fingerprint.parts,
            inputs,
            write_parameters(plan.project, step),
            versions[step.name].schema if step.stored else None,
            run_id,
            "2026-11-20T09:00:00",
            seen_files=seen_after(final, history, plan.project, made),
            rows=10,
            seconds=0.5,
        )
    return replace(history, versions=versions, memories=memories, staged={})


def _identify(name, history, versions) -> str:
    return history.sources[name].identity if name in history.sources else versions[name].identity


def _next_version(final, last, run_id, *, same):
    number = last.number + 1 if last else 1
    path = f"{final.name}-{run_id}.parquet"
    keeps = last.files if last and final.step.mode is Mode.APPEND and not final.rebuild else ()
    files = (*keeps, DataFile(path, 10, 1000, "0a"))
    content = last.content_hash if same and last else f"{final.name}-{number}"
    version = make_version(final.name)
    return replace(version, number=number, files=files, content_hash=content, run_id=run_id)


def stage(plan: Plan, *names: str) -> History:
    """Return the history after a run that staged some steps and could not publish."""
    published = publish(plan, RUN_2)
    staged = {}
    for name in names:
        version = published.versions[name]
        base = plan.history.versions.get(name)
        staged[name] = replace(
            published.memories[name],
            staged=StagedTable(
                name,
                version.schema,
                plan[name].step.mode,
                (DataFile("s.parquet", 10, 1000, "0b"),),
                base=base.number if base else None,
            ),
        )
    # A staged table's identity comes from its files: what was made from it must agree.
    for memory in staged.values():
        for name, other in staged.items():
            if name in memory.inputs:
                memory.inputs[name] = f"{other.staged.content_hash}:{other.staged.schema}"
    return replace(plan.history, staged=staged)
