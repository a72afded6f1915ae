"""``[alerts]``: who is told when checks fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.problems import check_name
from segue.registry import nearest
from segue.spec.alerts import AlertSpec, Channel
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.declare.problems import Problems
    from segue.declare.toml import Config
    from segue.settings import ChannelSettings
    from segue.spec.contract import Contract

_WILD = frozenset("*?[")


def read_alerts(config: Config, contracts: Mapping[str, Contract], problems: Problems) -> AlertSpec:
    """Return the channels of ``segue.toml``.

    A table or an owner that no contract names is a problem: nobody would ever be told.

    Args:
        config: What the file says.
        contracts: Contracts by table.
        problems: Takes what is wrong.
    """
    tables = list(contracts)
    owners = sorted({contract.owner for contract in contracts.values() if contract.owner})
    settings = config.settings.alerts
    channels = []
    for name, channel in settings.channels.items():
        path = ("alerts", "channels", name)
        check_name(name, "channel", config.locate(*path), problems)
        if "://" not in channel.url:
            message = f"the url of channel {name!r} is no address"
            hint = "write it as Apprise does: mailtos://user:password@host, slack://..., json://..."
            problems.add("bad-value", message, config.locate(*path, "url"), hint)
        for key, known in (("tables", tables), ("owners", owners)):
            _check_patterns(config, (*path, key), getattr(channel, key), known, problems)
        channels.append(_make_channel(name, channel, config))
    return AlertSpec(tuple(channels), settings.timeout)


def _check_patterns(
    config: Config,
    path: tuple[str, ...],
    patterns: Collection[str],
    known: Collection[str],
    problems: Problems,
) -> None:
    names = {name.casefold() for name in known}
    for pattern in patterns:
        if not _WILD & set(pattern) and pattern.casefold() not in names:
            noun = path[-1].removesuffix("s")
            message = f"no contract names the {noun} {pattern!r}"
            hint = nearest(pattern, list(known), noun=noun)
            problems.add("unknown-name", message, config.locate(*path), hint)


def _make_channel(name: str, channel: ChannelSettings, config: Config) -> Channel:
    return Channel(
        name=name,
        location=config.locate("alerts", "channels", name),
        url=channel.url,
        owners=channel.owners,
        tables=channel.tables,
        verdicts=tuple(map(Verdict, channel.verdicts)),
        fallback=channel.fallback,
    )
