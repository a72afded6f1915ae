"""Engines: one folder each, with the same files in it; reached by `segue.registry` only."""
