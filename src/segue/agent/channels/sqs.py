"""Amazon's queues: ``sqs://sqs.eu-west-1.amazonaws.com/123456789012/alerts``.

Options behind a question mark: `region` if the host does not tell it, `tls` = no for a stand-in.
Who asks is found as botocore finds it: environment, files, or the machine's role.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from segue.agent.channels import TIMEOUT
from segue.errors import ChannelError

if TYPE_CHECKING:
    from segue.agent.channels import Letter

_HOST = re.compile(r"sqs\.([a-z0-9-]+)\.")


def send(url: str, letter: Letter) -> None:
    """Put a letter into a queue; one that ends in ``.fifo`` tells by its key what comes twice.

    Raises:
        ChannelError: It was not taken.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    scheme = "http" if options.get("tls") == "no" else "https"
    found = _HOST.match(parts.netloc)
    region = options.get("region") or (found[1] if found else "")
    if not region:
        raise ChannelError("its region is not known", hint="add ?region=eu-west-1 to its URL")
    document = {"alert": letter.alert, "title": letter.title, "message": letter.body}
    asked: dict[str, Any] = {
        "QueueUrl": f"{scheme}://{parts.netloc}{parts.path}",
        "MessageBody": json.dumps({"key": letter.key, **document}),
    }
    if parts.path.endswith(".fifo"):
        asked |= {"MessageGroupId": letter.alert, "MessageDeduplicationId": letter.key[-128:]}
    client, errors = _open(f"{scheme}://{parts.netloc}", region)
    try:
        client.send_message(**asked)
    except errors as error:
        raise ChannelError(str(error)) from None


@lru_cache(8)
def _open(endpoint: str, region: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return a client, and what it raises."""
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.session import get_session
    except ImportError as error:
        raise ChannelError("it needs botocore", hint="pip install 'segue[s3]'") from error
    limits = Config(connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"max_attempts": 0})
    client = get_session().create_client(
        "sqs", region_name=region, endpoint_url=endpoint, config=limits
    )
    return client, (BotoCoreError, ClientError)
