"""Groups of tests are kept together, which an xdist that is too old for pytest does not tell."""

import pytest


@pytest.mark.xdist_group("told")
def test_the_scheduler_hears_of_groups(request):
    grouped = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@told") == grouped
