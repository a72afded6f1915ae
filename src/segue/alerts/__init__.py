"""Alerts: who is told what, once per episode, and how it gets there."""
