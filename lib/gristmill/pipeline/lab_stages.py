"""The stages of the pipelines beside the training DAG as JupyterLab opens them: of ``pipeline.monitor.yaml``, for example.

Ploomber injects the stages of ``pipeline.yaml`` alone. Those of any other ``pipeline.NAME.yaml`` of the project are read here,
without Ploomber: opening a notebook must not decide what is stale.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill.errors import GristmillError
from gristmill.paths import CasePaths
from gristmill.pipeline.definition import PIPELINE_FILE, Stage, env_file, read_stages
from gristmill.pipeline.lab_scratch import ScratchProduct, scratch_path
from gristmill.pipeline.records import Records

WRITTEN = "output"
"""Parameter that names a file a stage writes beside its products; by hand it goes to the scratch folder too."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Upstream:
    """The products of the stages that a stage reads from, in the form in which Ploomber takes them."""

    products: Mapping[str, Mapping[str, Path]]

    def to_json_serializable(self) -> dict[str, dict[str, str]]:
        """Return stage -> product key -> file."""
        return {name: {key: str(file) for key, file in files.items()} for name, files in self.products.items()}


@dataclass(frozen=True)
class OpenedStage:
    """A stage that JupyterLab opens, in the form in which Ploomber's contents manager takes a task.

    Attributes
    ----------
    stage
        Its entry, with the defaults of the pipeline's ``env`` file in place.
    stages
        All stages of its pipeline.
    pipeline
        The pipeline's file.
    paths
        The case.
    """

    stage: Stage
    stages: Mapping[str, Stage]
    pipeline: str
    paths: CasePaths

    @property
    def _params(self) -> "OpenedStage":
        """What Ploomber asks for what it injects."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return what the notebook is given: ``upstream``, ``product``, and its parameters."""
        upstream = {name: self.stages[name].products for name in self.stage.upstream}
        products = {key: str(file) for key, file in self.stage.products.items()}
        return {
            "upstream": _Upstream(upstream) if upstream else None,
            "product": ScratchProduct(products, self.paths),
            **self._parameters(),
        }

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters; a file that one of them names to be written lies under the scratch folder."""
        known: dict[str, Any] = {**self.stage.entry["params"], **self._asked_last()}
        if WRITTEN in known:
            known[WRITTEN] = str(scratch_path(self.paths.root / str(known[WRITTEN]), self.paths))
        return known

    def _asked_last(self) -> dict[str, Any]:
        """Return what the last run was asked, such as its table or its window; nothing if the defaults were changed since."""
        record = Records(self.paths.root, self.paths.name).read(self.stage.name)
        if record is None or record.pipeline != self.pipeline:
            return {}
        env = self.paths.root / env_file(self.pipeline)
        if env.is_file() and env.stat().st_mtime > record.finished:
            return {}
        return {key: value for key, value in record.params.items() if key in self.stage.entry["params"]}


def side_stages(paths: CasePaths) -> Iterator[OpenedStage]:
    """Give the stages of every ``pipeline.NAME.yaml`` of the project; a file that is no pipeline is told of and passed over.

    Parameters
    ----------
    paths
        The case on whose files notebooks are opened.
    """
    for file in sorted(paths.root.glob(PIPELINE_FILE.replace(".", ".*.", 1))):
        try:
            stages = read_stages(paths.root, paths.name, file.name)
        except GristmillError as error:
            _LOG.warning("The notebooks of %s open without their inputs: %s", file.name, error)
            continue
        for stage in stages.values():
            yield OpenedStage(stage, stages, file.name, paths)
