"""``segue agent spool``: look into a node's spool, check it, take records out, give them up."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, answer_options
from segue.cli.group import Command, CommandFamily
from segue.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segue.agent.spool import Spool, Standing

SPOOL = "spool.db"
FORMATS = (".parquet", ".arrow", ".jsonl")
MOST = 32 * 2**20
"""Bytes of records that are read at once."""


@click.group("spool", cls=CommandFamily)
def spool() -> None:
    """Look into the spool of this node, whether its agent runs or not."""


def home_option(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command of a node its ``--home``; it gets the folder as `home`."""
    return click.option(
        "--home",
        metavar="DIR",
        envvar="SEGUE_AGENT_HOME",
        type=click.Path(path_type=Path),
        help="The node's home folder; /var/lib/segue for root, ~/.local/state/segue-agent else.",
    )(function)


def find_home(home: Path | None) -> Path:
    """Return the node's home folder, as an absolute path."""
    from segue.agent.identity import default_home

    # resolved, for unit files and messages outlast the folder that it was typed in
    return (home or default_home()).expanduser().resolve()


@spool.command(
    "ls",
    cls=Command,
    examples=[
        ("segue agent spool ls", "what was made here and is not yet everywhere it belongs"),
        ("segue agent spool ls --json", "the same, for programs"),
    ],
)
@home_option
@answer_options
def list_streams(call: Call, *, home: Path | None) -> None:
    """List streams, and how far each reader of them is."""
    with open_spool(home) as opened:
        usage, readers = opened.usage(), opened.readers()
        standings = {reader: opened.streams(reader) for reader in readers}
    if call.as_json:
        streams = [
            {"reader": reader, **asdict(each)} for reader in readers for each in standings[reader]
        ]
        call.print_json({"usage": asdict(usage), "streams": streams})
        return
    from segue.cli.look import say
    from segue.cli.render_spool import render_spool

    say(call.out, *render_spool(usage, standings))


@spool.command(
    "fsck",
    cls=Command,
    examples=[("segue agent spool fsck", "read all of it, and say what would be lost")],
)
@home_option
@answer_options
def check_file(call: Call, *, home: Path | None) -> None:
    """Read the whole spool, and say what is damaged and what would be salvaged.

    It changes nothing: the agent sets damage aside by itself, as soon as it meets it. An agent
    that runs waits meanwhile. The exit code is 1 if something is damaged.
    """
    from segue.agent.spool.check import check_spool

    report = check_spool(find_file(home))
    if call.as_json:
        call.print_json({"sound": report.sound, **asdict(report)})
    else:
        from segue.cli.look import say
        from segue.cli.render_spool import render_report

        say(call.out, *render_report(report))
    if not report.sound:
        raise click.exceptions.Exit(1)


@spool.command(
    "export",
    cls=Command,
    examples=[
        ("segue agent spool export readings unsent.parquet", "the rows that were not sent yet"),
        ("segue agent spool export readings unsent.jsonl", "the same, a JSON object a line"),
    ],
)
@click.argument("stream")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reader", default="lake", help="Whose unsent rows; the lake's if not stated.")
@home_option
@answer_options
def export_rows(call: Call, *, stream: str, output: Path, reader: str, home: Path | None) -> None:
    """Write the rows of a stream that were not sent yet into a new file.

    OUTPUT ends with .parquet, .arrow or .jsonl. The rows stay in the spool as well.
    """
    if output.suffix not in FORMATS:
        hint = f"end its name with {', '.join(FORMATS)}"
        raise UsageError(f"{output}: this kind of file can't be written", hint=hint)
    if output.exists():
        raise UsageError(f"{output} exists", hint="name a new file")
    from segue.cli.write_spool import write_rows

    with open_spool(home) as opened:
        standings = find_stream(opened, stream, reader)
        rows, gaps = write_rows(opened, standings, reader, output, MOST)
    if call.as_json:
        call.print_json({"file": str(output), "rows": rows, "gaps": gaps})
        return
    from segue.cli.look import line, say
    from segue.cli.wording import count

    told = f"{count(rows, 'row')} of {stream} in {output}"
    say(call.out, line(told + (f"; {count(gaps, 'gap')} left out" if gaps else "")))


