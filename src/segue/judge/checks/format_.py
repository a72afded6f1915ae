"""``format: email``: texts are written as a standard has it, letter for letter and as a whole.

- ``email``: a mailbox of RFC 5321, at most 254 characters with 64 before the ``@``. Simplified:
  no quoted names, no addresses in brackets, ASCII only, and a domain of at least two parts.

- ``uuid``: RFC 9562, of any version, in capitals or not; no braces, no ``urn:``.

- ``url``: a URI of RFC 3986 with a scheme, ``//`` and a host. Simplified: any scheme will do;
  what is not ASCII, and blanks, must be escaped as the RFC has it.

- ``date``: a full-date of RFC 3339, such as 2026-01-31, that the calendar has.

- ``time``: a time of RFC 3339 with seconds, such as 09:30:00 or 09:30:00.5Z. Simplified: the
  offset may be left out; a leap second is 23:59:60 in UTC.

- ``timestamp``: a date-time of RFC 3339, such as 2026-01-31T09:30:00+01:00. Simplified as
  ``time`` is, and a blank may stand in place of the T.

- ``ipv4``: four numbers with dots, as in RFC 3986: none has a zero before it.

- ``ipv6``: RFC 4291, section 2.2, without a zone and without a length of the prefix.

- ``json``: RFC 8259, any value. Simplified: an escaped half of a surrogate pair is refused.
  PostgreSQL has no word that means the same; ``{json: {}}`` says it there.

- ``{json: SCHEMA}``: JSON that a JSON Schema allows, written here or in a file
  (``{json: order.schema.json}``, beside the contracts). It needs ``segue[jsonschema]``, which
  follows the draft that ``$schema`` names, or 2020-12. Every distinct text is judged by itself,
  about ten thousand in a second, so ``by`` can't be asked; ``format`` inside of a schema is a
  remark, and no other schema is looked up.

Null passes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.judge.formats import FORMATS
from segue.judge.json_schema import find_schema, make_validator
from segue.judge.row_check import RowCheck
from segue.judge.sql_text import text_column
from segue.judge.verdict import judge_rows
from segue.registry import nearest
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.protocols import Scene
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

_NAMES = (*FORMATS, "json")
# DuckDB takes these for JSON as well: a comma behind the last element, NaN and infinity
_LAX = r",\s*[\]}]|[Nn][Aa][Nn]|[Ii][Nn][Ff]"
_STRINGS = r'"(?:[^"\\]|\\.)*"'


class FormatCheck(RowCheck):
    """Rows whose text is written otherwise break it."""

    name = "format"
    pointwise = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read the name of a format, ``{json: …}`` with a schema, or ``{format: …}``."""
        if isinstance(value, dict) and set(value) == {"format"}:
            value = value["format"]
        if isinstance(value, dict) and set(value) == {"json"}:
            return {"format": "json", "schema": _read_schema(value["json"])}
        if not isinstance(value, str) or value not in _NAMES:
            hint = nearest(str(value), list(_NAMES), noun="format")
            raise ValueError(f"there is no format {value!r}: {hint}")
        return {"format": value}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        name = check.columns[0]
        text = text_column(name, types[name])
        if self.inspects(check):
            if check.slice.by:
                raise ValueError("a JSON Schema can't be judged by segments: leave `by` out")
            wrong = f"{text} in (select value from {quote_identifier(_name_wrong(check, table))})"
        elif check.arguments["format"] == "json":
            rest = f"regexp_replace({text}, {quote_text(_STRINGS)}, '', 'g')"
            lax = " and ".join(f"regexp_matches({t}, {quote_text(_LAX)})" for t in (text, rest))
            wrong = f"not json_valid({text}) or ({lax})"
        else:
            format_ = FORMATS[check.arguments["format"]]
            wrong = f"not regexp_full_match({text}, {quote_text(format_.pattern)})"
            wrong += f" or {format_.beyond.format(text=text)}" if format_.beyond else ""
        return f"({quote_identifier(name)} is not null and ({wrong}))"

    def tell_code(self, check: Check, root: Path) -> str:
        """Return the digest of the file that holds a schema, once it is known to be one."""
        from segue.declare.digest import digest_text

        path = check.arguments.get("schema")
        if not isinstance(path, str):
            return ""
        schema = find_schema(path, str(root))
        make_validator(schema)
        return digest_text(json.dumps(schema, sort_keys=True))

    def inspects(self, check: Check) -> bool:
        """Return whether texts are judged here, and not by the engine."""
        return "schema" in check.arguments

    def inspect(self, check: Check, scene: Scene) -> Measurement:
        """Judge every distinct text by its schema, and bind those that are wrong to a name."""
        import pyarrow as pa

        is_valid = make_validator(find_schema(check.arguments["schema"], scene.context.folder))
        column = scene.schema.find(check.columns[0])
        text = text_column(column.name, column.type) if column else ""
        query = (
            f"select {text} as value, count(*) as n from {quote_identifier(scene.table)} "
            f"where {text} is not null group by {text}"
        )
        wrong: list[str] = []
        failing = 0
        for batch in scene.session.stream(query):
            for value, count in zip(*(part.to_pylist() for part in batch.columns), strict=True):
                if not is_valid(value):
                    wrong.append(value)
                    failing += count
        bound = pa.table({"value": pa.array(wrong, pa.string())})
        scene.session.bind(_name_wrong(check, scene.table), bound)
        return replace(judge_rows(check, failing, scene.rows, self.state(check)), sql=query)

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        schema = check.arguments.get("schema")
        by = f" by {schema if isinstance(schema, str) else 'its schema'}" if schema else ""
        return f"{check.columns[0]} is of format {check.arguments['format']}{by}"


def _read_schema(value: Any) -> Any:
    if isinstance(value, str) and value.endswith(".json"):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON Schema or the path of a .json file, found {value!r}")  # noqa: TRY004
    make_validator(value)
    return value


def _name_wrong(check: Check, table: str) -> str:
    """Return the name under which the texts are bound that a schema refuses."""
    digest = hashlib.blake2b(check.name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{table}__refused_{digest}"


CHECK = FormatCheck()
