"""What a build took, from what it wrote down."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from gristmill.build_costs import build_costs, costs_of
from gristmill.data.products import write_json
from gristmill.errors import ArtifactError
from gristmill.monitoring.builds import build_gauges
from gristmill.paths import CasePaths
from gristmill.pipeline.records import Record, Records

A10 = {"names": ["NVIDIA A10"], "peak_mb": 2048.0, "busy": 0.4}


def timing(finished: float, seconds: float, build_id: str = "new", **more: Any) -> dict[str, Any]:
    return {"seconds": seconds, "peak_mb": 100.0, "cpu_seconds": seconds / 2, "build_id": build_id, "finished": finished, **more}


TIMINGS = {
    "01_ingest": timing(50, 9, "old"),
    "05_train_forest": timing(130, 30, peak_mb=400.0),
    "05_train_linear": timing(120, 20),
    "06_select": timing(140, 10, joules=3.0),
    "21_data_quality": timing(900, 5, "watching", pipeline="pipeline.monitor.yaml"),
}


def test_the_last_build_is_from_the_start_of_its_first_stage_to_the_end_of_its_last():
    costs = costs_of(TIMINGS)
    assert [one.stage for one in costs.ran] == ["05_train_forest", "05_train_linear", "06_select"]
    assert (costs.seconds, costs.cpu_seconds, costs.peak_mb) == (40, 30, 400)
    assert costs.joules is None  # known of one stage alone
    assert "21_data_quality" not in {one.stage for one in costs.stages}


def test_a_stage_that_was_up_to_date_counts_among_the_stages_and_not_in_the_build():
    found = costs_of(TIMINGS).as_metrics()
    assert found["stage_seconds/01_ingest"] == 9
    assert found["build_stages"] == 3


def test_a_gpu_is_named_and_its_absence_is_none_and_no_zero():
    assert (costs_of(TIMINGS).gpu, costs_of(TIMINGS).gpu_peak_mb) == ("none", None)
    seen = costs_of({**TIMINGS, "05_train_linear": timing(120, 20, gpu=A10)})
    assert (seen.gpu, seen.gpu_peak_mb) == ("NVIDIA A10", 2048)


def test_what_an_older_build_wrote_down_is_shown_and_not_taken_for_one_build():
    costs = costs_of({"01_ingest": {"seconds": 2.0, "peak_mb": 9.0, "cpu_seconds": None, "joules": None}})
    assert costs.stages[0].seconds == 2
    assert (costs.ran, costs.seconds, costs.peak_mb, costs.cpu_seconds) == ((), None, None, None)


def test_the_stage_that_runs_counts_as_far_as_it_has_come():
    costs = costs_of({"05_train_linear": timing(time.time() - 1, 20, gpu=A10), "11_register": timing(10, 5, "old")})
    now = costs.with_running("11_register", "new")
    assert [one.stage for one in now.ran] == ["05_train_linear", "11_register"]
    own = now.ran[1]
    assert own.cpu_seconds is not None
    assert 0 < own.cpu_seconds <= sum(os.times()[:2]) + 1
    assert own.peak_mb > 10
    assert now.gpu == "NVIDIA A10"


def test_a_record_is_read_back_as_costs_and_as_gauges(tmp_path: Path):
    paths = CasePaths(tmp_path, "small")
    with pytest.raises(ArtifactError, match="Expected a build of 'small'"):
        build_gauges(paths)
    write_json(paths.metrics, {"test": {}, "gates": []})
    done = Record("06_select", "r", "b", 140.0, 10.0, 64.0, "f", {}, {}, {}, {}, cpu_seconds=8.0, gpu=A10)
    Records(tmp_path, "small").write(done)
    assert build_costs(paths).ran[0].gpu == A10
    text = build_gauges(paths).write(tmp_path).read_text()
    assert 'gristmill_training_stage_seconds{case="small",stage="06_select"} 10.0' in text
    assert 'gristmill_training_build_peak_memory_bytes{case="small"} 6.7108864e+07' in text
    assert 'gristmill_training_gpu_info{case="small",gpu="NVIDIA A10"} 1.0' in text


def test_the_gauges_of_a_machine_without_a_gpu_say_none_and_give_no_figure(tmp_path: Path):
    paths = CasePaths(tmp_path, "small")
    write_json(paths.metrics, {"test": {}, "gates": []})
    write_json(paths.timings, TIMINGS)
    text = build_gauges(paths).write(tmp_path).read_text()
    assert 'gristmill_training_gpu_info{case="small",gpu="none"} 1.0' in text
    assert "gpu_peak_memory" not in text
