"""How busy the machine is while a family is trained is sampled under the names that MLflow shows (R23, R62)."""

import pytest

from gristmill.modeling.search import machine_load
from gristmill.modeling.search.machine_load import MachineLoad


def test_there_is_a_sample_however_short_the_block():
    with MachineLoad() as load:
        pass
    (sample,) = load.samples
    assert sample["system/process_memory_megabytes"] > 20
    assert 0 < sample["system/system_memory_usage_percentage"] <= 100
    assert {name.partition("/")[0] for name in sample} == {"timestamp", "system"}


def test_a_long_block_leaves_a_bounded_number_of_samples(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine_load, "MOST", 4)
    with MachineLoad(every=0.001) as load:
        while load.every < 0.004:
            pass
    assert 1 <= len(load.samples) <= 5
    assert [one["timestamp"] for one in load.samples] == sorted(one["timestamp"] for one in load.samples)
