"""Enrolment tokens: one string that an operator hands to whoever sets a node up."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field

from segue.errors import EnrolmentError
from segue.wire.messages import Message

LONGEST = 8192
"""Bytes of a token: more is not read."""


@dataclass(frozen=True, slots=True)
class Token(Message):
    """What a token says. It works once, for 15 minutes; the hub knows which are good.

    Attributes:
        hub: Address of the hub, such as ``https://hub.example.com:8443``.
        secret: A random text; the hub keeps its SHA-256.
        node: Name of the one node that it is for.
        project: Name of the one project.
        ca: SHA-256 of the DER of the hub's CA certificate, hex; empty without TLS.
        trust: SHA-256 of the first TUF root, hex; empty if nobody has deployed yet.
    """

    hub: str
    secret: str = field(repr=False)
    node: str
    project: str
    ca: str = ""
    trust: str = ""

    def write(self) -> str:
        """Return the token as one string.

        Example:
            >>> token = Token("https://hub.example.com", "s3cret", "till-7", "shops")
            >>> Token.parse(token.write()) == token
            True
        """
        return base64.urlsafe_b64encode(self.dump()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read a token.

        Raises:
            EnrolmentError: It is no token.
        """
        text = text.strip()
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            token = cls.read(json.loads(plain[:LONGEST]))
        except (ValueError, binascii.Error, RecursionError):
            token = None
        if token is None or not all(isinstance(value, str) for value in token.plain().values()):
            raise EnrolmentError(
                "this is no enrolment token",
                hint="take the whole string that `segue hub token --node NAME` printed",
            )
        return token
