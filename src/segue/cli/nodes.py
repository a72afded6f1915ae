"""``segue nodes`` and ``segue node``: the machines of a fleet, as their hub sees them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command, CommandFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.text import Text

    from segue.hub.remote import Overview

SHOWN_EVENTS = 8


def hub_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command what it takes to ask a hub: ``--hub``, ``--hub-ca``; the token is secret."""
    for option in (
        click.option(
            "--hub",
            "address",
            metavar="URL",
            envvar="SEGUE_HUB",
            help="The hub, with your token in SEGUE_HUB_TOKEN; on its own machine not needed.",
        ),
        click.option(
            "--hub-ca",
            "ca",
            metavar="FILE",
            envvar="SEGUE_HUB_CA",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="The hub's root certificate; the machine's own roots if not stated.",
        ),
    ):
        function = option(function)
    return function


@click.command(
    "nodes",
    cls=Command,
    examples=[
        ("segue nodes", "on the hub's machine"),
        ("segue nodes --hub https://hub.example.com:8443", "from elsewhere"),
        ("segue nodes --json", "for programs, with all that nodes told"),
    ],
)
@hub_options
@common_options
def list_nodes(call: Call, *, address: str | None, ca: Path | None) -> None:
    """List the nodes of a fleet, and what happened to them."""
    overview = _open(call, address, ca)
    try:
        nodes, events = overview.nodes(), overview.events(SHOWN_EVENTS)
    finally:
        overview.close()
    if call.as_json:
        call.print_json({"nodes": nodes, "events": events})
        return
    from segue.cli.look import line, make_table, next_moves, say

    if not nodes:
        say(
            call.out,
            line("No machine is a node yet."),
            next_moves(("segue hub token --node NAME", "let one in")),
        )
        return
    columns = ["node", "is", "seen", "runs", "wanted", "lag", "unsent", "spool", "labels", "error"]
    numbers = ["seen", "runs", "wanted", "lag", "unsent", "spool"]
    rows = [_row(node) for node in nodes]
    say(call.out, make_table(columns, rows, numbers=numbers, cut=["labels"], wrap=["error"]))
    if events:
        say(call.out, line(""), _tell_events(events))


def _open(call: Call, address: str | None, ca: Path | None) -> Overview:
    from segue.hub.remote import open_here, open_remote

    if address:
        return open_remote(address, ca.read_text() if ca else "")
    from segue.hub.opening import find_place

    return open_here(find_place(call.start))


def _row(node: Mapping[str, Any]) -> list[Text]:
    from segue.cli.look import cell
    from segue.cli.wording import count

    told = node["status"]
    state, style = describe_state(node)
    unsent = told.get("unsent") or 0
    return [
        cell(node["name"], "bold"),
        cell(state, style),
        cell(tell_age(node["seen_at"])),
        cell(told.get("applied") or ""),
        cell(node["desired"] or ""),
        cell(tell_seconds(told["lag"]) if told.get("lag") else ""),
        cell(count(unsent, "row") if unsent else ""),
        cell(tell_bytes(told["spool_bytes"]) if told.get("spool_bytes") else ""),
        cell(", ".join(f"{key}={value}" for key, value in sorted(node["labels"].items()))),
        cell(told.get("error") or ""),
    ]


def describe_state(node: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a node is in a word, and its colour.

    Example:
        >>> describe_state({"silent": True, "seen_at": 0.0, "desired": 0, "status": {}})
        ('never seen', 'yellow')
    """
    told = node["status"]
    if not node["seen_at"]:
        return "never seen", "yellow"
    if node["silent"]:
        return "silent", "yellow"
    applied = told.get("applied") or 0
    if (told.get("failed") or 0) > applied:
        return "failed", "red"
    if applied != node["desired"]:
        return "changing", "cyan"
    if applied and not told.get("healthy"):
        return "on trial", "cyan"
    return "well", "green"


def tell_age(moment: float) -> str:
    """Return how long ago a moment was; empty for never."""
    return f"{tell_seconds(max(0.0, time.time() - moment))} ago" if moment else ""


def tell_seconds(seconds: float) -> str:
    """Return a duration in its largest unit.

    Example:
        >>> tell_seconds(4.2), tell_seconds(600), tell_seconds(7300), tell_seconds(200_000)
        ('4 s', '10 min', '2 h', '2 d')
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def tell_bytes(size: float) -> str:
    """Return a size in its largest unit.

    Example:
        >>> tell_bytes(900), tell_bytes(1_500_000)
        ('900 B', '1.5 MB')
    """
    for step, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "KB")):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size:.0f} B"


