"""The thread that explains: what waits is bounded in number and in time, ends with its caller, and with the service."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from tests.service import until

from gristmill.serving.api.explaining import Explaining
from gristmill.serving.limits.bodies import Disconnected
from gristmill.serving.problems import ProblemError


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Give what an explanation waits for."""
    event = threading.Event()
    yield event
    event.set()


async def stays() -> None:
    await asyncio.Event().wait()


def explained(explaining: Explaining, held: threading.Event) -> "asyncio.Future[bool]":
    async def make() -> bool:
        return await asyncio.get_running_loop().run_in_executor(explaining, held.wait, 30)

    return asyncio.ensure_future(explaining.within(make(), stays))


def refused(found: BaseException) -> tuple[int, str, bool]:
    assert isinstance(found, ProblemError), repr(found)
    return found.status, found.title, "Retry-After" in found.headers


def test_no_more_than_some_wait_and_the_others_are_told_at_once(held: threading.Event):
    async def ask() -> None:
        explaining = Explaining(waiting=2, seconds=30)
        waiting = [explained(explaining, held) for _ in range(10)]
        done, inside = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert [refused(one.exception()) for one in done if one.exception()] == [(503, "Too Busy", True)] * 7
        held.set()
        assert await asyncio.gather(*inside) == [True] * 3
        assert await explained(explaining, held), "there is room again"
        explaining.close()

    asyncio.run(ask())


def test_one_that_takes_too_long_is_refused_and_counts_until_it_has_ended(held: threading.Event):
    async def ask() -> None:
        explaining = Explaining(waiting=0, seconds=0.05)
        with pytest.raises(ProblemError, match="was not there within"):
            await explained(explaining, held)
        with pytest.raises(ProblemError, match="As many"):
            await explained(explaining, held)
        explaining.close()

    asyncio.run(ask())


def test_a_caller_that_goes_leaves_its_place_to_another(held: threading.Event):
    async def ask() -> None:
        explaining, gone, began = Explaining(waiting=1, seconds=30), asyncio.Event(), []

        async def leaves() -> None:
            await gone.wait()

        async def make() -> None:
            await asyncio.get_running_loop().run_in_executor(explaining, began.append, 1)

        first = explained(explaining, held)
        waits = asyncio.ensure_future(explaining.within(make(), leaves))
        await asyncio.sleep(0)
        gone.set()
        with pytest.raises(Disconnected):
            await waits
        second = explained(explaining, held)
        held.set()
        assert await asyncio.gather(first, second) == [True, True]
        assert began == [], "what nobody waits for is not made"
        explaining.close()

    asyncio.run(ask())


def test_what_waits_is_told_when_the_service_stops_and_what_was_begun_is_ended(held: threading.Event):
    async def ask() -> None:
        explaining = Explaining(waiting=3, seconds=30)
        began = explained(explaining, held)
        waiting = [explained(explaining, held) for _ in range(3)]
        while explaining._work_queue.qsize() != 3:
            await asyncio.sleep(0)
        explaining.close()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [refused(one) for one in found] == [(503, "Stopping", True)] * 3
        with pytest.raises(ProblemError, match="stops"):
            await explained(explaining, held)
        held.set()
        assert await began

    asyncio.run(ask())
    until(lambda: not any(one.name.startswith("explain") for one in threading.enumerate()))
