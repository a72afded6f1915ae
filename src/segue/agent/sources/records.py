"""What came in one piece - a message, a request - as records: lines of text."""

from __future__ import annotations

import json

from segue.spec.types import quote_name


def split_records(piece: bytes, format_: str) -> list[bytes]:
    r"""Return the records of a piece of text, without their line ends; empty lines are none.

    Args:
        piece: The text. JSON may be one document over several lines, or a list of them.
        format_: The source's format.

    Example:
        >>> split_records(b'[{"a": 1}, {"a": 2}]', "json")
        [b'{"a":1}', b'{"a":2}']
        >>> split_records(b"a=1\r\n\na=2", "logfmt")
        [b'a=1', b'a=2']
    """
    if format_ == "json" and (b"\n" in piece or piece.lstrip()[:1] == b"["):
        try:
            document = json.loads(piece)
        except ValueError:  # lines, each a document; what is wrong with one is told by the format
            pass
        else:
            found = document if isinstance(document, list) else [document]
            return [json.dumps(each, separators=(",", ":")).encode() for each in found]
    return [line for line in piece.splitlines() if line.strip()]


def add_field(record: bytes, name: str, value: str, format_: str) -> bytes:
    """Put a value in front of a record, in the way of its format.

    Args:
        record: The record.
        name: The column.
        value: Its value, such as the topic of a message.
        format_: The source's format. CSV gets a first column; texts and patterns get a first
            word. JSON that is no object becomes one with the column ``value``.

    Example:
        >>> add_field(b'{"v": 1}', "topic", "hall/1", "json")
        b'{"topic":"hall/1","v": 1}'
        >>> add_field(b"21.5", "topic", "hall/1", "json")
        b'{"topic":"hall/1","value":21.5}'
        >>> add_field(b"v=1", "topic", "hall/1", "logfmt")
        b'topic="hall/1" v=1'
        >>> add_field(b"1,2", "topic", "hall/1", "csv")
        b'"hall/1",1,2'
    """
    if format_ == "json":
        return _add_to_json(record.strip(), json.dumps(name), json.dumps(value))
    if format_ == "csv":
        quoted = value.replace('"', '""')
        return f'"{quoted}",'.encode() + record
    if format_ in ("logfmt", "pairs"):
        return f"{quote_name(name)}={json.dumps(value, ensure_ascii=False)} ".encode() + record
    return value.encode() + b" " + record


def _add_to_json(record: bytes, name: str, value: str) -> bytes:
    front = f"{{{name}:{value}".encode()
    if not record.startswith(b"{"):
        return front + b',"value":' + record + b"}"
    rest = record[1:].lstrip()
    return front + (rest if rest.startswith(b"}") else b"," + rest)
