"""Where stream alerts go: a small file for each kind of channel, Apprise for all others."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from segue.errors import ChannelError
from segue.spec.secrets import fill_secrets, hide_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
"""Seconds that a channel may take for a letter."""

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
    try:
        url = fill_secrets(letter.channel, environ)
    except KeyError as error:
        raise ChannelError(f"the environment variable {error.args[0]} is not set") from None
    kind = _KINDS.get(urlsplit(letter.channel).scheme.lower(), "others")
    module = import_module(f"segue.agent.channels.{kind}")
    try:
        module.send(url, letter)
    except ChannelError as error:
        raise ChannelError(hide_passwords(error.message, url), hint=error.hint) from error
