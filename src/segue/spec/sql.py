"""Names and texts as SQL writes them."""

from __future__ import annotations


def quote_identifier(name: str) -> str:
    """Return a table's or column's name in double quotes.

    Example:
        >>> quote_identifier('the "best" store')
        '"the ""best"" store"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as a SQL literal.

    Example:
        >>> quote_text("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
