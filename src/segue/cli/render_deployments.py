"""Deployments as people read them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.cli.look import cell, line, make_table, next_moves, say
from segue.cli.wording import age, count, duration, listing
from segue.errors import SegueError

if TYPE_CHECKING:
    from segue.cli.call import Call
    from segue.cli.desk import Counter
    from segue.deploy.difference import Change
    from segue.spec.edge import EdgePart
    from segue.wire.deployment import Deployment

_STYLES = {"+": "green", "-": "red", "~": "yellow"}


def show_deployed(call: Call, counter: Counter, new: Deployment) -> None:
    """Say what was deployed."""
    told = counter.desk.describe()
    nodes = find_meant(told, new)
    if call.as_json:
        call.print_json({**new.plain(), "nodes": [node["name"] for node in nodes]})
        return
    say(
        call.out,
        line(f"Deployed {new.generation} to {count(len(nodes), 'node')}: {describe_rollout(new)}."),
        next_moves(
            ("segue deployments", "how far it has come"),
            (f"segue deployments stop {new.generation}", "let no further node have it"),
            ("segue rollback", "go back to the one before, under a new number"),
        ),
    )


def find_meant(told: Mapping[str, Any], deployment: Deployment) -> list[dict[str, Any]]:
    """Return the nodes that a deployment is for."""
    return [
        node
        for node in told["nodes"]
        if deployment.fits(node["name"], node["project"], node["labels"])
    ]


def describe_rollout(deployment: Deployment) -> str:
    """Return how a deployment spreads, as a sentence."""
    rollout = deployment.read_rollout()
    trial = f"each keeps it after {_tell_span(rollout.probation)} with {rollout.health}"
    if rollout.kind == "canary":
        waits = _tell_span(rollout.after)
        return f"{rollout.part} first, the others when these were well for {waits}; {trial}"
    if rollout.kind == "rolling":
        return f"{rollout.part} at a time; {trial}"
    return f"at once; {trial}"


def _tell_span(seconds: int) -> str:
    """Return a duration as it was asked for: in the largest unit in which it is a whole number."""
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def show_dry_run(call: Call, counter: Counter, deployment: Deployment, part: EdgePart) -> None:
    """Say which nodes a deployment would reach, and what would change there."""
    from segue.wire.selector import find_unknown

    told = counter.desk.describe()
    nodes = find_meant(told, deployment)
    known = [{**node["labels"], "node": node["name"]} for node in told["nodes"]]
    unknown = find_unknown(deployment.read_selector(), known)
    differences = _compare(counter, told, nodes, part)
    if call.as_json:
        call.print_json(
            {
                "dry_run": True,
                "target": deployment.target,
                "selector": deployment.selector,
                "nodes": [
                    {"name": node["name"], "runs": node["applied"], "labels": node["labels"]}
                    for node in nodes
                ],
                "unknown": unknown,
                "differences": {
                    str(number): [str(change) for change in changes]
                    for number, changes in differences.items()
                },
                "rollout": deployment.rollout,
                "needs": deployment.needs,
            }
        )
        return
    parts = [line(f"{count(len(nodes), 'node')} would get it: {describe_rollout(deployment)}.")]
    parts += [line((told_, "yellow")) for told_ in unknown]
    say(call.out, *parts)
    for number, changes in differences.items():
        names = [node["name"] for node in nodes if node["applied"] == number]
        _show_changes(call, number, names, changes)


def _show_changes(call: Call, number: int, names: list[str], changes: Sequence[Change]) -> None:
    runs = f"run {number}" if number else "run nothing"
    say(call.out, line(""), line((f"{listing(names)} {runs}", "bold")))
    if not changes:
        say(call.out, line("  nothing would change"))
    for change in changes:
        say(call.out, line("  ", (str(change), _STYLES[change.sign])))


def _compare(
    counter: Counter, told: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], part: EdgePart
) -> dict[int, list[Change]]:
    """Return what would change, by the generation that nodes run."""
    from segue.deploy.difference import compare_parts

    targets = {each["generation"]: each["target"] for each in told["deployments"]}
    if any(node["applied"] for node in nodes):
        counter.desk.refresh()
    return {
        number: compare_parts(_read_part(counter, targets.get(number)), part)
        for number in sorted({int(node["applied"]) for node in nodes})
    }


def _read_part(counter: Counter, target: str | None) -> EdgePart | None:
    """Return the part in a bundle that is deployed; None if there is none any more."""
    from segue.spec.edge_codec import read_edge
    from segue.wire.bundle import EDGE, read_file

    if target is None:
        return None
    with tempfile.TemporaryDirectory(prefix="segue-deploy-") as folder:
        path = Path(folder) / "bundle.zip"
        counter.desk.fetch_bundle(target, path)
        try:
            return read_edge(read_file(path, EDGE))
        except SegueError:
            # Another release wrote it; all of it counts as new then.
            return None


def show_deployments(call: Call, told: Mapping[str, Any]) -> None:
    """List deployments, the newest first."""
    listed = sorted(told["deployments"], key=lambda each: -each["generation"])
    if call.as_json:
        call.print_json({"deployments": listed, "nodes": told["nodes"]})
        return
    if not listed:
        say(
            call.out,
            line("Nothing is deployed."),
            next_moves(("segue deploy", "deploy the project's edge part")),
        )
        return
    columns = ["number", "to", "stage", "runs", "proven", "failed", "made", "note", "why"]
    rows = [
        [
            cell(str(each["generation"]), "bold"),
            cell(f"{each['fleet']}: {each['selector']}"),
            cell(*_describe_stage(each)),
            cell(f"{each['running']} of {each['meant']}"),
            cell(str(each["proven"])),
            cell(listing(each["failed"], 3)),
            cell(age(each["created"])),
            cell(each["note"] or (f"again {each['again']}" if each["again"] else "")),
            cell(each["reason"] or (each.get("waits", "") if each["newest"] else "")),
        ]
        for each in listed
    ]
    say(call.out, make_table(columns, rows, numbers=["number", "proven"], wrap=["why"]))


def _describe_stage(each: Mapping[str, Any]) -> tuple[str, str]:
    if each["stage"] == "stopped":
        return "stopped", "red"
    if not each["newest"]:
        return "replaced", ""
    if each["meant"] and each["proven"] >= each["meant"]:
        return "done", "green"
    if each["stage"] == "canary":
        return f"canary, {duration(each['elapsed'])}", "cyan"
    return ("rolling", "cyan") if each["stage"] == "rolling" else ("open", "")
