"""Webhooks: a JSON document by POST."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from segue.agent.channels import TIMEOUT
from segue.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.agent.channels import Letter


def send(url: str, letter: Letter) -> None:
    """Post a letter; its key also stands in the header ``Idempotency-Key``.

    Raises:
        ChannelError: It was not taken.
    """
    document = {
        "key": letter.key,
        "alert": letter.alert,
        "title": letter.title,
        "message": letter.body,
    }
    post_json(url, document, {"Idempotency-Key": letter.key})


def post_json(url: str, document: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    """Post a document.

    Raises:
        ChannelError: Nobody answered, or the answer was no success.
    """
    body = json.dumps(document).encode()
    every = {"Content-Type": "application/json", "User-Agent": "segue", **headers}
    request = Request(url, body, every, method="POST")  # noqa: S310  # the user's own channel
    try:
        with urlopen(request, timeout=TIMEOUT):  # noqa: S310  # as above
            pass
    except HTTPError as error:
        with error:
            raise ChannelError(f"it answered {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise ChannelError(f"it can't be reached: {error}") from None
