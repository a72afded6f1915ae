"""Ed25519 keys of nodes; the only file that imports cryptography."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from segue.errors import FleetError
from segue.wire.durable import write_durably

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
_BEGIN, _END = b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n"
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7)."""


@dataclass(frozen=True, slots=True)
class NodeKey:
    """The private key of a node: made there, kept there, never sent.

    Attributes:
        public: Its public key, 32 bytes.
        id: Name of the key: see `name_key`.

    Example:
        >>> key = NodeKey.make()
        >>> is_signed(key.public, b"rows", key.sign(b"rows"))
        True
    """

    public: bytes
    id: str
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def make(cls) -> NodeKey:
        """Return a new random key."""
        return cls._hold(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> NodeKey:
        """Return the key that 32 secret bytes stand for."""
        return cls._hold(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def read(cls, path: Path) -> NodeKey:
        """Read a key from a PEM file.

        Raises:
            FleetError: The file is missing, or holds no Ed25519 key.
        """
        hint = "enrol the node again: segue agent enrol TOKEN --force"
        try:
            private = _read_pem(path.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise FleetError(f"the node's key {path} can't be read: {error}", hint=hint) from None
        if not isinstance(private, Ed25519PrivateKey):
            raise FleetError(f"the node's key {path} is no Ed25519 key", hint=hint)
        return cls._hold(private)

    @classmethod
    def _hold(cls, private: Ed25519PrivateKey) -> NodeKey:
        public = private.public_key().public_bytes_raw()
        return cls(public, name_key(public), private)

    def write(self, path: Path) -> None:
        """Write the key as PEM; only the owner of the new file may read it."""
        text = base64.b64encode(_PKCS8 + self._private.private_bytes_raw())
        write_durably(path, _BEGIN + text + b"\n" + _END, 0o600)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of bytes, 64 bytes long."""
        return self._private.sign(data)


def _read_pem(text: bytes) -> object:
    """Return the private key in a PEM file: one that `NodeKey.write` wrote without any library.

    Raises:
        ValueError: There is none.
        TypeError: It has a password.
    """
    middle = text.strip().removeprefix(_BEGIN.strip()).removesuffix(_END.strip())
    try:
        plain = base64.b64decode(b"".join(middle.split()), validate=True)
    except binascii.Error:
        plain = b""
    if plain.startswith(_PKCS8) and len(plain) == len(_PKCS8) + KEY_BYTES:
        return Ed25519PrivateKey.from_private_bytes(plain[len(_PKCS8) :])
    # loaded for what others wrote: it brings every kind of key there is
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(text, password=None)


def name_key(public: bytes) -> str:
    """Return the name of a public key: the first 32 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:32]


def is_signed(public: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether a signature of bytes was made with the private half of a key.

    Example:
        >>> is_signed(NodeKey.make().public, b"rows", b"0" * 64)
        False
    """
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
