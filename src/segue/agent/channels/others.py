"""Mail, chats and a hundred others, through Apprise."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from segue.agent.channels import TIMEOUT
from segue.errors import ChannelError, Location

if TYPE_CHECKING:
    from segue.agent.channels import Letter


def send(url: str, letter: Letter) -> None:
    """Send a letter.

    Raises:
        ChannelError: It did not arrive.
    """
    from segue.alerts.send import Letter as Message
    from segue.alerts.send import send_letters
    from segue.spec.alerts import Channel

    channel = Channel(letter.alert, Location("segue.toml"), url)
    message = Message(channel, letter.title, letter.body, "warning")
    send_letters([message], os.environ, TIMEOUT)
    if message.problem:
        raise ChannelError(message.problem)
