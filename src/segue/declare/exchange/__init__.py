"""Contracts from and to the formats of other tools, one small file each.

What a format says and contracts can't, or the other way round, is collected and told: a check
that is not carried over must not look as if it were.
"""
