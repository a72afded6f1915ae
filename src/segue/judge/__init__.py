"""Measure a table against its contract, and set failing rows aside."""
