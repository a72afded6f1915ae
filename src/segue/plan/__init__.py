"""Decides what a run would do, step by step, and why; pure, so that it can be printed."""
