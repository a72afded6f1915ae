"""The garbage collector stands still at start-up and is then as it was."""

import gc

import pytest

from segue.project.pause import paused_collector


@pytest.fixture(autouse=True)
def running_collector():
    gc.enable()
    yield
    gc.enable()


def test_it_stands_still_and_goes_on():
    with paused_collector(), paused_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error():
    with pytest.raises(KeyError), paused_collector():
        raise KeyError
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    with paused_collector():
        pass
    assert not gc.isenabled()
