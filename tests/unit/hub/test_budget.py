"""Requests hold no more bytes than there is room for, in their order."""

import asyncio

import pytest

from segue.errors import HubBusyError
from segue.hub.alarm import Alarm
from segue.hub.budget import Budget


def test_who_comes_without_room_waits_its_turn():
    async def play():
        budget, order = Budget(100), []

        async def work(name, size, go):
            async with budget.take(size):
                order.append(name)
                assert budget.used <= 100
                await go.wait()

        go = asyncio.Event()
        tasks = [asyncio.ensure_future(work(n, size, go)) for n, size in enumerate((60, 60, 30))]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (order, budget.waiting) == ([0], 2)
        go.set()
        await asyncio.gather(*tasks)
        assert (order, budget.used, budget.waiting) == ([0, 1, 2], 0, 0)

    asyncio.run(play())


def test_who_waits_too_long_is_sent_off_and_leaves_no_trace():
    async def play():
        budget = Budget(100, seconds=0.01)
        async with budget.take(80):
            with pytest.raises(HubBusyError):
                async with budget.take(50):
                    pass
            async with budget.take(20):
                assert budget.used == 100
        assert (budget.used, budget.waiting) == (0, 0)

    asyncio.run(play())


def test_who_leaves_while_waiting_gives_way():
    async def play():
        budget = Budget(100)

        async def work(size):
            async with budget.take(size):
                pass

        async with budget.take(80):
            first, second = asyncio.ensure_future(work(50)), asyncio.ensure_future(work(20))
            await asyncio.sleep(0)
            first.cancel()
            await second
        assert (budget.used, budget.waiting) == (0, 0)

    asyncio.run(play())


def test_who_leaves_in_the_moment_in_which_room_comes_free_leaves_no_trace():
    async def play():
        budget = Budget(100)
        taken = budget.take(80)
        await taken.__aenter__()

        async def work():
            async with budget.take(50):
                pass

        waiting = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        waiting.cancel()
        await taken.__aexit__(None, None, None)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (budget.used, budget.waiting) == (0, 0)

    asyncio.run(play())


def test_what_is_larger_than_all_room_goes_alone():
    async def play():
        budget = Budget(100)
        async with budget.take(1000):
            assert budget.used == 100

    asyncio.run(play())


def test_an_alarm_wakes_all_who_wait_and_nobody_later():
    async def play():
        alarm = Alarm()
        waiting = [asyncio.ensure_future(alarm.wait(5)) for _ in range(3)]
        await asyncio.sleep(0)
        alarm.ring()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert await alarm.wait(0.01) is False

    asyncio.run(play())
