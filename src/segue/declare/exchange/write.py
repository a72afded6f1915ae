"""Contracts as the text of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.declare.exchange.draft import Unsaid


class _Dumper(yaml.SafeDumper):
    """Writes short collections on one line, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def write_yaml(document: Any, unsaid: Sequence[Unsaid] = ()) -> str:
    """Return a document as YAML, with what it lacks in comments above it.

    Args:
        document: Plain values.
        unsaid: What could not be carried over.
    """
    lines = []
    if unsaid:
        lines.append("# Not carried over:")
        lines += [f"#   {_flat(each.where)}: {_flat(each.what)}" for each in unsaid]
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return "\n".join([*lines, text])


def _flat(text: str) -> str:
    return " ".join(text.split())
