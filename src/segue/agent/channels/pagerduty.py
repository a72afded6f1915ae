"""PagerDuty's Events API v2: ``pagerduty://ROUTING_KEY``.

Options behind a question mark: `severity` (critical, error, warning, info), `endpoint`, for
those who have the European service region or a relay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from segue.agent.channels.webhook import post_json
from segue.errors import ChannelError

if TYPE_CHECKING:
    from segue.agent.channels import Letter

ENDPOINT = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = ("critical", "error", "warning", "info")


def send(url: str, letter: Letter) -> None:
    """Trigger an incident; a letter that comes twice is one, by its key.

    Raises:
        ChannelError: It was not taken.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    severity = options.get("severity", "critical")
    if severity not in _SEVERITIES:
        raise ChannelError(f"severity is one of {', '.join(_SEVERITIES)}")
    event = {
        # a host would be lower case: routing keys need not be
        "routing_key": parts.netloc,
        "event_action": "trigger",
        "dedup_key": letter.key,
        "payload": {
            "summary": f"{letter.title}: {letter.body}"[:1024],
            "source": letter.key.partition("/")[0],
            "severity": severity,
            "component": letter.alert,
        },
    }
    post_json(options.get("endpoint", ENDPOINT), event, {})
