"""Where stream alerts go: a small file for each kind of channel, Apprise for all others."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from segue.errors import ChannelError
from segue.spec.secrets import fill_secrets, hide_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
"""Seconds that a channel may take for a letter."""

_NAMED = re.compile(r"\$\{(\w+)\}")
_SHORTEST_SECRET = 4
"""Letters that a text must have to be hidden wherever it stands: fewer hide nothing."""

_KINDS = {
    "http": "webhook",
    "https": "webhook",
    "pagerduty": "pagerduty",
    "sqs": "sqs",
    "mqtt": "mqtt",
    "mqtts": "mqtt",
}


class Letter(Protocol):
    """What a channel is given; see `segue.agent.work.watch.Letter`."""

    @property
    def key(self) -> str:
        """Name of the letter: who gets it twice can tell."""
        ...

    @property
    def alert(self) -> str:
        """Name of the alert."""
        ...

    @property
    def channel(self) -> str:
        """URL of the channel; secrets stand in it as ``${NAME}``."""
        ...

    @property
    def title(self) -> str:
        """Its title."""
        ...

    @property
    def body(self) -> str:
        """Its text."""
        ...


def send_letter(letter: Letter, environ: Mapping[str, str]) -> None:
    """Take a letter to its channel.

    Args:
        letter: The letter.
        environ: Where the secrets of the channel's URL are.

    Raises:
        ChannelError: It did not arrive.
    """
    name = name_channel(letter.channel)
    try:
        url = fill_secrets(letter.channel, environ)
    except KeyError as error:
        told = f"{name}: the environment variable {error.args[0]} is not set"
        raise ChannelError(told) from None
    try:
        kind = _KINDS.get(urlsplit(url).scheme.lower(), "others")
        module = import_module(f"segue.agent.channels.{kind}")
        module.send(url, letter)
    except ChannelError as error:
        told = _hide(error.message, letter.channel, environ)
        raise ChannelError(f"{name}: {told}", hint=error.hint) from error
    except Exception as error:  # noqa: BLE001  # a hundred libraries; what they tell holds URLs
        told = _hide(f"{type(error).__name__}: {error}", letter.channel, environ)
        raise ChannelError(f"{name}: {told}") from None


def name_channel(channel: str) -> str:
    """Return what people know a channel by; a path or a key can be a secret, and is left out.

    Args:
        channel: URL of the channel; secrets stand in it as ``${NAME}``.

    Example:
        >>> name_channel("https://hooks.example.com/services/T0/B1")
        'https://hooks.example.com'
        >>> name_channel("slack://${SLACK_TOKEN}/#plant")
        'slack://${SLACK_TOKEN}...'
        >>> name_channel("pagerduty://R0utingKey")
        'pagerduty://...'
    """
    scheme, found, rest = channel.partition("://")
    names = "".join(f"${{{name}}}" for name in _NAMED.findall(rest if found else channel))
    if not found:
        return names or "..."
    if scheme.lower() not in _KINDS or scheme.lower() == "pagerduty":
        return f"{scheme}://{names}..."
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}://{host}"


def _hide(text: str, channel: str, environ: Mapping[str, str]) -> str:
    """Return what a channel said without the secrets of its URL."""
    for name in _NAMED.findall(channel):
        if len(environ[name]) >= _SHORTEST_SECRET:
            text = text.replace(environ[name], f"${{{name}}}")
    url = fill_secrets(channel, environ)
    path = url.partition("://")[2].partition("/")[2]
    if len(path) >= _SHORTEST_SECRET:
        text = text.replace(path, "...")
    return hide_passwords(text, url)
