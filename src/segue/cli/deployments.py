"""``segue deployments`` and ``segue rollback``: what was deployed, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.deploy import key_option, share_option, tell_shared
from segue.cli.group import Command, CommandFamily
from segue.cli.nodes import hub_options
from segue.errors import DeploymentError, UnknownNameError

if TYPE_CHECKING:
    from segue.wire.deployment import Deployment


class DeploymentsFamily(CommandFamily):
    """``segue deployments`` is a command, and a word before others."""

    examples = (
        ("segue deployments", "where each deployment runs, and how far it has come"),
        ("segue deployments --json", "for programs, with all nodes"),
        ("segue deployments stop 12", "let no further node have it"),
        ("segue deployments open 12", "let all have it now, whatever it waits for"),
    )


@click.group("deployments", cls=DeploymentsFamily, invoke_without_command=True)
@hub_options
@common_options
@click.pass_context
def deployments(ctx: click.Context, call: Call, /, *, address: str | None, ca: Path | None) -> None:
    """List what was deployed, and where it runs."""
    if ctx.invoked_subcommand is not None:
        return
    from segue.cli.desk import open_counter
    from segue.cli.render_deployments import show_deployments

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    show_deployments(call, counter.desk.describe())


@deployments.command(
    "stop",
    cls=Command,
    examples=[("segue deployments stop 12", "nodes that run it keep it: segue rollback")],
)
@click.argument("generation", type=click.IntRange(min=1))
@hub_options
@common_options
def stop(call: Call, *, generation: int, address: str | None, ca: Path | None) -> None:
    """Let no further node have a deployment."""
    from segue.cli.desk import open_counter

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    stopped = counter.desk.stop(generation)
    if call.as_json:
        call.print_json(stopped)
        return
    from segue.cli.look import line, next_moves, say

    say(
        call.out,
        line(f"No further node gets {generation}."),
        next_moves(("segue rollback", "for those that run it: the one before, as a new number")),
    )


@deployments.command(
    "open",
    cls=Command,
    examples=[("segue deployments open 12", "wait for no canary any more")],
)
@click.argument("generation", type=click.IntRange(min=1))
@hub_options
@common_options
def open_(call: Call, *, generation: int, address: str | None, ca: Path | None) -> None:
    """Let all nodes that a deployment is for have it now.

    Nodes still judge it by themselves, and go back if it does not do well there; the hub stops
    it by itself no more.
    """
    from segue.cli.desk import open_counter

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    opened = counter.desk.open(generation)
    if call.as_json:
        call.print_json(opened)
        return
    from segue.cli.look import line, next_moves, say

    say(
        call.out,
        line(f"All nodes that {generation} is for may have it."),
        next_moves((f"segue deployments stop {generation}", "let no further node have it")),
    )


@click.command(
    "rollback",
    cls=Command,
    examples=[
        ("segue rollback", "the content before the newest, under a new number"),
        ("segue rollback 12", "the content of 12"),
    ],
)
@click.argument("generation", type=click.IntRange(min=1), required=False)
@click.option("--note", default="", help="For people who look later.")
@share_option
@key_option
@hub_options
@common_options
def rollback(
    call: Call,
    *,
    generation: int | None,
    note: str,
    share: Path | None,
    keys: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Deploy earlier content again, at once, as a new number.

    A node never goes to a lower number because it is told to: whoever has broken into a hub
    could bring old faults back that way. So the way back is signed like the way forward.
    """
    from segue.cli.desk import open_counter
    from segue.cli.render_deployments import show_deployed

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    known = counter.desk.refresh()
    earlier = find_earlier(known.deployments(), counter.desk.describe(), generation)
    again = replace(
        earlier,
        rollout=_at_once(earlier),
        created=datetime.now(UTC).replace(microsecond=0).isoformat(),
        again=earlier.again or earlier.generation,
        note=note,
    )
    signers = counter.choose_signers(known, keys)
    new = counter.desk.deploy(again, None, signers, known, share=share)
    if share:
        tell_shared(call, share, f"deployment {new.generation}")
    else:
        show_deployed(call, counter, new)


def _at_once(earlier: Deployment) -> dict[str, Any]:
    from segue.wire.deployment import Rollout

    rollout = Rollout(health=earlier.read_rollout().health)
    return {name: value for name, value in rollout.plain().items() if name != "wire"}


def find_earlier(
    live: Sequence[Deployment], told: Mapping[str, Any], generation: int | None
) -> Deployment:
    """Return the deployment to go back to.

    Args:
        live: All that is signed.
        told: What the hub tells of it.
        generation: Which one; None for the newest with other content than the newest of all
            that was not stopped.

    Raises:
        UnknownNameError: There is no such deployment any more.
        DeploymentError: There is nothing before.
    """
    numbers = ", ".join(str(each.generation) for each in live) or "none"
    if generation is not None:
        for each in live:
            if each.generation == generation:
                return each
        raise UnknownNameError(f"there is no deployment {generation}", hint=f"there are: {numbers}")
    stopped = {each["generation"] for each in told["deployments"] if each["stage"] == "stopped"}
    newest = live[-1] if live else None
    for each in reversed(live[:-1]):
        same = newest is not None and (each.fleet, each.selector) == (newest.fleet, newest.selector)
        other = newest is not None and each.target != newest.target
        if same and other and each.generation not in stopped:
            return each
    raise DeploymentError(
        "there is nothing to go back to", hint=f"name one: segue rollback N; there are: {numbers}"
    )
