"""What a process spent: processor time, and energy where the processor tells it."""

from pathlib import Path

import pytest

from gristmill.machine import Meter, meter, spent_since


def powercap(folder: Path, microjoules: int, most: int = 1_000_000) -> Path:
    """Make the files that Linux shows of a processor with one package, one part of it, and the whole board."""
    for name, kind in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")):
        counter = folder / name
        counter.mkdir(parents=True, exist_ok=True)
        (counter / "name").write_text(f"{kind}\n")
        (counter / "energy_uj").write_text(f"{microjoules}\n")
        (counter / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_only_whole_packages_are_counted(tmp_path: Path) -> None:
    assert meter(powercap(tmp_path, 5)).counters == {"intel-rapl:0": (5, 1_000_000)}


def test_a_machine_without_counters_tells_time_alone(tmp_path: Path) -> None:
    before = meter(tmp_path / "nothing")
    sum(number**2 for number in range(300_000))
    spent = spent_since(before, meter(tmp_path / "nothing"))
    assert spent.cpu_seconds > 0
    assert spent.joules is None


def reading(own: float, busy: float, counter: int) -> Meter:
    return Meter(own, busy, {"intel-rapl:0": (counter, 9_999_999)})


@pytest.mark.parametrize(
    ("after", "joules"),
    [
        (reading(2.0, 20.0, 6_000_000), 1.0),  # a fifth of what ran, of five joules
        (reading(2.0, 20.0, 0), 1.8),  # the counter started again after 9,999,999
        (reading(0.0, 20.0, 6_000_000), 0.0),
        (reading(20.0, 11.0, 6_000_000), 5.0),  # never more than there was
    ],
)
def test_energy_is_shared_out_by_processor_time(after: Meter, joules: float) -> None:
    spent = spent_since(reading(0.0, 10.0, 1_000_000), after)
    assert spent.joules == pytest.approx(joules)


def test_counters_that_come_or_go_tell_nothing() -> None:
    assert spent_since(reading(0.0, 0.0, 1), Meter(1.0, 1.0)).joules is None
    assert spent_since(Meter(0.0, 0.0), reading(1.0, 1.0, 1)).joules is None
