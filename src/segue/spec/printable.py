"""Text that is safe to show: data can't steer what shows it."""

from __future__ import annotations


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return text whose control characters are written out: data can't steer a terminal.

    Marks that turn the direction of writing are control characters, too.

    Args:
        text: Any text.
        lines: Whether line ends and tabs stay.

    Example:
        >>> printable("a\x1b[31mb\n")
        'a\\x1b[31mb\\n'
    """
    if text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    return "".join(
        character
        if character.isprintable() or character in kept
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )
