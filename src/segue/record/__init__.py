"""Writes down what a run did, and tells where tables and columns come from."""
