"""What stands around a part that may fail: it lets it rest, tries it with one, and says when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from domain.errors import MyPageResting, NotFound, StorageUnavailable
from domain.resilience import Breaker, BreakerState


class Watch:
    """Seconds that the test owns."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def breaker(watch: Watch) -> Breaker:
    return Breaker(MyPageResting, failures=3, rest=5.0, longest_rest=15.0, now=watch)


async def fine() -> str:
    return "fine"


async def down() -> str:
    raise StorageUnavailable(reason="down")


async def nobody() -> str:
    raise NotFound(what="somebody")


async def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(StorageUnavailable):
            await breaker.call(down)


async def test_three_failures_in_a_row_open_it_and_say_when_to_come_back(
    breaker: Breaker, watch: Watch
) -> None:
    await fail(breaker, 3)
    watch.at = 1.5
    with pytest.raises(MyPageResting) as turned_away:
        await breaker.call(fine)
    assert turned_away.value.facts == {"seconds": 4}
    assert breaker.state is BreakerState.OPEN


async def test_a_success_in_between_keeps_it_closed(breaker: Breaker) -> None:
    await fail(breaker, 2)
    assert await breaker.call(fine) == "fine"
    await fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


async def test_a_refusal_is_an_answer(breaker: Breaker) -> None:
    for _ in range(10):
        with pytest.raises(NotFound):
            await breaker.call(nobody)
    assert breaker.state is BreakerState.CLOSED


async def test_half_open_lets_one_of_two_hundred_through(breaker: Breaker, watch: Watch) -> None:
    await fail(breaker, 3)
    watch.at = 5.0
    assert breaker.state is BreakerState.HALF_OPEN
    arrived = 0
    go_on = asyncio.Event()

    async def slow() -> str:
        nonlocal arrived
        arrived += 1
        await go_on.wait()
        return "fine"

    callers = [asyncio.create_task(breaker.call(slow)) for _ in range(200)]
    refused = [task for task in (await asyncio.wait(callers[1:]))[0] if task.exception()]
    assert (arrived, len(refused)) == (1, 199)
    go_on.set()
    assert await callers[0] == "fine"
    assert breaker.state is BreakerState.CLOSED


async def test_each_further_rest_is_longer_up_to_a_limit(breaker: Breaker, watch: Watch) -> None:
    await fail(breaker, 3)
    rests = []
    for _ in range(4):
        rests.append(breaker.seconds)
        watch.at += breaker.seconds
        await fail(breaker, 1)
    assert rests == [5, 10, 15, 15]


async def test_a_call_over_the_limit_counts_as_failed(watch: Watch) -> None:
    breaker = Breaker(MyPageResting, limit=0.001, failures=1, now=watch)
    with pytest.raises(MyPageResting) as tried:
        await breaker.call(asyncio.Event().wait)
    assert breaker.state is BreakerState.OPEN
    with pytest.raises(MyPageResting) as turned_away:
        await breaker.call(fine)
    assert (tried.value.over_limit, turned_away.value.over_limit) == (True, False)


async def test_somebody_who_leaves_while_it_is_tried_leaves_the_try_to_the_next(
    breaker: Breaker, watch: Watch
) -> None:
    await fail(breaker, 3)
    watch.at = 5.0
    leaving = asyncio.create_task(breaker.call(asyncio.Event().wait))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await breaker.call(fine) == "fine"


@pytest.mark.parametrize("end", [fine, down])
async def test_a_straggler_from_before_the_rest_decides_nothing(
    breaker: Breaker, watch: Watch, end: Callable[[], asyncio.Future[str]]
) -> None:
    go_on = asyncio.Event()

    async def straggler() -> str:
        await go_on.wait()
        return await end()

    late = asyncio.create_task(breaker.call(straggler))
    await asyncio.sleep(0)
    await fail(breaker, 3)
    until = breaker.seconds
    go_on.set()
    await asyncio.wait([late])
    assert (breaker.state, breaker.seconds) == (BreakerState.OPEN, until)
    assert late.exception() is None or isinstance(late.exception(), StorageUnavailable)


async def test_a_part_that_is_down_for_weeks_is_still_tried_at_the_longest_rest(watch: Watch) -> None:
    breaker = Breaker(MyPageResting, rest=5.0, longest_rest=60.0, now=watch)
    await fail(breaker, 3)
    for _ in range(2_000):
        watch.at += breaker.seconds
        await fail(breaker, 1)
    assert breaker.seconds == 60
