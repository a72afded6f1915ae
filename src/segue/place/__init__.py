"""Gives each step a place to run, and cuts the graph where places meet."""
