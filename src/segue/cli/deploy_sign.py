"""``segue deploy sign``: the next signature of a deployment that several people have to sign."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.deploy import key_option
from segue.cli.group import Command
from segue.cli.nodes import hub_options
from segue.errors import SegueError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from segue.cli.desk import Counter
    from segue.deploy.joint import Joint
    from segue.deploy.repository import Known
    from segue.project import Project
    from segue.wire.deployment import Deployment


@click.command(
    "sign",
    cls=Command,
    examples=[
        ("segue deploy sign next.zip", "shows what it is, asks, signs; the last one deploys")
    ],
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Sign it without a question.")
@key_option
@hub_options
@common_options
def sign(
    call: Call,
    *,
    file: Path,
    yes: bool,
    keys: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Sign what somebody else wants to deploy, where one signature is not enough.

    FILE is what `segue deploy --share FILE` wrote. With the last signature it goes to the hub.
    """
    from segue.cli.desk import open_counter
    from segue.deploy.joint import add_signatures, read_joint, write_joint

    if call.as_json and not yes:
        raise UsageError("--json asks nothing", hint="add --yes")
    with call.open_project() as project, tempfile.TemporaryDirectory(prefix="segue-sign-") as name:
        counter = open_counter(project, "", address, ca)
        known = counter.desk.refresh()
        joint = read_joint(file, known, Path(name))
        if not yes:
            from segue.cli.look import line, say

            say(call.out, *_describe(project, counter, known, joint))
            if not click.confirm("Sign it?"):
                say(call.out, line("Not signed: nothing has changed."))
                return
        signed = add_signatures(joint, known, counter.choose_signers(known, keys))
        if signed.missing:
            write_joint(file, signed.files(), signed.bundles)
        else:
            counter.desk.upload(signed.files(), dict(signed.bundles))
    _tell(call, signed)


def _describe(project: Project, counter: Counter, known: Known, joint: Joint) -> Iterator[Text]:
    """Say what would be signed, and how it stands to this project."""
    from segue.cli.look import line
    from segue.cli.render_deployments import describe_rollout

    if not joint.new:
        yield line("What is deployed would be signed again, and nothing else.")
    for each in joint.new:
        yield line(
            (f"Deployment {each.generation}", "bold"),
            f" of {each.fleet} to {each.selector}: {describe_rollout(each)}.",
        )
        if each.note:
            yield line(f"  note: {each.note}")
        yield from _compare(project, counter, known, joint, each)
    expires = next(iter(joint.roles.values())).signed.expires
    yield line(f"Signed by {', '.join(joint.signed)}; it counts until {expires:%Y-%m-%d}.")


def _compare(
    project: Project, counter: Counter, known: Known, joint: Joint, new: Deployment
) -> Iterator[Text]:
    """Say what would change at nodes, and whether this project makes the same."""
    from segue.cli.look import ODD, line
    from segue.deploy.assemble import assemble
    from segue.deploy.difference import compare_parts
    from segue.spec.edge_codec import read_edge
    from segue.wire.bundle import EDGE, read_file

    if new.target not in joint.bundles:
        yield line(f"  the content of {new.again} again")
        return
    part = read_edge(read_file(joint.bundles[new.target], EDGE))
    live = [
        each
        for each in known.deployments()
        if (each.fleet, each.selector) == (new.fleet, new.selector)
    ]
    with tempfile.TemporaryDirectory(prefix="segue-sign-") as name:
        if live:
            path = Path(name) / "live.zip"
            counter.desk.fetch_bundle(live[-1].target, path)
            changes = compare_parts(read_edge(read_file(path, EDGE)), part)
            yield line(f"  against {live[-1].generation}, which is live:")
        else:
            changes = compare_parts(None, part)
        yield from (line(f"  {each}") for each in [*map(str, changes)] or ["nothing changes"])
        try:
            own = assemble(project, new.fleet, Path(name))
        except SegueError as error:
            yield line((f"  It can't be held against this project: {error.message}", ODD))
            return
    if own.path.name == new.target:
        yield line("  This project makes the same bundle, to the byte.")
        return
    yield line(("  This project makes another bundle. Against it, this one has:", ODD))
    other = [*map(str, compare_parts(own.part, part))] or ["other files: modules, wheels, locks"]
    yield from (line(f"  {each}") for each in other)


def _tell(call: Call, signed: Joint) -> None:
    numbers = [each.generation for each in signed.new]
    if call.as_json:
        call.print_json(
            {"generations": numbers, "signed": list(signed.signed), "missing": signed.missing}
        )
        return
    from segue.cli.look import line, next_moves, say

    if signed.missing:
        more = "signature is" if signed.missing == 1 else "signatures are"
        say(
            call.out,
            line(f"Signed by {', '.join(signed.signed)}; {signed.missing} more {more} needed."),
            next_moves((f"segue deploy sign {signed.path}", "what the next one types")),
        )
        return
    what = f"Deployed {', '.join(map(str, numbers))}" if numbers else "Signed again"
    say(
        call.out,
        line(f"{what}, signed by {', '.join(signed.signed)}."),
        next_moves(("segue deployments", "how far it has come")),
    )
