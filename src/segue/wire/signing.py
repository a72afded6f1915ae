"""Signatures of requests: the form of RFC 9421, and exactly one shape of it.

A general reader of that form has to be told what it must insist on. This one knows a single
set of components, in one order, one algorithm and one digest, and refuses all else, so that
nothing can be signed too narrowly. No time is signed: that a request comes once is the work
of session and counter (`segue.wire.sessions`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segue.errors import SignatureError
from segue.wire.keys import is_signed, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segue.wire.keys import NodeKey

COMPONENTS = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-digest",
    "segue-session",
    "segue-counter",
)
"""What is signed, in this order."""
LARGEST_COUNTER = 2**53
_QUOTED = " ".join(f'"{name}"' for name in COMPONENTS)
_INPUT = re.compile(
    rf'segue=(\({re.escape(_QUOTED)}\);keyid="([0-9a-f]{{32}})";alg="ed25519")', re.ASCII
)
_SIGNATURE = re.compile(r"segue=:([A-Za-z0-9+/]{86}==):", re.ASCII)
_SESSION = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_COUNTER = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_HEADERS = ("content-digest", "segue-session", "segue-counter", "signature-input", "signature")
_HINT = "look whether the node's key is the one that was enrolled; enrol it again if not"


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request is signed.

    Attributes:
        method: Such as ``POST``.
        authority: What stands in the ``Host`` header.
        path: The path as it is sent, percent signs and all.
        query: What follows the question mark; empty for none.
        body: The body.
    """

    method: str
    authority: str
    path: str
    query: str = ""
    body: bytes = b""


def sign(request: Request, key: NodeKey, session: str, counter: int) -> dict[str, str]:
    """Return the headers that sign a request.

    Args:
        request: The request.
        key: Key of the node.
        session: Session id; for the request that opens one, the hub's challenge.
        counter: Rises with each request of a session; 0 for the one that opens it.

    Example:
        >>> from segue.wire.keys import NodeKey
        >>> key, request = NodeKey.make(), Request("POST", "hub.example.com", "/v1/status")
        >>> headers = sign(request, key, "s" * 16, 1)
        >>> verify("POST", "hub.example.com", "/v1/status", "", headers.items(), b"", key.public)
        ('ssssssssssssssss', 1)
    """
    digest = digest_body(request.body)
    params = f'({_QUOTED});keyid="{key.id}";alg="ed25519"'
    signature = key.sign(_write_base(request, digest, session, str(counter), params))
    return {
        "Content-Digest": digest,
        "Segue-Session": session,
        "Segue-Counter": str(counter),
        "Signature-Input": f"segue={params}",
        "Signature": f"segue=:{base64.b64encode(signature).decode()}:",
    }


def verify(
    method: str,
    authority: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | memoryview,
    public_key: bytes,
) -> tuple[str, int]:
    """Return session and counter of a request that is signed as it must be.

    Whether this session exists and the counter is new is still to be seen: `Sessions.admit`.

    Args:
        method: Such as ``POST``.
        authority: What stands in the ``Host`` header.
        path: The path as it came.
        query: The query as it came, without question mark.
        headers: All headers as pairs, those that are there twice included.
        body: The body as it came.
        public_key: The key that was enrolled under the request's key id.

    Raises:
        SignatureError: It is not.
    """
    session, counter, digest = verify_head(method, authority, path, query, headers, public_key)
    check_body(digest, body)
    return session, counter


def verify_head(
    method: str,
    authority: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    public_key: bytes,
) -> tuple[str, int, str]:
    """Return session, counter and digest of a request whose body has not come yet.

    Who sends is certain then; what comes has still to be held against the digest: `check_body`.

    Args:
        method: Such as ``POST``.
        authority: What stands in the ``Host`` header.
        path: The path as it came.
        query: The query as it came, without question mark.
        headers: All headers as pairs, those that are there twice included.
        public_key: The key that was enrolled under the request's key id.

    Raises:
        SignatureError: It is not signed as it must be.
    """
    told = _pick(headers)
    match = _INPUT.fullmatch(told["signature-input"])
    if match is None:
        raise _refuse("it is not signed over exactly what it must be, by Ed25519")
    params, key_id = match.groups()
    if key_id != name_key(public_key):
        raise _refuse("it names another key")
    session, counter = told["segue-session"], told["segue-counter"]
    if not _SESSION.fullmatch(session) or not _COUNTER.fullmatch(counter):
        raise _refuse("its session or counter is none")
    if int(counter) > LARGEST_COUNTER:
        raise _refuse("its counter is too large")
    digest = told["content-digest"]
    base = _write_base(Request(method, authority, path, query), digest, session, counter, params)
    if not is_signed(public_key, base, _read_signature(told["signature"])):
        raise _refuse("the signature does not fit")
    return session, int(counter), digest


def check_body(digest: str, body: bytes | memoryview) -> None:
    """Hold a body against the digest that was signed.

    Raises:
        SignatureError: It is another one.
    """
    if digest != digest_body(body):
        raise _refuse("its body is not the one that was signed")


def read_key_id(headers: Iterable[tuple[str, str]]) -> str:
    """Return the id of the key with which a request says it is signed: nothing is proven yet.

    Raises:
        SignatureError: It does not say so in the one form that counts.
    """
    match = _INPUT.fullmatch(_pick(headers)["signature-input"])
    if match is None:
        raise _refuse("it is not signed over exactly what it must be, by Ed25519")
    return match[2]


def digest_body(body: bytes | memoryview) -> str:
    """Return the value of the header ``Content-Digest`` (RFC 9530).

    Example:
        >>> digest_body(b"")
        'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:'
    """
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _write_base(request: Request, digest: str, session: str, counter: str, params: str) -> bytes:
    """Return the signature base of RFC 9421, section 2.5."""
    values = (
        request.method.upper(),
        request.authority.lower(),
        request.path or "/",
        f"?{request.query}",
        digest,
        session,
        counter,
    )
    if any("\n" in value or "\r" in value for value in values):
        raise _refuse("it has a line break where none may be")
    lines = [f'"{name}": {value}' for name, value in zip(COMPONENTS, values, strict=True)]
    return "\n".join([*lines, f'"@signature-params": {params}']).encode("latin-1", "replace")


def _pick(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that matter, each of which must be there once."""
    found: dict[str, str] = {}
    for name, value in headers:
        known = name.lower()
        if known in found:
            raise _refuse(f"the header {known} is there twice")
        if known in _HEADERS:
            found[known] = value.strip(" \t")
    for name in _HEADERS:
        if name not in found:
            raise _refuse(f"the header {name} is missing")
    return found


def _read_signature(value: str) -> bytes:
    match = _SIGNATURE.fullmatch(value)
    if match is None:
        raise _refuse("its signature is none")
    try:
        return base64.b64decode(match[1], validate=True)
    except binascii.Error:
        raise _refuse("its signature is none") from None


def _refuse(why: str) -> SignatureError:
    return SignatureError(f"the request is refused: {why}", hint=_HINT)
