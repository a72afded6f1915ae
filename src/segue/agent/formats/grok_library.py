"""Names of patterns that ``%{NAME}`` stands for; all of them are RE2's, without looking around."""

from __future__ import annotations

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9A-Fa-f]"
_GROUP = f"{_HEX}{{1,4}}"
_LABEL = "[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?"

NUMBERS = {
    "INT": "[+-]?[0-9]+",
    "POSINT": "[1-9][0-9]*",
    "NONNEGINT": "[0-9]+",
    "BASE10NUM": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
    "NUMBER": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
    "BASE16NUM": f"[+-]?(?:0[xX])?{_HEX}+",
    "BOOL": "(?i:true|false)",
}

WORDS = {
    "WORD": r"\w+",
    "NOTSPACE": r"\S+",
    "SPACE": r"\s*",
    "DATA": ".*?",
    "GREEDYDATA": ".*",
    "QUOTEDSTRING": r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""",
    "QS": "%{QUOTEDSTRING}",
    "UUID": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "USERNAME": "[A-Za-z0-9._-]+",
    "USER": "%{USERNAME}",
    "EMAILADDRESS": "[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@%{HOSTNAME}",
    "LOGLEVEL": "(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?"
    "|alert|fatal|severe|emerg(?:ency)?)",
}

NETWORK = {
    "MAC": f"(?:{_HEX}{{2}}[:-]){{5}}{_HEX}{{2}}|(?:{_HEX}{{4}}\\.){{2}}{_HEX}{{4}}",
    "IPV4": rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}",
    "IPV6": "(?:"
    f"(?:{_GROUP}:){{7}}{_GROUP}"
    f"|(?:{_GROUP}:){{1,7}}:"
    + "".join(f"|(?:{_GROUP}:){{1,{7 - n}}}(?::{_GROUP}){{1,{n}}}" for n in range(1, 7))
    + f"|:(?::{_GROUP}){{1,7}}|::"
    f"|(?:{_GROUP}:){{6}}%{{IPV4}}|::(?:[fF]{{4}}:)?%{{IPV4}}"
    ")(?:%[0-9A-Za-z._-]+)?",
    "IP": "%{IPV6}|%{IPV4}",
    "HOSTNAME": rf"{_LABEL}(?:\.{_LABEL})*\.?",
    "IPORHOST": "%{IP}|%{HOSTNAME}",
    "HOSTPORT": r"(?:\[%{IPV6}\]|%{IPORHOST}):%{POSINT}",
    "UNIXPATH": r"(?:/[^/\s]*)+",
    "WINPATH": r"(?:[A-Za-z]:|\\)(?:\\[^\\?*]*)+",
    "PATH": "%{UNIXPATH}|%{WINPATH}",
    "URIPROTO": "[A-Za-z][A-Za-z0-9+.-]*",
    "URIHOST": r"(?:\[%{IPV6}\]|%{IPORHOST})(?::[0-9]+)?",
    "URIPATH": r"/[^\s?#]*",
    "URIPARAM": r"\?[^\s#]*",
    "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
    "URI": r"%{URIPROTO}://(?:[^\s@/]+@)?%{URIHOST}(?:%{URIPATH})?(?:%{URIPARAM})?(?:#\S*)?",
}

TIMES = {
    "YEAR": "[0-9]{4}|[0-9]{2}",
    "MONTH": "(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?"
    "|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)",
    "MONTHNUM": "0?[1-9]|1[0-2]",
    "MONTHDAY": "0[1-9]|[12][0-9]|3[01]|[1-9]",
    "DAY": "(?i:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?"
    "|sat(?:urday)?|sun(?:day)?)",
    "HOUR": "2[0-3]|[01]?[0-9]",
    "MINUTE": "[0-5][0-9]",
    "SECOND": r"(?:60|[0-5]?[0-9])(?:[.,][0-9]+)?",
    "TIME": "%{HOUR}:%{MINUTE}(?::%{SECOND})?",
    "DATE_EU": "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
    "DATE_US": "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
    "ISO8601_TIMEZONE": "Z|[+-][0-9]{2}(?::?[0-9]{2})?",
    "DATE_ISO8601": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "TIMESTAMP_ISO8601": "%{DATE_ISO8601}[T ]%{TIME}(?:%{ISO8601_TIMEZONE})?",
    "HTTPDATE": "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} [+-][0-9]{4}",
    "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
}

LINES = {
    "PROG": r"[^\s\[\]:]+",
    "SYSLOGPROG": r"%{PROG:program}(?:\[%{POSINT:pid}\])?",
    "SYSLOGHOST": "%{IPORHOST}",
    "SYSLOGLINE": "%{SYSLOGTIMESTAMP:timestamp} %{SYSLOGHOST:host} %{SYSLOGPROG}: "
    "%{GREEDYDATA:message}",
    "COMMONAPACHELOG": r"%{IPORHOST:client} %{NOTSPACE:ident} %{NOTSPACE:auth} "
    r"\[%{HTTPDATE:timestamp}\] "
    r'"(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|[^"]*)" '
    r"%{INT:response} (?:%{INT:bytes}|-)",
    "COMBINEDAPACHELOG": '%{COMMONAPACHELOG} "%{DATA:referrer}" "%{DATA:agent}"',
}

LIBRARY: dict[str, str] = {**NUMBERS, **WORDS, **NETWORK, **TIMES, **LINES}
"""Patterns by name; those of whole lines name the columns that they give."""
