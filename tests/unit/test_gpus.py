"""What is said of GPUs, by a program in the place of ``nvidia-smi``; and of a machine without any, which is nothing."""

import os
from pathlib import Path

import pytest
from tests.service import until

from gristmill.gpus import Gpu, GpuWatch, gpus
from gristmill.monitoring.instruments import gpu_memory


def smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program into the path that answers as ``nvidia-smi`` does."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("without")
def test_without_a_gpu_there_is_nothing_and_no_zero():
    with GpuWatch() as watch:
        assert gpus() == []
    assert watch.found is None
    assert gpu_memory() == {}


def test_each_gpu_is_read_and_one_that_tells_no_memory_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    smi(
        tmp_path,
        monkeypatch,
        "echo '0, 1000, 24576, 35, NVIDIA A10'; echo '1, [N/A], [N/A], [N/A], MIG'; echo '2, 5, 10, [N/A], T4'",
    )
    assert gpus() == [Gpu("0", "NVIDIA A10", 1000.0, 24576.0, 0.35), Gpu("2", "T4", 5.0, 10.0, None)]
    assert gpu_memory() == {"0": pytest.approx(1000 / 24576), "2": 0.5}


@pytest.mark.parametrize("script", ["exit 9", "echo 'NVIDIA-SMI has failed'; exit 0", "echo No devices were found"])
def test_a_driver_that_does_not_work_is_no_gpu(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    smi(tmp_path, monkeypatch, script)
    assert gpus() == []


def test_the_most_memory_is_what_was_in_use_at_the_worst_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    smi(
        tmp_path, monkeypatch, f'echo x >> {tmp_path}/looks; read -r used < {tmp_path}/used; echo "0, $used, 24576, 50, NVIDIA A10"'
    )
    used, looks = tmp_path / "used", tmp_path / "looks"
    used.write_text("100\n")
    with GpuWatch(seconds=0.02) as watch:
        used.write_text("9000\n")
        seen = len(looks.read_text())
        until(lambda: len(looks.read_text()) > seen + 4)  # a look that began after the change has ended
        used.write_text("300\n")
    assert watch.found == {"names": ["NVIDIA A10"], "peak_mb": 9000.0, "busy": 0.5}
