"""A profile of a process that goes on meanwhile."""

import json
import threading
from pathlib import Path

import pytest

from gristmill.errors import InstrumentError
from gristmill.instruments import profiling
from gristmill.instruments.profiling import Profiler, profiler_from_environment


def work_hard(until: threading.Event) -> None:
    while not until.is_set():
        sum(range(1_000))


def test_the_profile_shows_where_the_time_went(tmp_path: Path) -> None:
    until, profiler = threading.Event(), Profiler(tmp_path / "profiles")
    worker = threading.Thread(target=work_hard, args=(until,), name="worker")
    worker.start()
    path = profiler.start(0.4)
    assert profiler._thread is not None
    profiler._thread.join()
    until.set()
    worker.join()
    content = json.loads(path.read_text())
    frames = [frame["name"] for frame in content["shared"]["frames"]]
    (profile,) = [one for one in content["profiles"] if one["name"] == "worker"]
    seen = [
        weight for stack, weight in zip(profile["samples"], profile["weights"], strict=True) if frames[stack[-1]] == "work_hard"
    ]
    assert sum(seen) > 0.5 * profile["endValue"] > 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing unfinished is left


def test_a_profile_at_a_time(tmp_path: Path) -> None:
    profiler = Profiler(tmp_path)
    path = profiler.start(60)
    assert profiler.running
    with pytest.raises(InstrumentError, match="A profile is being taken"):
        profiler.start(1)
    profiler.stop()
    assert path.exists()
    assert not profiler.running


@pytest.mark.parametrize("seconds", [0, -1, 601, float("nan")])
def test_a_time_out_of_range_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(InstrumentError, match="up to 600 seconds"):
        Profiler(tmp_path).start(seconds)


def test_the_environment_switches_it_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(profiling.VARIABLE, raising=False)
    assert not profiler_from_environment(tmp_path).running
    monkeypatch.setenv(profiling.VARIABLE, "30")
    profiler = profiler_from_environment(tmp_path)
    assert profiler.running
    profiler.stop()
    assert list(tmp_path.glob("profile-*.speedscope.json"))
    monkeypatch.setenv(profiling.VARIABLE, "soon")
    with pytest.raises(InstrumentError, match="GRISTMILL_PROFILE_SECONDS"):
        profiler_from_environment(tmp_path)
