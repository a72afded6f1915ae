"""Tests that share what takes long to start run in one process: by the mark ``xdist_group``.

xdist tells its scheduler a test's group at the end of the test's name. Since pytest 9.2 names are
kept elsewhere than xdist 3.8 writes them, and nothing fails: every process starts every engine.
"""

import pytest
from _pytest.nodeid import NodeId


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Name groups where xdist has not, in the processes that it starts."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = {mark.args[0] for mark in item.iter_markers("xdist_group")}
        ending = f"@{'_'.join(sorted(groups))}"
        if groups and not item.nodeid.endswith(ending):
            item._id = NodeId.parse(f"{item.nodeid}{ending}")
