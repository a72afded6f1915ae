"""Formats of texts as patterns: pure RE2, so that each means the same on every engine."""

from __future__ import annotations

from dataclasses import dataclass

_DAY = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_OFFSET = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
_CLOCK = f"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?{_OFFSET}"
_LEAP = "23:59:60(?:[.][0-9]+)?(?:[Zz]|[+-]00:00)?"
_TIME = f"(?:{_CLOCK}|{_LEAP})"

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = f"{_BYTE}(?:[.]{_BYTE}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_LAST = f"(?:{_GROUP}:{_GROUP}|{_IPV4})"
"""The last 32 bits of an address of version 6."""


def _write_ipv6() -> str:
    """Return the alternatives of RFC 3986's grammar: which groups `::` stands for."""
    forms = [f"(?:{_GROUP}:){{6}}{_LAST}"]
    for before, after in enumerate(range(5, -1, -1)):
        head = f"(?:(?:{_GROUP}:){{0,{before - 1}}}{_GROUP})?" if before else ""
        forms.append(f"{head}::(?:{_GROUP}:){{{after}}}{_LAST}")
    forms.append(f"(?:(?:{_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}")
    forms.append(f"(?:(?:{_GROUP}:){{0,6}}{_GROUP})?::")
    return f"(?:{'|'.join(forms)})"


_IPV6 = _write_ipv6()

_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = f"(?:{_LABEL}[.])+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?"

_ESCAPED = "%[0-9A-Fa-f]{2}"
_PLAIN = "A-Za-z0-9._~!$&'()*+,;=-"
"""Last in a set of characters, for its dash."""
_URL = (
    "[A-Za-z][A-Za-z0-9+.-]*://"
    f"(?:(?:[:{_PLAIN}]|{_ESCAPED})*@)?"
    rf"(?:\[{_IPV6}\]|(?:[{_PLAIN}]|{_ESCAPED})+)"
    "(?::[0-9]{0,5})?"
    f"(?:/(?:[:@/{_PLAIN}]|{_ESCAPED})*)?"
    f"(?:[?](?:[:@/?{_PLAIN}]|{_ESCAPED})*)?"
    f"(?:#(?:[:@/?{_PLAIN}]|{_ESCAPED})*)?"
)


@dataclass(frozen=True, slots=True)
class Format:
    """What a text of a format is.

    Attributes:
        pattern: What the whole text matches.
        beyond: SQL predicate, over ``{text}``, of texts that match and are too long all the same.
    """

    pattern: str
    beyond: str = ""


FORMATS = {
    "date": Format(_DAY),
    "email": Format(
        f"{_ATOM}(?:[.]{_ATOM})*@{_DOMAIN}", "length({text}) > 254 or strpos({text}, '@') > 65"
    ),
    "ipv4": Format(_IPV4),
    "ipv6": Format(_IPV6),
    "time": Format(_TIME),
    "timestamp": Format(f"{_DAY}[Tt ]{_TIME}"),
    "url": Format(_URL),
    "uuid": Format("[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
}
"""The formats that a pattern tells, by name."""
