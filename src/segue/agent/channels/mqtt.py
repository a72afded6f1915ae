"""A topic of an MQTT broker: ``mqtt://user:password@broker/site/alerts``.

Options behind a question mark: `version` (5, 3.1.1), `ca`, `certificate`, `key` as of the
source kind ``mqtt``. Letters are published with QoS 1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from segue.agent.channels import TIMEOUT
from segue.agent.mqtt_link import LINK_OPTIONS, connect, make_client, read_broker
from segue.agent.options import Options
from segue.errors import ChannelError, SegueError

if TYPE_CHECKING:
    from segue.agent.channels import Letter


def send(url: str, letter: Letter) -> None:
    """Publish a letter and wait until the broker has it.

    Raises:
        ChannelError: It did not take it.
    """
    parts = urlsplit(url)
    topic = unquote(parts.path.lstrip("/"))
    if not topic:
        raise ChannelError("its URL names no topic", hint="write mqtt://broker/site/alerts")
    stated = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    bare = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
    options = Options("channel", {**LINK_OPTIONS, **stated, "url": bare}, ChannelError)
    document = {"key": letter.key, "alert": letter.alert, "title": letter.title}
    text = json.dumps({**document, "message": letter.body}).encode()
    try:
        broker = read_broker(options)
        client = make_client(broker, "", lasting=False, manual_ack=False)
        connect(client, broker, lasting=False, expiry=0, window=1)
    except SegueError as error:
        raise ChannelError(error.message, hint=error.hint) from error
    except (OSError, ValueError) as error:
        raise ChannelError(f"the broker can't be reached: {error}") from None
    client.loop_start()
    try:
        sent = client.publish(topic, text, qos=1)
        sent.wait_for_publish(TIMEOUT)
        if not sent.is_published():
            raise ChannelError(f"no answer within {TIMEOUT:g} s")
    except (RuntimeError, ValueError) as error:
        raise ChannelError(f"the broker did not take it: {error}") from None
    finally:
        client.disconnect()
        client.loop_stop()
