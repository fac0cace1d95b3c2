"""JupyterLab on the project: every notebook opens with its real inputs, and writes beside the build's products, never over them.

Ploomber's contents manager puts a cell with the real ``upstream`` and ``product`` into a notebook that is opened and takes it
out when it is saved. Here its ``product`` is led to ``artifacts/<case>/scratch``, and a save leaves Ploomber's metadata alone:
whether a task is stale is decided by what its notebook says, not by whether it was saved.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import LargeFileManager
from ploomber.jupyter.manager import derive_class

from gristmill.paths import CasePaths, case_paths
from gristmill.pipeline.lab_case import CASE_VARIABLE


class ScratchProduct:
    """The product of a stage as a notebook run by hand is given it.

    Parameters
    ----------
    products
        Product key -> file that the build writes.
    paths
        The case.
    """

    def __init__(self, products: Mapping[str, str], paths: CasePaths) -> None:
        self._products, self._paths = products, paths

    def to_json_serializable(self) -> dict[str, str]:
        """Return product key -> file under the case's scratch folder, which then exists."""
        moved = {key: scratch_path(Path(file), self._paths) for key, file in self._products.items()}
        for path in moved.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        return {key: str(path) for key, path in moved.items()}


def scratch_path(product: Path, paths: CasePaths) -> Path:
    """Return where a notebook run by hand writes what a build writes to ``product``."""
    for folder in (paths.artifacts, paths.reports):
        if folder in product.parents:
            return paths.scratch / product.relative_to(folder)
    return paths.scratch / product.name


class StageContentsManager(derive_class(LargeFileManager)):  # type: ignore[misc]
    """Opens stages with the inputs of the last build and an own place for what they write."""

    def _load_dag(self, starting_dir: Any = None, log: bool = True, model: Any = None) -> None:  # noqa: FBT001, FBT002
        """Load the DAG as Ploomber does, then lead products to the scratch folder and keep metadata from being deleted."""
        with _chosen_case(Path(self.root_dir)):
            super()._load_dag(starting_dir, log, model)
        if self.dag is None or self.dag_mapping is None:
            return
        for name in self.dag:
            task = self.dag[name]
            if not isinstance(task.params.get("product"), ScratchProduct):
                paths = case_paths(task.params["case"], Path(self.path).parent if Path(self.path).is_file() else Path(self.path))
                task.params._setitem("product", ScratchProduct(task.product.to_json_serializable(), paths))
        self.dag_mapping.delete_metadata = lambda key: None  # noqa: ARG005


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
