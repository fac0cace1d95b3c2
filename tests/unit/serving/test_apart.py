"""Work on large requests, beside the event loop and one after the other."""

import asyncio
import threading

import pytest

from gristmill.serving.apart import Apart


def test_the_event_loop_goes_on_and_large_requests_wait_for_each_other():
    apart, done, free = Apart(inline_ms=2.0), [], threading.Event()

    def work(name: str) -> str:
        assert free.wait(30)
        done.append((name, threading.current_thread().name))
        return name

    async def serving() -> list[str]:
        both = asyncio.gather(apart.run(work, "first"), apart.run(work, "second"))
        while not any(thread.name.startswith("large requests") for thread in threading.enumerate()):
            await asyncio.sleep(0)  # the loop is free while the first waits
        assert done == []
        free.set()
        return list(await both)

    assert asyncio.run(serving()) == ["first", "second"]
    assert [name for name, _ in done] == ["first", "second"]
    assert len({thread for _, thread in done}) == 1
    apart.close()


def test_what_goes_wrong_there_is_raised_where_it_is_waited_for():
    apart = Apart(inline_ms=2.0)

    def fail() -> None:
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        asyncio.run(apart.run(fail))
    apart.close()


@pytest.mark.parametrize(("inline_ms", "rows"), [(2.0, 40), (0.0, 1), (1000.0, 20_000)])
def test_how_many_rows_are_few_follows_from_the_time_they_may_take(inline_ms: float, rows: int):
    assert Apart(inline_ms).few_rows == rows
