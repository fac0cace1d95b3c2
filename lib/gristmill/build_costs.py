"""What a build took: time, processors, memory and GPUs, stage by stage and in all, from what the build itself wrote down."""

import json
import resource
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psutil  # type: ignore[import-untyped]

from gristmill.gpus import NONE
from gristmill.paths import CasePaths

PIPELINE = "pipeline.yaml"
"""The DAG whose stages make a model; what other DAGs of the case took is not part of it."""


@dataclass(frozen=True)
class StageCost:
    """What the last run of one stage took.

    Attributes
    ----------
    stage
        Its name.
    build_id
        The build that it was part of; empty where that is not known.
    finished
        When it ended, in seconds since 1970; 0 where that is not known.
    seconds
        How long it took.
    cpu_seconds, joules
        Processor time and energy of its processes; None where it is not known.
    peak_mb
        Most memory of one of its processes.
    gpu
        ``names``, ``peak_mb`` and ``busy`` as :class:`gristmill.gpus.GpuWatch` finds them; None without a GPU.
    """

    stage: str
    build_id: str
    finished: float
    seconds: float
    cpu_seconds: float | None
    peak_mb: float
    joules: float | None = None
    gpu: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class BuildCosts:
    """What the stages of a model took: each when it last ran, and those of the last build together.

    Attributes
    ----------
    stages
        Every stage, by name; one that was up to date is there as it ran in an earlier build.
    """

    stages: tuple[StageCost, ...]

    @property
    def ran(self) -> tuple[StageCost, ...]:
        """The stages of the last build."""
        last = max(self.stages, key=lambda one: one.finished, default=None)
        return () if last is None or not last.build_id else tuple(one for one in self.stages if one.build_id == last.build_id)

    @property
    def seconds(self) -> float | None:
        """Time from the start of the first stage of the last build to the end of its last; None where there is none."""
        ran = self.ran
        return max(one.finished for one in ran) - min(one.finished - one.seconds for one in ran) if ran else None

    @property
    def cpu_seconds(self) -> float | None:
        """Processor time of the last build; None where it is not known of all its stages."""
        return _sum(one.cpu_seconds for one in self.ran)

    @property
    def joules(self) -> float | None:
        """Energy of the processor for the last build; None where the machine does not tell."""
        return _sum(one.joules for one in self.ran)

    @property
    def peak_mb(self) -> float | None:
        """Most memory that one process of the last build took."""
        return max((one.peak_mb for one in self.ran), default=None)

    @property
    def gpu_peak_mb(self) -> float | None:
        """Most memory of the GPUs that was in use during the last build; None without a GPU."""
        return max((float(one.gpu["peak_mb"]) for one in self.ran if one.gpu), default=None)

    @property
    def gpu(self) -> str:
        """The GPUs of the machine that built, or ``none``."""
        names = [str(name) for one in self.ran if one.gpu for name in one.gpu["names"]]
        return ", ".join(dict.fromkeys(names)) or NONE

    def with_running(self, stage: str, build_id: str) -> "BuildCosts":
        """Return the costs with the stage that this very process runs, as far as it has come."""
        process = psutil.Process()
        used, now = resource.getrusage(resource.RUSAGE_SELF), time.time()
        peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        own = StageCost(
            stage,
            build_id,
            now,
            now - float(process.create_time()),
            used.ru_utime + used.ru_stime,
            peak,
            gpu=self._gpu_of(build_id),
        )
        return BuildCosts((*(one for one in self.stages if one.stage != stage), own))

    def _gpu_of(self, build_id: str) -> Mapping[str, Any] | None:
        """Return the GPUs that another stage of a build saw, so that one that does not look itself does not deny them."""
        return next((one.gpu for one in self.stages if one.build_id == build_id and one.gpu), None)

    def as_metrics(self) -> dict[str, float | None]:
        """Return the figures by name: ``build_…`` of the last build, and by stage ``stage_…/<stage>``."""
        whole = {
            "build_seconds": self.seconds,
            "build_cpu_seconds": self.cpu_seconds,
            "build_joules": self.joules,
            "build_peak_mb": self.peak_mb,
            "build_gpu_peak_mb": self.gpu_peak_mb,
            "build_stages": float(len(self.ran)),
        }
        for one in self.stages:
            whole[f"stage_seconds/{one.stage}"] = one.seconds
            whole[f"stage_cpu_seconds/{one.stage}"] = one.cpu_seconds
            whole[f"stage_peak_mb/{one.stage}"] = one.peak_mb
        return whole


def _sum(values: Iterable[float | None]) -> float | None:
    """Return a sum; None where a part of it is not known, or there is none."""
    known = list(values)
    return None if not known or None in known else sum(value for value in known if value is not None)


def build_costs(paths: CasePaths) -> BuildCosts:
    """Return what the stages of a case's model took; nothing where it was never built here."""
    if not paths.timings.is_file():
        return BuildCosts(())
    timings = json.loads(paths.timings.read_text(encoding="utf-8"))
    return costs_of(timings)


def costs_of(timings: Mapping[str, Mapping[str, Any]]) -> BuildCosts:
    """Return the costs that ``timings.json`` holds; what older builds did not write down is not known."""
    own = {name: one for name, one in sorted(timings.items()) if one.get("pipeline", PIPELINE) == PIPELINE}
    return BuildCosts(tuple(_stage(name, one) for name, one in own.items()))


def _stage(name: str, one: Mapping[str, Any]) -> StageCost:
    """Return what one stage took."""
    return StageCost(
        stage=name,
        build_id=str(one.get("build_id") or ""),
        finished=float(one.get("finished") or 0.0),
        seconds=float(one["seconds"]),
        cpu_seconds=one.get("cpu_seconds"),
        peak_mb=float(one["peak_mb"]),
        joules=one.get("joules"),
        gpu=one.get("gpu"),
    )
