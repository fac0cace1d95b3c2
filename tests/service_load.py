"""Clients that ask a running service without a pause, and releases that move meanwhile."""

import threading

import httpx
import numpy as np

from tests.service import NAME, Running, direct, release, rows_of, until

ROWS = rows_of(8)

FIRST_LOOK_SECONDS = 180
"""The first look at a version asks the registry, in a process of its own, which loads MLflow."""


def in_service(running: Running) -> list[str]:
    """Return the versions that serve, the champion first."""
    with running.client() as client:
        return [str(one["version"]) for one in client.get(f"/v1/models/{NAME}").json()["versions"]]


def champion(running: Running) -> str:
    return in_service(running)[0]


def swap(running: Running, version: int, challenger: int | None = None, **more: object) -> None:
    """Move the release, and wait until just what it names serves: a version that still serves beside would be taken from memory."""
    release(running.root, version, challenger, **more)  # type: ignore[arg-type]
    wanted = [str(one) for one in (version, challenger) if one is not None]
    until(lambda: in_service(running) == wanted, FIRST_LOOK_SECONDS)


class Load:
    """Clients that ask without a pause, and keep what was wrong with an answer."""

    def __init__(self, running: Running, expected: dict[str, list[float]], clients: int = 4) -> None:
        self._running, self._expected = running, expected
        self._end = threading.Event()
        self.wrong: list[object] = []
        self.versions: set[str] = set()
        self.answered = 0
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        with self._running.client() as client:
            while not self._end.is_set():
                try:
                    answer = client.post(f"/v1/models/{NAME}/predict", json={"instances": ROWS})
                    self._look(answer)
                except httpx.TransportError as error:
                    self.wrong.append(repr(error))
                self.answered += 1

    def _look(self, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self.wrong.append(answer.text)
            return
        body = answer.json()
        version = body["model"]["version"]
        self.versions.add(version)
        if not np.allclose([one["Yes"] for one in body["probabilities"]], self._expected[version], rtol=0, atol=1e-9):
            self.wrong.append(body)


def swaps_under_load(running: Running, number: int) -> Load:
    expected = {str(version): direct(running.root, version, ROWS)["probability"].tolist() for version in (1, 2)}
    assert not np.allclose(expected["1"], expected["2"])
    with Load(running, expected) as load:
        for turn in range(number):
            swap(running, 2 - turn % 2)
    return load
