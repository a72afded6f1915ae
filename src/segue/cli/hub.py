"""``segue hub``: run a project's hub, and let nodes and operators in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command, CommandFamily
from segue.errors import UsageError

if TYPE_CHECKING:
    from segue.hub.opening import HubPlace
    from segue.hub.tokens import Issuer

_RUN = [
    ("segue hub", "on this machine only: http://127.0.0.1:8443"),
    ("segue hub --host 0.0.0.0 --name hub.example.com", "for others; makes its own authority"),
    ("segue hub --host :: --cert cert.pem --key key.pem", "with certificates of your own"),
]

_NO_ROOT = (
    "Nobody may deploy this project yet, so the token names no trust root: the node will believe"
    " the first one that the hub shows. Better: segue deploy init, then another token."
)


class _HubFamily(CommandFamily):
    """Commands below ``hub``, which does something by itself, too."""

    @property
    def examples(self) -> tuple[tuple[str, str], ...]:
        """What to type, and what it is for."""
        return (*_RUN, *super().examples)


@click.group("hub", cls=_HubFamily, invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8443, show_default=True, help="0: a free one."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Name or address under which nodes reach the hub; the first stands in tokens. Repeatable.",
)
@click.option("--cert", metavar="FILE", type=click.Path(path_type=Path), help="Its certificate.")
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="Key of --cert.")
@click.option(
    "--ca",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Root of --cert, which nodes pin; the last certificate in --cert if not stated.",
)
@click.option("--tls/--no-tls", default=None, help="TLS on loopback, too; elsewhere it always is.")
@common_options
@click.pass_context
def hub(  # noqa: PLR0913  # options of a command
    context: click.Context,
    call: Call,
    *,
    host: str,
    port: int,
    names: tuple[str, ...],
    cert: Path | None,
    key: Path | None,
    ca: Path | None,
    tls: bool | None,
) -> None:
    """Run a project's hub, and let nodes and operators in.

    Nodes send their rows to it, and ask it what they should run. It listens on this machine only
    unless --host is stated; everything else is served with TLS.
    """
    if context.invoked_subcommand is not None:
        return
    from segue.hub.opening import find_place
    from segue.hub.serving import Listen, serve

    place = find_place(call.start)

    def tell(url: str) -> None:
        if call.as_json:
            click.echo(json.dumps({"hub": url, "project": place.project}))
        else:
            click.echo(f"The hub of {place.project} listens at {url}")
            click.echo(
                f"  tables that nodes may send: {', '.join(sorted(place.streams)) or 'none yet'}"
            )
            click.echo("  let a node in: segue hub token --node NAME")

    serve(place, Listen(host, port, names, cert, key, ca, tls), tell)


@hub.command(
    "token",
    cls=Command,
    examples=[
        ("segue hub token --node till-7", "for one node; works once, for 15 minutes"),
        ("segue hub token --node till-7 --label country=BE", "with a label for deployments"),
    ],
)
@click.option("--node", "name", required=True, metavar="NAME", help="Name of the node.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A label; repeatable.")
@click.option("--url", metavar="URL", help="Where the node reaches the hub, if it is elsewhere.")
@common_options
def make_token(call: Call, *, name: str, labels: tuple[str, ...], url: str | None) -> None:
    """Make a token with which one machine becomes a node.

    Run it on the hub's machine, in the project's folder.
    """
    from segue.cli.agent import read_labels
    from segue.hub.opening import find_place, open_store
    from segue.hub.tokens import make_token as make

    place = find_place(call.start)
    issuer = _find_issuer(place, url)
    store = open_store(place)
    try:
        token = make(store, issuer, name, read_labels(labels), time.time(), "this machine").write()
    finally:
        store.close()
    if call.as_json:
        told = {"token": token, "node": name, "project": place.project, "hub": issuer.url}
        call.print_json(told)
        return
    from segue.cli.look import ODD, line, next_moves, say

    click.echo(token)
    say(
        call.err,
        line(f"It makes one machine the node {name} of {place.project}, once, for 15 minutes."),
        *([] if issuer.trust else [line((_NO_ROOT, ODD))]),
        next_moves(("segue agent enrol -", "on that machine; paste the token, end with Ctrl-D")),
    )


def _find_issuer(place: HubPlace, url: str | None) -> Issuer:
    from segue.hub.opening import find_trust
    from segue.hub.serving import ADDRESS
    from segue.hub.tokens import Issuer
    from segue.wire.transport import Address

    try:
        facts = json.loads((place.home / ADDRESS).read_text())
    except (FileNotFoundError, ValueError):
        raise UsageError(
            f"the hub of {place.project} has never run here, so that tokens can't say where it is",
            hint="run segue hub first",
        ) from None
    address = str(Address.parse(url)) if url else facts["url"]
    return Issuer(place.project, address, facts["ca"], find_trust(place))


@hub.command(
    "operator",
    cls=Command,
    examples=[("segue hub operator ann", "prints what ann puts into SEGUE_HUB_TOKEN")],
)
@click.argument("name")
@common_options
def add_operator(call: Call, *, name: str) -> None:
    """Let an operator in, or give one a new token; it is printed once.

    Run it on the hub's machine, in the project's folder.
    """
    from segue.hub.opening import find_place, open_store
    from segue.hub.tokens import make_operator

    place = find_place(call.start)
    store = open_store(place)
    try:
        token = make_operator(store, name, time.time())
    finally:
        store.close()
    if call.as_json:
        call.print_json({"operator": name, "token": token})
        return
    from segue.cli.look import line, say

    click.echo(token)
    say(call.err, line(f"{name} sets SEGUE_HUB to the hub's address and SEGUE_HUB_TOKEN to this."))
