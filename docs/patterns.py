"""The page of names that patterns at nodes can use, from the library itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.agent.formats import grok_library
from segue.agent.formats.grok import expand_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GROUPS: dict[str, Mapping[str, str]] = {
    "Words": grok_library.WORDS,
    "Numbers": grok_library.NUMBERS,
    "Networks and paths": grok_library.NETWORK,
    "Times": grok_library.TIMES,
    "Whole lines": grok_library.LINES,
}


def write_patterns() -> Iterator[str]:
    """Write each name, what it stands for, and the columns that it gives by itself."""
    yield "# Patterns\n"
    yield (
        "Names for the `pattern` of a [source at nodes](../howto/edge-sources.md): `%{NAME}`"
        " matches, `%{NAME:column}` gives a column, `%{NAME:column:int}` says besides that the"
        " column must hold whole numbers (`float`, `string`). Names of your own go into"
        " `patterns`.\n"
    )
    for title, patterns in GROUPS.items():
        yield f"## {title}\n"
        given = any(expand_pattern(text).groups for text in patterns.values())
        yield "| name | stands for |" + (" columns |" if given else "")
        yield "| --- | --- |" + (" --- |" if given else "")
        for name, text in patterns.items():
            shown = text.replace("|", "\\|")
            columns = ", ".join(f"`{column}`" for column in expand_pattern(text).groups)
            yield f"| `{name}` | `` {shown} `` |" + (f" {columns} |" if given else "")
        yield ""
