"""Describe every column of a table."""
