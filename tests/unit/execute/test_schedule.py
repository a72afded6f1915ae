import threading

import pytest

from segue.execute.schedule import run_graph

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def ignore(_names):
    pass


@pytest.mark.parametrize("workers", [1, 4])
def test_nodes_run_after_what_they_need(workers):
    done, settled = [], []

    def work(name):
        assert set(DIAMOND[name]) <= set(done)
        done.append(name)
        return True

    assert run_graph(DIAMOND, work, workers, settled.extend) == ()
    assert sorted(done) == sorted(settled) == ["a", "b", "c", "d"]


def test_other_branches_go_on_when_one_fails():
    needs = {"a": [], "b": ["a"], "c": ["b"], "x": [], "y": ["x"], "z": ["y", "c"]}
    done = []

    def work(name):
        done.append(name)
        return name != "a"

    assert run_graph(needs, work, 2, ignore) == ("b", "c", "z")
    assert sorted(done) == ["a", "x", "y"]


def test_needs_outside_the_graph_count_as_done():
    assert run_graph({"a": ["published"]}, lambda _: True, 1, ignore) == ()
    assert run_graph({}, lambda _: True, 1, ignore) == ()


def test_no_more_than_workers_run_at_once_and_as_many_do():
    barrier = threading.Barrier(3)
    running, most = set(), []

    def work(name):
        running.add(name)
        barrier.wait(10)
        most.append(len(running))
        barrier.wait(10)
        running.discard(name)
        return True

    run_graph({str(n): [] for n in range(6)}, work, 3, ignore)
    assert max(most) == 3


def test_many_nodes_settle_in_few_waves():
    gate, waves = threading.Event(), []

    def note(names):
        waves.append(list(names))
        gate.set()

    def work(name):
        return name == "first" or gate.wait(10)

    names = ["first", *(str(n) for n in range(500))]
    run_graph({name: [] for name in names}, work, 1, note)
    assert sorted(name for wave in waves for name in wave) == sorted(names)


def test_first_node_is_told_at_once_and_a_burst_after_it_together(monkeypatch):
    monkeypatch.setattr("segue.execute.schedule.TELL_EVERY", 60)
    first, waves = threading.Event(), []

    def note(names):
        waves.append(list(names))
        first.set()

    needs = {"0": [], **{str(n): [str(n - 1)] for n in range(1, 50)}}
    run_graph(needs, lambda name: name == "0" or first.wait(10), 2, note)
    assert waves == [["0"], [str(n) for n in range(1, 50)]]


def test_a_node_that_is_through_is_told_while_others_go_on():
    told = threading.Event()

    def note(names):
        if "quick" in names:
            told.set()

    def work(name):
        return name != "slow" or told.wait(10)

    needs = {"first": [], "quick": ["first"], "slow": ["first"], "after": ["slow"]}
    assert run_graph(needs, work, 2, note) == ()


def test_what_is_through_is_told_when_the_run_ends_early(monkeypatch):
    monkeypatch.setattr("segue.execute.schedule.TELL_EVERY", 60)
    settled = []

    def work(name):
        if name == "c":
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        run_graph({"a": [], "b": ["a"], "c": ["b"]}, work, 1, settled.extend)
    assert settled == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError("a fault of segue"), KeyboardInterrupt()])
def test_exception_of_work_ends_the_run_after_what_is_running(error):
    started, ended = threading.Event(), threading.Event()
    begun = []

    def work(name):
        begun.append(name)
        if name == "bad":
            started.wait(10)
            raise error
        if name == "long":
            started.set()
            assert ended.wait(10)
        return True

    needs = {"bad": [], "long": [], "later": ["bad"], "waits": []}
    with pytest.raises(type(error)):
        run_graph(needs, work, 2, ignore, on_interrupt=ended.set)
    assert "later" not in begun


def test_exception_of_the_listener_ends_the_run():
    def note(_names):
        raise RuntimeError("lease lost")

    begun = []

    def work(name):
        begun.append(name)
        return True

    with pytest.raises(RuntimeError, match="lease lost"):
        run_graph({"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}, work, 1, note)
    assert "d" not in begun
