"""Kinds of sources that are read at a node: one small file each, found by entry point."""
