"""The digest of a contract: it changes when a verdict may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.digest import digest_text
from segue.declare.values import read_value

if TYPE_CHECKING:
    from collections.abc import Collection

    from segue.spec.contract import Check


def digest_checks(checks: Collection[Check], *, rejects: bool) -> str:
    """Return the digest of all that decides what becomes of a table's rows."""
    texts = []
    for check in checks:
        arguments = sorted(check.arguments.items())
        said = [check.kind, *check.columns, "\1", str(check.fail), str(check.warn)]
        said.append("\0".join(read_value(arguments).words))
        said.append("\0".join((check.slice.where, *check.slice.by, str(check.slice.sample))))
        said += ["new"] if check.slice.new else []
        said.append("\0".join(read_value(sorted((check.anomaly or {}).items())).words))
        # names are what the rows that are set aside are marked with
        texts.append("\0".join([*said, check.name if rejects else ""]))
    return digest_text("\1".join([str(rejects), *sorted(texts)]))
