"""Digests of short texts, without OpenSSL: `hashlib` loads it, 3.4 MB of an idle agent's memory.

For rows there is `hashlib`, which is several times as fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def _find(name: str, *modules: str) -> Any:
    """Return a function of the first module that this Python has: they differ by release."""
    for module in modules:
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue
    return getattr(import_module("hashlib"), name)


_blake2b = _find("blake2b", "_blake2")
_sha256 = _find("sha256", "_sha2", "_sha256")


def digest_blake2b(text: bytes, size: int) -> bytes:
    """Return the BLAKE2b digest of a short text.

    Example:
        >>> digest_blake2b(b"till-7", 4).hex()
        'c93942be'
    """
    digest: bytes = _blake2b(text, digest_size=size).digest()
    return digest


def digest_sha256(text: bytes) -> str:
    """Return the SHA-256 digest of a short text, as hex digits.

    Example:
        >>> digest_sha256(b"")[:8]
        'e3b0c442'
    """
    digest: str = _sha256(text).hexdigest()
    return digest
