"""The check kinds, one small file each, found by entry point as ``segue.checks``.

A kind is an object as `segue.protocols.CheckKind` describes. One more is a file like
these with a ``CHECK`` and a line in ``pyproject.toml``; kinds whose failing rows a
predicate can tell begin with `segue.judge.row_check.RowCheck`.
"""
