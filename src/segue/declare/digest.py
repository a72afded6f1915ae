"""Digests: of texts, and of all the parts that make a step what it is."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from segue.spec.step import Fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable


def digest_text(text: str) -> str:
    """Return a short hex digest of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def digest_parts(parts: Iterable[tuple[str, str]], opaque: str = "") -> Fingerprint:
    """Return the fingerprint that covers all parts.

    Args:
        parts: Readable name and digest of each thing that counts.
        opaque: Why the code can't be seen wholly; empty if it can.
    """
    ordered = tuple(sorted(parts))
    text = "\n".join(f"{name}\0{digest}" for name, digest in ordered)
    return Fingerprint(digest_text(text), ordered, opaque)
