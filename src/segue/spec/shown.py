"""Nouns that notebooks show; how they look is said above, where it is known."""

from __future__ import annotations

from functools import singledispatch


@singledispatch
def write_html(_thing: object) -> str | None:
    """Return how a notebook shows a thing, None where nobody has registered that.

    Example:
        >>> write_html(object()) is None
        True
    """
    return None


class Shown:
    """Something that notebooks show as HTML; elsewhere it prints as it is."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return write_html(self)
