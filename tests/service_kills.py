"""A service that is killed under load, again and again, and started again on what is left (R43).

Clients name every request. One that was answered has exactly its predictions in the log, each once; one that was sent and not
answered has all of its rows there, or none.
"""

import http.client
import json
import random
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.service import NAME, Running

Rows = Sequence[Mapping[str, Any]]
MOST_ANSWERS = 200
"""Answers of one life at most, after a random number of which the service is killed."""

MOST_ROWS = 3
SECONDS_OF_A_LIFE = 120


@dataclass
class Asked:
    """What clients sent and what came back.

    Attributes
    ----------
    sent
        Request -> its number of rows.
    answered
        Request -> the ids of its predictions, where the answer came.
    refused
        Answers other than 200.
    """

    sent: dict[str, int] = field(default_factory=dict)
    answered: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What came of kills; the last four are to be empty."""

    kills: int
    asked: Asked
    in_flight: int
    logged: int
    lost: list[str]
    torn: list[str]
    twice: list[str]
    damaged: list[str]

    @property
    def wrong(self) -> list[str]:
        """Everything that should not be."""
        return [*self.asked.refused, *self.lost, *self.torn, *self.twice, *self.damaged]


def killed(root: Path, started: Callable[[int], Running], rows: Rows, kills: int, seed: int, name: str = NAME) -> Outcome:
    """Kill a service in turns of one and two workers, start it again after each, and hold its log against its answers.

    Parameters
    ----------
    root
        Its project.
    started
        Starts it with a number of workers.
    rows
        What it is asked about.
    kills
        How often it is killed.
    seed
        Of the moments.
    name
        The model.
    """
    chance, asked = random.Random(seed), Asked()
    for turn in range(kills):
        one_life(started(1 + turn % 2), rows, asked, f"{seed}-{turn}", chance.randint(1, MOST_ANSWERS), name)
    last = started(1)  # takes over what the last kill has left
    last.stop()
    return held_against(root, asked, kills)


def one_life(running: Running, rows: Rows, asked: Asked, life: str, answers: int, name: str, clients: int = 8) -> None:
    """Ask from some clients at once until so many answers have come, and kill every process of the service in that moment."""
    enough, before = threading.Event(), len(asked.answered)

    def note() -> None:
        if len(asked.answered) >= before + answers:
            enough.set()

    threads = [
        threading.Thread(target=_ask, args=(running, rows, asked, f"{life}-{number}", name, note)) for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    in_time = enough.wait(SECONDS_OF_A_LIFE)
    parent = psutil.Process(running.process.pid)
    for process in [*parent.children(recursive=True), parent]:
        process.kill()
    for thread in threads:
        thread.join()
    with running.process:  # closes its output
        running.process.wait(60)
    assert in_time, "the service has not answered often enough to be killed"


def _ask(running: Running, rows: Rows, asked: Asked, client: str, name: str, answered: Callable[[], None]) -> None:
    """Ask without a pause until nobody answers any more."""
    address = urlsplit(running.url)
    number = 0
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as connection:
        while True:
            request, some = f"{client}-{number}", rows[number % len(rows) :][: 1 + number % MOST_ROWS]
            asked.sent[request] = len(some)
            headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json", "X-Request-ID": request}
            try:
                connection.request("POST", f"/v1/models/{name}/predict", json.dumps({"instances": some}), headers)
                answer = connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                asked.answered[request] = json.loads(said)["prediction_ids"]
                answered()
            else:
                asked.refused.append(f"{request}: {answer.status}")
            number += 1


def held_against(root: Path, asked: Asked, kills: int) -> Outcome:
    """Return what a log and the answers say of each other."""
    found: dict[str, list[str]] = defaultdict(list)
    with closing(sqlite3.connect(root / "state" / "predictions.db")) as connection:
        for request, prediction in connection.execute("SELECT request_id, prediction_id FROM gristmill_predictions"):
            found[request].append(prediction)
        damaged = [said for (said,) in connection.execute("PRAGMA integrity_check") if said != "ok"]
    every = [one for ids in found.values() for one in ids]
    twice = sorted({one for one in every if every.count(one) > 1}) if len(every) != len(set(every)) else []
    return Outcome(
        kills=kills,
        asked=asked,
        in_flight=len(asked.sent) - len(asked.answered),
        logged=len(every),
        lost=[one for one, ids in asked.answered.items() if sorted(found[one]) != sorted(ids)],
        torn=[one for one, ids in found.items() if one in asked.sent and len(ids) != asked.sent[one]],
        twice=twice,
        damaged=damaged,
    )
