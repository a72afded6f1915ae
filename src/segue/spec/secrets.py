"""Secrets that stand by their name, passwords in addresses, and texts without them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_PASSWORD = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://[^\s/:@]*):(?P<password>[^\s/]+)@")
_KEYS = r"(?P<key>(?:password|passwd|pwd|token|secret)=)(?P<value>[^&;\s#]+)"
_KEY = re.compile(_KEYS, re.IGNORECASE)
_NAMED = re.compile(r"\$\{(\w+)\}")
MASK = "***"


def fill_secrets(value: Any, environ: Mapping[str, str]) -> Any:
    """Return plain values, such as options, with each ``${NAME}`` in any text replaced.

    Raises:
        KeyError: A name is not set.

    Example:
        >>> fill_secrets({"url": "mqtt://${WHO}@broker", "topics": ["a"]}, {"WHO": "reader"})
        {'url': 'mqtt://reader@broker', 'topics': ['a']}
    """
    if isinstance(value, str):
        return _NAMED.sub(lambda match: environ[match[1]], value)
    if isinstance(value, dict):
        return {name: fill_secrets(part, environ) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [fill_secrets(part, environ) for part in value]
    return value


def hide_passwords(text: str, *addresses: str) -> str:
    """Return a text without passwords: those of addresses in it, and of others wherever they are.

    A secret that stands as ``${NAME}`` is a name, and stays.

    Args:
        text: The text.
        addresses: Addresses whose passwords may stand in it by themselves.

    Example:
        >>> hide_passwords("no answer from postgresql://reader:hunter2@db/crm")
        'no answer from postgresql://reader:***@db/crm'
        >>> hide_passwords("login hunter2 failed", "mysql://reader:hunter2@db/crm")
        'login *** failed'
        >>> hide_passwords("postgresql://reader:${PASSWORD}@db/crm?sslpassword=x")
        'postgresql://reader:${PASSWORD}@db/crm?sslpassword=***'
    """
    for address in addresses:
        for secret in find_passwords(address):
            text = text.replace(secret, MASK)
    text = _PASSWORD.sub(lambda found: f"{found['scheme']}:{_mask(found['password'])}@", text)
    return _KEY.sub(lambda found: f"{found['key']}{_mask(found['value'])}", text)


def find_passwords(address: str) -> tuple[str, ...]:
    """Return the passwords of an address, as they are written and as they are meant.

    Example:
        >>> find_passwords("postgresql://reader:p%40ss@db/crm")
        ('p%40ss', 'p@ss')
    """
    found = [match["password"] for match in _PASSWORD.finditer(address)]
    found += [match["value"] for match in _KEY.finditer(address)]
    both = (each for secret in found for each in (secret, unquote(secret)))
    return tuple(dict.fromkeys(each for each in both if each and not each.startswith("${")))


def _mask(secret: str) -> str:
    return secret if re.fullmatch(r"\$\{\w+\}", secret) else MASK
