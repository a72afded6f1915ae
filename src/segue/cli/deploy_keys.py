"""``segue deploy keys``: keys of people who deploy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from segue.cli.call import Call, answer_options, common_options
from segue.cli.group import Command, CommandFamily
from segue.cli.nodes import hub_options


@click.group("keys", cls=CommandFamily)
def keys() -> None:
    """Make keys, and say whose count."""


@keys.command(
    "new",
    cls=Command,
    examples=[
        ("segue deploy keys new ann", "a private file for you, a public one for the others"),
        ("segue deploy keys new ann --passphrase", "the private one locked"),
    ],
)
@click.argument("name")
@click.option("--passphrase", is_flag=True, help="Lock it; you are asked for the words.")
@click.option(
    "--folder",
    "where",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it goes; ~/.config/segue/keys if not stated.",
)
@answer_options
def new_key(call: Call, *, name: str, passphrase: bool, where: Path | None) -> None:
    """Make a key of your own: an Ed25519 pair."""
    from segue.cli.desk import ask_new_passphrase
    from segue.deploy.keys import find_key_folder, make_key

    words = ask_new_passphrase() if passphrase else ""
    path, public = make_key(where or find_key_folder(), name, words)
    if call.as_json:
        written = {"private": str(path), "public": str(path.with_suffix(".pub"))}
        call.print_json({"name": name, "id": public.id, **written})
        return
    from segue.cli.look import line, next_moves, say

    say(
        call.out,
        line(f"{path} is yours alone; keep a copy where nobody else gets at it."),
        line(f"{path.with_suffix('.pub')} is for the others."),
        next_moves(
            ("segue deploy init", "say who may deploy a project"),
            (f"segue deploy keys add {path.with_suffix('.pub')}", "let it count for one that has"),
        ),
    )


@keys.command(
    "list",
    cls=Command,
    examples=[("segue deploy keys list", "your keys, and those that count for the project")],
)
@common_options
def list_keys(call: Call) -> None:
    """List your keys, and who may deploy the project."""
    from segue.cli.desk import find_trusted
    from segue.deploy.keys import find_key_folder
    from segue.deploy.keys import list_keys as list_own

    own = {key.id: key.name for key in list_own(find_key_folder())}
    trusted = find_trusted(call.start)
    names = {each.id: each.name for keys in trusted.values() for each in keys}
    rows = [
        {
            "name": names.get(keyid) or own.get(keyid, ""),
            "id": keyid,
            "roles": [role for role, keys in trusted.items() if keyid in {k.id for k in keys}],
            "yours": keyid in own,
        }
        for keyid in {**own, **names}
    ]
    if call.as_json:
        call.print_json(rows)
        return
    from segue.cli.look import cell, line, make_table, say

    if not rows:
        say(call.out, line("There are no keys yet: segue deploy keys new NAME"))
        return
    cells = [
        [
            cell(str(row["name"]), "bold"),
            cell(str(row["id"])[:16]),
            cell(", ".join(row["roles"]) if isinstance(row["roles"], list) else ""),
            cell("yes" if row["yours"] else ""),
        ]
        for row in rows
    ]
    say(call.out, make_table(["name", "id", "may sign", "yours"], cells))


def change_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command that changes who may deploy its options."""
    for option in (
        click.option(
            "--key", "signing", metavar="FILE", multiple=True,
            help="A key that may change who may.",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
        ),
        click.option(
            "--threshold", type=click.IntRange(min=1), help="How many must sign from now on."
        ),
        click.option(
            "--role", type=click.Choice(["deploy", "root"]), default="deploy", show_default=True
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@keys.command(
    "add",
    cls=Command,
    examples=[
        ("segue deploy keys add bo.pub", "bo may deploy from now on"),
        ("segue deploy keys add bo.pub --role root", "and may change who may"),
    ],
)
@click.argument("public", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@change_options
@hub_options
@common_options
def add_key(
    call: Call,
    *,
    public: Path,
    role: str,
    threshold: int | None,
    signing: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Let a key count from now on: the next trust root, signed by those who may change it."""
    from segue.cli.desk import change_trust, open_counter
    from segue.deploy.keys import read_public

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    key = read_public(public)
    version = change_trust(counter, signing, add=[(role, key)], threshold=(role, threshold))
    _tell(call, version, f"{key.name} may sign for {role} from now on.")


@keys.command(
    "remove",
    cls=Command,
    examples=[("segue deploy keys remove bo", "what bo signs counts no more")],
)
@click.argument("name")
@change_options
@hub_options
@common_options
def remove_key(
    call: Call,
    *,
    name: str,
    role: str,
    threshold: int | None,
    signing: Sequence[Path],
    address: str | None,
    ca: Path | None,
) -> None:
    """Let a key count no more; what is deployed is signed again by those that are left.

    NAME is the owner's, or the beginning of the key's id.
    """
    from segue.cli.desk import change_trust, find_trusted, open_counter
    from segue.deploy.desk import find_key

    with call.open_project() as project:
        counter = open_counter(project, "", address, ca)
    key = find_key(name, find_trusted(call.start)[role])
    version = change_trust(counter, signing, remove=[(role, key.id)], threshold=(role, threshold))
    _tell(call, version, f"{key.name or key.id} may not sign for {role} any more.")


def _tell(call: Call, version: int, told: str) -> None:
    if call.as_json:
        call.print_json({"root": version})
        return
    from segue.cli.look import line, say

    say(call.out, line(told), line(f"trust/{version}.root.json says so: commit it."))
