"""``segue deploy``: sign what nodes shall run, and bring it to the hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command, CommandFamily
from segue.cli.nodes import hub_options
from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.cli.desk import Counter
    from segue.deploy.assemble import Assembled
    from segue.project import Project
    from segue.wire.deployment import Deployment, Rollout


class DeployFamily(CommandFamily):
    """``segue deploy`` is a command, and a word before others."""

    examples = (
        ("segue deploy", "to all nodes of the project's fleet, at once"),
        ("segue deploy --to 'role=shop, country in (BE, NL)'", "to those with these labels"),
        ("segue deploy --dry-run", "which nodes, and what would change there"),
        (
            "segue deploy --canary 5% --health 'errors < 1%' --after 10m",
            "to some first; to the others if these stay well",
        ),
        ("segue deploy --rolling 10", "ten at a time"),
        ("segue deploy init", "once for each project: say who may deploy"),
    )


def key_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--key``."""
    return click.option(
        "--key",
        "keys",
        metavar="FILE",
        multiple=True,
        envvar="SEGUE_DEPLOY_KEY",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Your private key; repeatable. One of yours that may deploy, if not stated.",
    )(function)


def share_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--share``."""
    return click.option(
        "--share",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write it into a file for the others who must sign, in place of the hub.",
    )(function)


@click.group("deploy", cls=DeployFamily, invoke_without_command=True)
@click.option(
    "--to", "selector", metavar="SELECTOR", help="Which nodes, by label; all if not stated."
)
@click.option("--fleet", metavar="NAME", help="Which fleet, if the project has several.")
@click.option("--canary", metavar="N|N%", help="So many nodes first, the others after them.")
@click.option("--rolling", metavar="N|N%", help="So many nodes at a time.")
@click.option("--health", metavar="BOUNDS", help="What must stay true, as 'errors < 1%'.")
@click.option("--after", metavar="TIME", help="How long canaries must stay well; 10m.")
@click.option(
    "--patience", metavar="TIME", help="How long a canary may be away before another goes; 30m."
)
@click.option("--probation", metavar="TIME", help="How long a node must stay well to keep it; 3m.")
@click.option("--dry-run", is_flag=True, help="Only say which nodes, and what would change.")
@click.option(
    "--wheels",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Wheels of packages that nodes may lack.",
)
@click.option(
    "--lock",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Lock file of what nodes need; what the steps import, as the project locks it.",
)
@click.option("--note", default="", help="For people who look later.")
@click.option(
    "--valid", metavar="TIME", default="90d", show_default=True, help="How long it counts."
)
@share_option
@key_option
@hub_options
@common_options
@click.pass_context
def deploy(
    ctx: click.Context, call: Call, /, *, address: str | None, ca: Path | None, **options: Any
) -> None:
    """Sign what nodes shall run, and bring it to the hub.

    The bundle holds the steps that are placed on the fleet, what they need, and nothing else.
    It is signed with your key; the hub only passes it on. Nodes go back by themselves if it
    does not do well there.
    """
    if ctx.invoked_subcommand is not None:
        return
    with call.open_project() as project:
        from segue.cli.desk import open_counter

        counter = open_counter(project, options["fleet"] or "", address, ca)
        _deploy(call, project, counter, options)


def _deploy(call: Call, project: Project, counter: Counter, options: dict[str, Any]) -> None:
    from segue.deploy.assemble import assemble
    from segue.wire.selector import parse_selector

    selector = parse_selector(options["selector"] or "*")
    rollout = _read_rollout(options)
    with tempfile.TemporaryDirectory(prefix="segue-deploy-") as name:
        made = assemble(
            project, counter.fleet, Path(name), wheels=options["wheels"], lock=options["lock"]
        )
        deployment = _describe(made, counter.fleet, str(selector), rollout, options["note"])
        if options["dry_run"]:
            from segue.cli.render_deployments import show_dry_run

            show_dry_run(call, counter, deployment, made.part)
            return
        known = counter.desk.refresh()
        signers = counter.choose_signers(known, options["keys"])
        valid = timedelta(seconds=_seconds(options["valid"]))
        share = options["share"]
        new = counter.desk.deploy(deployment, made.path, signers, known, valid, share)
    if share:
        tell_shared(call, share, f"deployment {new.generation}")
        return
    from segue.cli.render_deployments import show_deployed

    show_deployed(call, counter, new)


def tell_shared(call: Call, share: Path, what: str) -> None:
    """Say that something waits in a file for other signatures."""
    if call.as_json:
        call.print_json({"shared": str(share)})
        return
    from segue.cli.look import line, next_moves, say

    say(
        call.out,
        line(f"{share} holds {what} with your signature; nothing is deployed yet."),
        next_moves((f"segue deploy sign {share}", "what the next one types, in the project")),
    )


def _describe(
    made: Assembled, fleet: str, selector: str, rollout: Rollout, note: str
) -> Deployment:
    from segue.wire.deployment import Deployment

    return Deployment(
        generation=0,
        project=made.part.project,
        fleet=fleet,
        selector=selector,
        target=made.path.name,
        rollout=_drop_wire(rollout.plain()),
        created=datetime.now(UTC).replace(microsecond=0).isoformat(),
        lock=made.lock,
        needs=list(made.needs),
        note=note,
    )


def _drop_wire(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if name != "wire"}


def _read_rollout(options: dict[str, Any]) -> Rollout:
    """Return how a deployment spreads, as options say.

    Raises:
        UsageError: They do not go together.
        SelectionError: A number or a bound can't be read.
    """
    from segue.wire.deployment import Rollout, RolloutKind, read_amount
    from segue.wire.health import DEFAULT_HEALTH, parse_health

    canary, rolling, after = options["canary"], options["rolling"], options["after"]
    if canary and rolling:
        raise UsageError("--canary and --rolling exclude each other")
    if after and not canary:
        raise UsageError("--after says how long canaries must stay well", hint="add --canary 5%")
    if options["patience"] and not canary:
        raise UsageError("--patience says how long canaries may be away", hint="add --canary 5%")
    if part := canary or rolling:
        read_amount(part)
    kind = RolloutKind.CANARY if canary else RolloutKind.ROLLING if rolling else None
    plain = Rollout()
    waits = _seconds(after) if after else plain.after
    probation = options["probation"]
    # Canaries that have not proven themselves by then would hold the others up.
    trial = min(plain.probation, waits) if canary else plain.probation
    return Rollout(
        kind=(kind or RolloutKind.IMMEDIATE).value,
        part=part or "",
        health=str(parse_health(options["health"] or DEFAULT_HEALTH)),
        after=waits,
        probation=_seconds(probation) if probation else trial,
        patience=_seconds(options["patience"]) if options["patience"] else plain.patience,
    )


def _seconds(text: str) -> int:
    """Return whole seconds: signed JSON has no fractions."""
    from segue.settings import parse_duration

    try:
        return max(0, round(parse_duration(text)))
    except ValueError as error:
        raise UsageError(str(error)) from None


@deploy.command(
    "init",
    cls=Command,
    examples=[
        ("segue deploy init", "you may deploy; makes you a key if you have none"),
        (
            "segue deploy init --allow ann.pub --allow bo.pub --root ann.pub --threshold 2",
            "ann and bo may, both must sign, and ann may change who may",
        ),
    ],
)
@click.option(
    "--allow",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public key of somebody who may deploy; repeatable. Yours if not stated.",
)
@click.option(
    "--root",
    "roots",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public key of somebody who may change that; those of --allow if not stated.",
)
@click.option(
    "--threshold", type=click.IntRange(min=1), default=1, help="How many must sign a deployment."
)
@click.option(
    "--root-threshold", type=click.IntRange(min=1), default=1, help="How many must sign a change."
)
@key_option
@hub_options
@common_options
def init(
    call: Call,
    *,
    allow: Sequence[Path],
    roots: Sequence[Path],
    threshold: int,
    root_threshold: int,
    keys: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Say who may deploy this project: its trust root, in the folder `trust`.

    Nodes that are enrolled from then on pin it: a hub can pass deployments on, and hold them
    back, but never make one.
    """
    from segue.cli.desk import begin_trust, open_counter

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca, hub_needed=False)
    public = begin_trust(counter, allow, roots, (threshold, root_threshold), keys)
    sent = bool(os.environ.get("SEGUE_HUB_TOKEN"))
    if sent:
        counter.desk.upload({}, {})
    if call.as_json:
        call.print_json({"root": str(counter.desk.folder / "1.root.json"), "hub": sent, **public})
        return
    from segue.cli.look import line, next_moves, say

    told = "The hub has it." if sent else "The first `segue deploy` brings it to the hub."
    deployers, changers = (", ".join(public[role]) for role in ("deploy", "root"))
    say(
        call.out,
        line(f"{deployers} may deploy; {changers} may change that."),
        line(f"{counter.desk.folder / '1.root.json'} says so: commit it. {told}"),
        next_moves(("segue hub token --node NAME", "let a node in, which pins it")),
    )


@deploy.command(
    "renew",
    cls=Command,
    examples=[("segue deploy renew", "sign what is deployed again, before it expires")],
)
@click.option(
    "--valid", metavar="TIME", default="90d", show_default=True, help="How long it counts."
)
@share_option
@key_option
@hub_options
@common_options
def renew(
    call: Call,
    *,
    valid: str,
    share: Path | None,
    keys: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Sign what is deployed again, so that nodes that come later still take it."""
    from segue.cli.desk import open_counter

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    known = counter.desk.refresh()
    counter.desk.renew(
        counter.choose_signers(known, keys), known, timedelta(seconds=_seconds(valid)), share
    )
    if share:
        tell_shared(call, share, "what is deployed")
        return
    live = [each.generation for each in known.deployments()]
    if call.as_json:
        call.print_json({"renewed": live})
        return
    from segue.cli.look import line, say

    say(call.out, line(f"Signed again: {', '.join(map(str, live)) or 'nothing is deployed'}."))


def _add_others() -> None:
    from segue.cli.deploy_keys import keys
    from segue.cli.deploy_sign import sign

    deploy.add_command(keys)
    deploy.add_command(sign)


_add_others()
