"""JupyterLab on the project: every notebook opens with its real inputs, and writes beside the build's products, never over them.

Ploomber's contents manager puts a cell with the real ``upstream`` and ``product`` into a notebook that is opened and takes it
out when it is saved. Here its ``product`` is led to ``artifacts/<case>/scratch``, and a save leaves Ploomber's metadata alone:
whether a task is stale is decided by what its notebook says, not by whether it was saved. The notebooks of the project's other
pipelines, which Ploomber passes over, are opened and saved in the same way.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import LargeFileManager
from ploomber.jupyter.manager import derive_class

from gristmill.paths import case_paths
from gristmill.pipeline.lab_case import CASE_VARIABLE
from gristmill.pipeline.lab_scratch import ScratchProduct
from gristmill.pipeline.lab_stages import OpenedStage, side_stages


class StageContentsManager(derive_class(LargeFileManager)):  # type: ignore[misc]
    """Opens stages with the inputs of the last build and an own place for what they write."""

    dag_mapping: Any

    def _load_dag(self, starting_dir: Any = None, log: bool = True, model: Any = None) -> None:  # noqa: FBT001, FBT002
        """Load the DAG as Ploomber does, then lead products to the scratch folder and keep metadata from being deleted."""
        with _chosen_case(Path(self.root_dir)):
            super()._load_dag(starting_dir, log, model)
        if self.dag is None or self.dag_mapping is None:
            return
        tasks = [self.dag[name] for name in self.dag]
        paths = case_paths(str(tasks[0].params["case"]), Path(self.path))
        for task in tasks:
            if not isinstance(task.params.get("product"), ScratchProduct):
                task.params._setitem("product", ScratchProduct(task.product.to_json_serializable(), paths))
        self.dag_mapping = OpenedNotebooks(self._dag_loader._mapping, side_stages(paths), Path(self.root_dir).resolve())


class OpenedNotebooks(Mapping[str, Any]):
    """Notebook, relative to the folder that is served -> what is injected into it; a stage of the training DAG comes first.

    Parameters
    ----------
    training
        The notebooks that Ploomber knows.
    beside
        The stages of all other pipelines.
    served
        The folder that is served.
    """

    def __init__(self, training: Mapping[str, Any], beside: Iterable[OpenedStage], served: Path) -> None:
        found = ((stage.stage.notebook.resolve(), stage) for stage in beside)
        others = {file.relative_to(served).as_posix(): stage for file, stage in found if served in file.parents}
        self._known = {**others, **training}

    def __getitem__(self, key: str) -> Any:
        """Return what is injected into a notebook."""
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        """Give the notebooks."""
        return iter(self._known)

    def __len__(self) -> int:
        """Return how many notebooks there are."""
        return len(self._known)

    def delete_metadata(self, key: str) -> None:
        """Leave Ploomber's metadata as it is, which a save would delete."""


@contextmanager
def _chosen_case(folder: Path) -> Iterator[None]:
    """Make Ploomber read the case named in the environment in place of ``env.yaml``'s default."""
    case = os.environ.get(CASE_VARIABLE)
    if not case or "PLOOMBER_ENV_FILENAME" in os.environ:
        yield
        return
    name = f"env.lab.{case}.yaml"
    (folder / name).write_text(f"case: {case}\n", encoding="utf-8")
    os.environ["PLOOMBER_ENV_FILENAME"] = name
    try:
        yield
    finally:
        del os.environ["PLOOMBER_ENV_FILENAME"]
        (folder / name).unlink(missing_ok=True)