@spool.command(
    "skip",
    cls=Command,
    examples=[
        ("segue agent spool skip readings --all", "give up what was not sent, after a question"),
        ("segue agent spool skip readings --to 120 --yes", "up to sequence 120, without one"),
    ],
)
@click.argument("stream")
@click.option("--to", "last", type=click.IntRange(min=1), help="Last sequence that is given up.")
@click.option("--all", "everything", is_flag=True, help="Give up all that was not sent.")
@click.option("--epoch", default="", help="Epoch of the sequences, where there are several.")
@click.option("--reason", default="skipped by an operator", help="What the gap says.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@answer_options
def skip_rows(
    call: Call,
    *,
    stream: str,
    last: int | None,
    everything: bool,
    epoch: str,
    reason: str,
    yes: bool,
    home: Path | None,
) -> None:
    """Declare records lost that were not sent, such as ones that the hub refuses.

    The loss becomes a row of <table>__gaps in the lake. The rows can't be brought back:
    `segue agent spool export` writes them into a file before.
    """
    if (last is None) != everything:
        hint = "say --to SEQUENCE or --all"
        raise UsageError("it is not clear how much is to be given up", hint=hint)
    with open_spool(home) as opened:
        standings = [each for each in find_stream(opened, stream, "") if each.rows]
        standings = [each for each in standings if epoch in ("", each.epoch)]
        if last is not None and len(standings) > 1:
            hint = f"say --epoch: {', '.join(each.epoch for each in standings)}"
            raise UsageError(f"{stream} has unsent records in several epochs", hint=hint)
        if not yes:
            _ask(stream, standings, last)
        given_up = [
            opened.skip(stream, each.epoch, each.last if last is None else last, reason)
            for each in standings
        ]
    records = sum(each[0] for each in given_up)
    rows = sum(each[1] for each in given_up)
    if call.as_json:
        call.print_json({"stream": stream, "records": records, "rows": rows, "reason": reason})
        return
    from segue.cli.look import line, say
    from segue.cli.wording import count

    say(call.out, line(f"{count(rows, 'row')} of {stream} in {count(records, 'record')} given up"))


def _ask(stream: str, standings: list[Standing], last: int | None) -> None:
    from segue.cli.wording import count

    rows = count(sum(each.rows for each in standings), "unsent row")
    part = f"all {rows}" if last is None else f"those of {rows} up to sequence {last}"
    click.confirm(f"Give up {part} of {stream}? They can't be brought back.", abort=True, err=True)


def find_file(home: Path | None) -> Path:
    """Return the file of a node's spool.

    Raises:
        UsageError: There is none.
    """
    path = find_home(home) / SPOOL
    if not path.exists():
        hint = "name the node's home folder with --home; an agent makes its spool when it runs"
        raise UsageError(f"there is no spool at {path}", hint=hint)
    return path


@contextmanager
def open_spool(home: Path | None) -> Iterator[Spool]:
    """Open the spool of a node with its own limits, for a ``with`` block."""
    from segue.agent.spool import Spool
    from segue.agent.spool.settings import read_settings

    path = find_file(home)
    with Spool(path, read_settings(path)) as opened:
        yield opened


def find_stream(opened: Spool, stream: str, reader: str) -> list[Standing]:
    """Return where a reader stands in the epochs of a stream; the furthest behind for none.

    Raises:
        UnknownNameError: There is no such stream or reader.
    """
    from segue.registry import nearest

    readers: list[Any] = opened.readers()
    if reader and reader not in readers:
        hint = nearest(reader, readers, noun="reader")
        raise UnknownNameError(f"nobody called {reader!r} reads this spool", hint=hint)
    found = {each: opened.streams(each) for each in ([reader] if reader else readers)}
    names = sorted({each.stream for standings in found.values() for each in standings})
    if stream not in names:
        hint = nearest(stream, names, noun="stream")
        raise UnknownNameError(f"the spool has no stream {stream!r}", hint=hint)
    worst: dict[str, Standing] = {}
    for standings in found.values():
        for each in standings:
            if each.stream == stream and each.rows >= worst.get(each.epoch, each).rows:
                worst[each.epoch] = each
    return list(worst.values())
