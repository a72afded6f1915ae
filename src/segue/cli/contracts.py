"""``segue contracts``: contracts from other tools, and for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command, CommandFamily
from segue.declare.exchange.read import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.declare.exchange.draft import Unsaid


@click.group("contracts", cls=CommandFamily)
def contracts() -> None:
    """Take contracts over from other tools, or write them for others."""


@contracts.command(
    "import",
    cls=Command,
    examples=[
        ("segue contracts import suite.json --table orders > contracts.yml", "a suite of GX"),
        ("segue contracts import models/schema.yml --output contracts.yml", "the tests of dbt"),
        ("segue contracts import models.py:Orders", "a model of pandera or pydantic"),
        ("segue contracts import orders.odcs.yaml --partial", "as far as it can be said"),
    ],
)
@click.argument("source", metavar="FILE")
@click.option("--from", "kind", type=click.Choice(KINDS), help="What wrote it, if that is unclear.")
@click.option("--table", default="", help="Name of the table, where the file does not tell it.")
@click.option("--partial", is_flag=True, help="Leave out what contracts can't say, and list it.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write a new file.")
@common_options
def import_contracts(
    call: Call, *, source: str, kind: str | None, table: str, partial: bool, output: Path | None
) -> None:
    """Write what another tool checks as contracts.

    FILE is a data contract (Open Data Contract Standard 3), a suite of Great Expectations, dbt's
    schema.yml, Soda's checks, or file.py:Model for pandera and pydantic. What contracts can't
    say is an error, unless --partial lists it above the result.
    """
    from segue.declare.exchange.prove import prove_contracts
    from segue.declare.exchange.read import read_contracts
    from segue.declare.exchange.write import write_yaml

    draft = read_contracts(source, kind or "", table)
    text = write_yaml(draft.plain(), draft.unsaid)
    _refuse_unsaid(source, draft.unsaid, partial=partial)
    prove_contracts(text, source, draft)
    _write(call, text, draft.plain(), draft.unsaid, output)


@contracts.command(
    "export",
    cls=Command,
    examples=[
        ("segue contracts export > shop.odcs.yaml", "every contract of the project"),
        ("segue contracts export orders --partial", "one, as far as the standard can say it"),
    ],
)
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--partial", is_flag=True, help="Leave out what the standard can't say; list it.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write a new file.")
@common_options
def export_contracts(
    call: Call, *, tables: tuple[str, ...], partial: bool, output: Path | None
) -> None:
    """Write a project's contracts as a data contract (Open Data Contract Standard 3.1)."""
    from segue.declare.exchange.odcs_write import write_contract
    from segue.declare.exchange.write import write_yaml
    from segue.errors import UsageError
    from segue.registry import nearest

    with call.open_project() as project:
        known = project.spec.contracts
        for name in tables:
            if name not in known:
                hint = nearest(name, list(known), noun="contract")
                raise UsageError(f"there is no contract of {name!r}", hint=hint)
        chosen = [known[name] for name in tables or known]
        if not chosen:
            raise UsageError("the project has no contracts", hint="write contracts.yml")
        document, unsaid = write_contract(chosen, project.spec.name)
        _refuse_unsaid("the standard", unsaid, partial=partial)
        _write(call, write_yaml(document, unsaid), document, unsaid, output)


def _refuse_unsaid(what: str, unsaid: Sequence[Unsaid], *, partial: bool) -> None:
    """Raise if something was not carried over and nobody said that this is fine."""
    from segue.errors import UsageError

    if unsaid and not partial:
        lines = "".join(f"\n  {each.where}: {each.what}" for each in unsaid)
        raise UsageError(
            f"{what}: {len(unsaid)} of its statements can't be carried over:{lines}",
            hint="--partial writes the others, with these in comments",
        )


def _write(
    call: Call, text: str, document: object, unsaid: Sequence[Unsaid], output: Path | None
) -> None:
    from segue.cli.look import line, say
    from segue.errors import UsageError

    if output is not None:
        try:
            with output.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            hint = "give another name, or remove it"
            raise UsageError(f"{output} is there already", hint=hint) from None
        except OSError as error:
            raise UsageError(f"{output} can't be written: {error}") from error
    if call.as_json:
        told = [{"where": each.where, "what": each.what} for each in unsaid]
        call.print_json({"document": document, "unsaid": told})
    elif output is not None:
        say(call.out, line(f"wrote {output}"))
    else:
        click.echo(text, nl=False)