def _tell_events(events: Sequence[Mapping[str, Any]]) -> Any:
    from segue.cli.look import cell, make_table

    odd = {"fenced": "red", "cloned": "red", "gap": "yellow", "silent": "yellow", "alert": "yellow"}
    rows = [
        [
            cell(tell_age(each["at"]), "dim"),
            cell(each["kind"], odd.get(each["kind"], "")),
            cell(each["node"]),
            cell(each["table"]),
            cell(each["detail"]),
        ]
        for each in reversed(events)
    ]
    return make_table(["when", "what", "node", "table", "details"], rows, wrap=["details"])


@click.group("node", cls=CommandFamily)
def node() -> None:
    """Look at one node of a fleet, or forget it."""


@node.command(
    "show",
    cls=Command,
    examples=[("segue node show till-7", "its state, what changed, what happened")],
)
@click.argument("name")
@hub_options
@common_options
def show_node(call: Call, *, name: str, address: str | None, ca: Path | None) -> None:
    """Show all that the hub knows of a node."""
    overview = _open(call, address, ca)
    try:
        told = overview.node(name)
    finally:
        overview.close()
    if call.as_json:
        call.print_json(told)
        return
    from segue.cli.look import facts, line, say

    say(call.out, facts(_describe(told)))
    if told["changes"]:
        say(call.out, line(""), _tell_events([{**each, "table": ""} for each in told["changes"]]))
    if told["events"]:
        say(call.out, line(""), _tell_events(told["events"][-SHOWN_EVENTS:]))


def _describe(told: Mapping[str, Any]) -> list[tuple[str, str | Text | None]]:
    from segue.cli.agent import describe_destination
    from segue.cli.look import cell
    from segue.cli.wording import count

    status = told["status"]
    state, style = describe_state(told)
    rows = sum((status.get("rows") or {}).values())
    rejects = sum((status.get("rejects") or {}).values())
    return [
        ("node", cell(told["name"], "bold")),
        ("is", cell(state, style)),
        ("seen", tell_age(told["seen_at"])),
        ("labels", ", ".join(f"{key}={value}" for key, value in sorted(told["labels"].items()))),
        ("wanted", str(told["desired"] or "")),
        ("runs", str(status.get("applied") or "")),
        ("gave up", str(status.get("failed") or "")),
        ("error", status.get("error") or ""),
        ("lag", tell_seconds(status["lag"]) if status.get("lag") else ""),
        ("oldest unsent", status.get("oldest_unsent") or ""),
        ("unsent", count(status["unsent"], "row") if status.get("unsent") else ""),
        ("spool", _tell_spool(status)),
        ("rows", f"{count(rows, 'row')}, {count(rejects, 'reject')}" if rows or rejects else ""),
        *(describe_destination(each) for each in status.get("destinations") or ()),
        ("clock", "" if status.get("clock_quality", "ok") == "ok" else status["clock_quality"]),
        ("restarts", str(status.get("restarts") or "")),
        ("memory", tell_bytes(status["memory"]) if status.get("memory") else ""),
        ("alerts", "; ".join(status.get("alerts") or ())),
        ("software", _software(status)),
        ("key", told["key_id"]),
    ]


def _tell_spool(status: Mapping[str, Any]) -> str:
    spool, cap = status.get("spool_bytes") or 0, status.get("spool_cap") or 0
    if not spool and not cap:
        return ""
    return tell_bytes(spool) + (f" of {tell_bytes(cap)}" if cap else "")


def _software(status: Mapping[str, Any]) -> str:
    parts = ("segue", status.get("version")), ("Python", status.get("python"))
    return ", ".join(f"{name} {version}" for name, version in parts if version)


@node.command(
    "remove",
    cls=Command,
    examples=[("segue node remove till-7", "its key is void; its rows stay")],
)
@click.argument("name")
@hub_options
@common_options
def remove_node(call: Call, *, name: str, address: str | None, ca: Path | None) -> None:
    """Forget a node: what it has not sent yet stays with it."""
    overview = _open(call, address, ca)
    try:
        overview.remove(name)
    finally:
        overview.close()
    if call.as_json:
        call.print_json({"removed": name})
        return
    from segue.cli.look import line, say

    say(call.out, line(f"{name} is no node any more."))
