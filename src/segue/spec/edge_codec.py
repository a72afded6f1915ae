"""The edge part as JSON, and back: strict, with a version, and within bounds.

Bundles are signed, so this is no fence against enemies; it is one against other releases: a
key that is not known is refused, so that no node runs half of what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, cast

from segue.errors import BundleError
from segue.spec.edge import (
    DestinationSpec,
    EdgeCheck,
    EdgePart,
    EdgeSource,
    EdgeStep,
    ReferenceTable,
    SentTable,
    SpoolSettings,
    StreamAlert,
    WhenFull,
    WindowKind,
    WindowSpec,
)
from segue.spec.step import FrameKind, FrameSpec, FunctionSpec
from segue.spec.types import TableSchema, parse_schema

FORMAT = 1
"""Version of the JSON; it changes when a key changes its meaning or goes."""

MAX_BYTES = 16 * 2**20
MAX_ITEMS = 10_000
"""Bounds of what is read: its size, and the items of one list."""

Reader = Callable[[Any], Any]
_NAME = re.compile(r"[^\W\d]\w*")


def write_edge(part: EdgePart) -> bytes:
    """Return an edge part as JSON text; equal parts give equal bytes."""
    document = {"format": FORMAT, **cast("dict[str, Any]", _to_plain(part))}
    if not part.private:  # releases before it knew such tables read what has none
        del document["private"]
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def read_edge(data: bytes) -> EdgePart:
    """Return the edge part that `write_edge` wrote.

    Raises:
        BundleError: It is too large, of another version, or not one.
    """
    if len(data) > MAX_BYTES:
        raise BundleError(f"the edge part has {len(data):,} bytes, more than {MAX_BYTES:,}")
    try:
        document = _mapping(json.loads(data))
        version = document.pop("format", None)
        if version != FORMAT:
            raise BundleError(
                f"the edge part has format {version!r}, and this release reads {FORMAT}",
                hint="install the release of segue at the node that it was deployed with",
            )
        return cast("EdgePart", _PART(document))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"the edge part can't be read: {error}") from None


def _to_plain(value: Any) -> Any:
    if isinstance(value, TableSchema):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {each.name: _to_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _to_plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to_plain(part) for part in value]
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"expected a table, found {str(value)[:40]!r}")  # noqa: TRY004 - all that is wrong with a text is a ValueError
    return value


def _plain(kind: type, *others: type) -> Reader:
    """Return what reads a value of one of these types."""

    def read(value: Any) -> Any:
        if type(value) not in (kind, *others):
            raise ValueError(f"expected {kind.__name__}, found {str(value)[:40]!r}")
        return value

    return read


def _maybe(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _list(reader: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise ValueError(f"expected a list, found {str(value)[:40]!r}")
        return tuple(reader(each) for each in value)

    return read


def _table(reader: Reader) -> Reader:
    return lambda value: {key: reader(part) for key, part in _mapping(value).items()}


def _struct(noun: type, /, **readers: Reader) -> Reader:
    """Return what reads a dataclass; what has a default may be missing, nothing may be odd."""
    known: Mapping[str, Field[Any]] = {each.name: each for each in fields(noun)}

    def read(value: Any) -> Any:
        found = _mapping(value)
        if odd := sorted(found.keys() - readers.keys()):
            raise ValueError(f"{noun.__name__} has no {odd[0]!r}")
        for name, field in known.items():
            optional = field.default is not MISSING or field.default_factory is not MISSING
            if name not in found and not optional:
                raise ValueError(f"{noun.__name__} lacks {name!r}")
        return noun(**{name: readers[name](part) for name, part in found.items()})

    return read


def _name(value: Any) -> str:
    """Read the name of a table, step or place: it may become that of a file."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is no name")
    return value


def _path(value: Any) -> str:
    """Read a path inside of a bundle."""
    parts = value.split("/") if isinstance(value, str) else [""]
    if any(part in ("", ".", "..") for part in parts) or "\\" in value or "\0" in value:
        raise ValueError(f"{value!r} is no path in a bundle")
    return str(value)


def _option(value: Any) -> Any:
    """Read what may stand in options: plain JSON values."""
    if isinstance(value, list):
        return _list(_option)(value)
    return _table(_option)(value) if isinstance(value, dict) else value


def _positive(value: Any) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"expected a number above 0, found {value!r}")
    return value


_text, _whole, _flag = _plain(str), _plain(int), _plain(bool)
_number = _plain(float, int)
_scalar = _plain(str, bool, int, float, type(None))
_names, _texts, _options = _list(_name), _list(_text), _table(_option)


def _schema(value: Any) -> TableSchema:
    return parse_schema(value) if _text(value) else TableSchema(())


def _pair(first: Reader, second: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a pair
            raise ValueError(f"expected a pair, found {str(value)[:40]!r}")
        return first(value[0]), second(value[1])

    return read


_FRAME = _struct(FrameSpec, kind=FrameKind, iterator=_flag, over=_maybe(FrameKind))
_FUNCTION = _struct(
    FunctionSpec,
    path=_path,
    qualname=_text,
    inputs=_list(_pair(_name, _FRAME)),
    returns=_FRAME,
    parameters=_list(_pair(_text, _scalar)),
)
_WINDOW = _struct(
    WindowSpec,
    kind=WindowKind,
    column=_text,
    size=_positive,
    every=_positive,
    late=_whole,
    by=_texts,
)
_SOURCE = _struct(
    EdgeSource,
    name=_name,
    kind=_text,
    options=_options,
    format=_text,
    format_options=_options,
    schema=_schema,
)
_STEP = _struct(
    EdgeStep,
    name=_name,
    stream=_name,
    references=_names,
    fingerprint=_text,
    reads=_names,
    sql=_maybe(_text),
    function=_maybe(_FUNCTION),
    window=_maybe(_WINDOW),
    by=_texts,
    sort=_texts,
    parameters=_table(_scalar),
    schema=_schema,
    model=_maybe(_path),
    how=_text,
)
_CHECK = _struct(EdgeCheck, table=_name, name=_text, breaks=_text, sets_aside=_flag)
_SENT = _struct(
    SentTable, table=_name, schema=_schema, schema_id=_text, destinations=_names, lake=_flag
)
_REFERENCE = _struct(ReferenceTable, table=_name, file=_path, schema=_schema, digest=_text)
_DESTINATION = _struct(DestinationSpec, name=_name, kind=_text, options=_options)
_ALERT = _struct(
    StreamAlert,
    name=_name,
    table=_name,
    condition=_text,
    at_least=_positive,
    distinct=_text,
    within=_whole,
    column=_text,
    send=_texts,
    message=_text,
    quiet=_whole,
)
_SPOOL = _struct(
    SpoolSettings,
    cap=_positive,
    when_full=WhenFull,
    keep=_whole,
    batch_rows=_positive,
    batch_bytes=_positive,
    linger=_number,
)
_PART = _struct(
    EdgePart,
    project=_text,
    fleet=_name,
    sources=_list(_SOURCE),
    steps=_list(_STEP),
    sent=_list(_SENT),
    spool=_SPOOL,
    checks=_list(_CHECK),
    references=_list(_REFERENCE),
    destinations=_list(_DESTINATION),
    alerts=_list(_ALERT),
    memory=_maybe(_positive),
    cpu=_maybe(_number),
    needs_sql=_flag,
    secrets=_texts,
    private=_names,
)
