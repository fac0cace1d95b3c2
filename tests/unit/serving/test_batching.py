"""Requests that arrive together are predicted together (R34)."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from gristmill.errors import DataError, QueueFullError
from gristmill.metrics.scores import Floats
from gristmill.serving.batching import Batcher, BatchLimits


class Model:
    """Answers ten times ``x``, and can be held."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.free = threading.Event()
        self.free.set()

    def __call__(self, rows: Sequence[Mapping[str, object]]) -> Floats:
        assert self.free.wait(10)
        self.asked.append(len(rows))
        if any(row["x"] == "bad" for row in rows):
            raise DataError("bad row")
        return np.array([[float(row["x"]) * 10] for row in rows])  # type: ignore[arg-type]


def rows(*values: object) -> list[dict[str, object]]:
    return [{"x": value} for value in values]


async def until_asked(batcher: Batcher, waiting: int) -> None:
    async with asyncio.timeout(10):
        while batcher.queued_rows != waiting:
            await asyncio.sleep(0)


def test_what_arrives_while_a_batch_runs_is_the_next_batch_and_each_gets_its_own():
    model = Model()

    async def ask() -> list[Floats]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model, executor)
            model.free.clear()
            first = asyncio.create_task(batcher.values(rows(1)))
            await asyncio.sleep(0)
            await until_asked(batcher, 0)
            others = [asyncio.create_task(batcher.values(rows(place, place + 0.5))) for place in range(2, 6)]
            await until_asked(batcher, 8)
            model.free.set()
            return [await one for one in (first, *others)]

    answers = asyncio.run(ask())
    assert model.asked == [1, 8]
    assert [one[:, 0].tolist() for one in answers] == [[10.0], [20.0, 25.0], [30.0, 35.0], [40.0, 45.0], [50.0, 55.0]]


@pytest.mark.parametrize("threaded", [True, False])
def test_one_bad_row_fails_its_own_request_and_no_other(threaded: bool):
    model = Model()

    async def ask() -> list[object]:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model, executor if threaded else None)
            return await asyncio.gather(*(batcher.values(rows(one)) for one in (1, "bad", 3)), return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert isinstance(second, DataError)
    assert (np.asarray(first).tolist(), np.asarray(third).tolist()) == ([[10.0]], [[30.0]])


def test_without_a_thread_one_turn_of_the_loop_is_one_batch():
    model = Model()

    async def ask() -> None:
        batcher = Batcher(model, None)
        await asyncio.gather(*(batcher.values(rows(place)) for place in range(7)))
        await batcher.values(rows(8))

    asyncio.run(ask())
    assert model.asked == [7, 1]


def test_a_batch_is_no_larger_than_it_may_be_but_a_request_is_never_cut():
    model = Model()

    async def ask() -> None:
        batcher = Batcher(model, None, BatchLimits(max_rows=4))
        await asyncio.gather(*(batcher.values(rows(*range(number))) for number in (3, 2, 9, 1)))

    asyncio.run(ask())
    assert model.asked == [3, 2, 9, 1]


def test_a_full_queue_refuses_and_goes_on_with_what_it_has():
    model = Model()

    async def ask() -> Floats:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model, executor, BatchLimits(max_queued_rows=3))
            model.free.clear()
            first = asyncio.create_task(batcher.values(rows(1)))
            await asyncio.sleep(0)
            await until_asked(batcher, 0)
            second = asyncio.create_task(batcher.values(rows(2, 3)))
            await until_asked(batcher, 2)
            with pytest.raises(QueueFullError, match="2 rows wait"):
                await batcher.values(rows(4, 5))
            model.free.set()
            await first
            return await second

    assert asyncio.run(ask()).tolist() == [[20.0], [30.0]]


def test_the_rows_of_a_request_whose_sender_has_gone_are_not_predicted():
    model = Model()

    async def ask() -> None:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model, executor)
            model.free.clear()
            first = asyncio.create_task(batcher.values(rows(1)))
            await asyncio.sleep(0)
            await until_asked(batcher, 0)
            gone, stays = (asyncio.create_task(batcher.values(rows(place))) for place in (2, 3))
            await until_asked(batcher, 2)
            gone.cancel()
            await asyncio.sleep(0)
            model.free.set()
            await asyncio.gather(first, stays)

    asyncio.run(ask())
    assert model.asked == [1, 1]


def test_an_executor_that_was_shut_down_is_told_to_those_who_wait():
    async def ask() -> None:
        executor = ThreadPoolExecutor(1)
        executor.shutdown()
        await Batcher(Model(), executor).values(rows(1))

    with pytest.raises(RuntimeError, match="shutdown"):
        asyncio.run(ask())


def test_a_large_request_goes_to_the_thread_and_small_ones_do_not_wait_for_it():
    model, threads = Model(), list[tuple[int, str]]()
    held = threading.Event()

    def predict(rows: Sequence[Mapping[str, object]]) -> Floats:
        threads.append((len(rows), threading.current_thread().name))
        if len(rows) > 4:
            assert held.wait(10)
        return model(rows)

    async def ask() -> Floats:
        with ThreadPoolExecutor(1, thread_name_prefix="large") as executor:
            batcher = Batcher(predict, executor, inline_rows=4)
            large = asyncio.create_task(batcher.values(rows(*range(5))))
            async with asyncio.timeout(10):
                while not threads:
                    await asyncio.sleep(0)
                small = await asyncio.gather(*(batcher.values(rows(place, place)) for place in range(3)))
            assert not large.done()
            assert [one[:, 0].tolist() for one in small] == [[0.0, 0.0], [10.0, 10.0], [20.0, 20.0]]
            held.set()
            return await large

    assert asyncio.run(ask())[:, 0].tolist() == [0.0, 10.0, 20.0, 30.0, 40.0]
    assert threads[0] == (5, "large_0")
    assert threads[1:] == [(4, "MainThread"), (2, "MainThread")], "a turn takes no more in the loop than one request may"


@pytest.mark.parametrize("threaded", [True, False])
def test_a_batch_whose_senders_have_all_gone_is_none_and_the_next_is_answered(threaded: bool):
    model, told = Model(), list[int]()

    async def ask() -> Floats:
        with ThreadPoolExecutor(1) as executor:
            batcher = Batcher(model, executor if threaded else None, on_batch=told.append)
            gone = asyncio.create_task(batcher.values(rows(1)))
            asyncio.get_running_loop().call_soon(gone.cancel)  # before its batch is made
            await asyncio.gather(gone, return_exceptions=True)
            return await batcher.values(rows(2))

    assert asyncio.run(ask()).tolist() == [[20.0]]
    assert (model.asked, told) == ([1], [1])
