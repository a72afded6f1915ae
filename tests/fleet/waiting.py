"""Waiting for what another thread or process does."""

import time

import pytest


def wait_for(condition, seconds=120.0):
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("waited in vain")
        time.sleep(0.01)
