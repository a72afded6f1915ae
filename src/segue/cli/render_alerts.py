"""Who was told of checks, and whom nobody could reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.cli.look import BAD, QUIET, line
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from segue.spec.alerts import Delivery


def render_alerts(deliveries: Sequence[Delivery]) -> Iterator[Text]:
    """Go through messages: what arrived where, and what did not and why."""
    for each in deliveries:
        title = printable(each.title)
        if each.arrived:
            yield line(("Alert: ", QUIET), f"told {each.channel}: {title}")
        else:
            name = f" by {each.channel}" if each.channel else ""
            told = f"{title}: {printable(each.problem)}" if each.checks else printable(each.problem)
            yield line(("Alert not sent", BAD), f"{name}: {told}")
