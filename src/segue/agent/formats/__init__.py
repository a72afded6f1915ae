"""How text becomes typed rows at a node.

A line that does not fit the declared columns is a reject with a reason, and its neighbours
flow: nothing becomes null that was there, and nothing is made up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from segue.registry import EDGE_FORMATS, load, names, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols.edge import Format, FormatKind
    from segue.spec.edge import EdgeSource
    from segue.spec.types import TableSchema


def open_format(source: EdgeSource) -> Format:
    """Return the format of a source, set up for its columns.

    Args:
        source: A source of a kind that gives text.

    Raises:
        SourceError: An option can't be meant so.
        UnknownNameError: There is no such format.
    """
    return load_format(source.format).open(source)


def check_format(name: str, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
    """Return what is wrong with a source's format; one sentence each.

    Args:
        name: Name of the format.
        options: Its options, as they stand in the project.
        schema: The source's columns.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> check_format("json", {"zone": "Mars"}, parse_schema("at: timestamp"))
        ["zone: there is no time zone called 'Mars'"]
    """
    known = names(EDGE_FORMATS)
    if name not in known:
        return [f"there is no format called {name!r}: {nearest(name, known)}"]
    return load_format(name).check(options, schema)


def load_format(name: str) -> FormatKind:
    """Return a kind of format by name."""
    return cast("FormatKind", load(EDGE_FORMATS, name)())
