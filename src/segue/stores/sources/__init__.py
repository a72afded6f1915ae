"""Kinds of source tables, one small file each; reached by `segue.registry` only."""
