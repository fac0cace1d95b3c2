"""A worker moves one release at a time, and has no queue of those that want to (R34)."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from tests.service import NAME, Running


def test_who_comes_while_a_release_is_moved_is_told_to_come_back(service: Running):
    def promote(_: int) -> httpx.Response:
        with service.client() as client:
            return client.post(f"/v1/admin/models/{NAME}/promote", json={"version": 99})

    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(promote, range(6)))
    told = [one for one in answers if one.status_code == 503]
    assert {one.status_code for one in answers} == {422, 503}, "there is no such version"
    assert {(one.json()["title"], one.headers["Retry-After"]) for one in told} == {("Too Busy", "1")}
