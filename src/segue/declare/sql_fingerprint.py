"""The fingerprint of a SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from segue.declare.digest import digest_parts, digest_text
from segue.declare.fingerprint import option_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

    from segue.spec.step import Fingerprint

_EXACT = frozenset(
    (
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.UNICODE_STRING,
        TokenType.RAW_STRING,
    )
)


def fingerprint_sql(
    tokens: Sequence[Token], tree: exp.Expr, options: Sequence[tuple[str, str]] = ()
) -> Fingerprint:
    """Return the fingerprint of a SELECT.

    Case of keywords and functions, whitespace and comments don't count; case of names does,
    since it is the case of the result's columns, and so does every letter of a literal.

    Args:
        tokens: Its tokens.
        tree: Its syntax tree.
        options: The step's options that decide its result, as texts by name.
    """
    words = [
        token.text if token.token_type in _EXACT else " ".join(token.text.upper().split())
        for token in tokens
    ]
    # Tokens can't tell a keyword from a column called `date`: the tree's names can.
    names = [node.this for node in tree.find_all(exp.Identifier)]
    query = digest_text("\0".join(words) + "\1" + "\0".join(names))
    return digest_parts([("query", query), *option_parts(options)])
