"""The engine papermill executes stages with: nbclient's own, with every save of the notebook redacted."""

import os
import tempfile
from pathlib import Path
from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from traitlets.config import Config

from gristmill.pipeline.redaction import Redactor

ENGINE = "gristmill"
"""Name of the engine."""
LONGEST_FOLDER = 60
"""Characters of a temporary folder's name that leave room for the name of a socket."""


class RedactingManager(NotebookExecutionManager):  # type: ignore[misc]
    """Saves a notebook in the making without the environment's secrets."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._redactor = Redactor(os.environ)

    def save(self, **kwargs: Any) -> None:
        """Write the notebook, redacted, to its path."""
        self._redactor.outputs(kwargs.get("nb") or self.nb)
        super().save(**kwargs)


class StageEngine(NBClientEngine):  # type: ignore[misc]
    """Executes a notebook as nbclient does and saves it with :class:`RedactingManager`."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str | None = None, **kwargs: Any) -> Any:
        """Execute ``nb`` and return it; see :meth:`papermill.engines.Engine.execute_notebook`."""
        options = {key: kwargs.pop(key) for key in ("progress_bar", "log_output", "autosave_cell_every") if key in kwargs}
        manager = RedactingManager(nb, output_path=output_path, **options)
        manager.notebook_start()
        try:
            _executed(cls, manager, kernel_name, kwargs)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb


def _executed(engine: type[NBClientEngine], manager: NotebookExecutionManager, kernel_name: str, options: dict[str, Any]) -> None:
    """Execute the notebook of ``manager``; a kernel that does not come up is given another chance, a cell never is."""
    for last in (False, False, True):
        with tempfile.TemporaryDirectory(prefix="gm-", dir=_short_folder(), ignore_cleanup_errors=True) as folder:
            try:
                engine.execute_managed_notebook(manager, kernel_name, config=_own_sockets(Path(folder)), **options)
            except RuntimeError:  # what jupyter_client raises for a kernel that died or was silent while it started
                if last or _has_begun(manager.nb):
                    raise
            else:
                return


def _short_folder() -> str | None:
    """Return a folder for sockets if the usual one's name is too long for them: about a hundred characters hold all of it."""
    return "/tmp" if len(tempfile.gettempdir()) > LONGEST_FOLDER else None  # noqa: S108 - a folder of its own is made inside


def _own_sockets(folder: Path) -> Config:
    """Return settings for a kernel that is reached through files in a folder of its own.

    TCP ports are looked for, let go and bound again by the kernel: two kernels that start at once may be given the same one.
    """
    return Config(KernelManager={"transport": "ipc", "connection_file": str(folder / "kernel.json")})


def _has_begun(notebook: Any) -> bool:
    """Return whether a cell has started."""
    return any(cell.metadata.get("papermill", {}).get("start_time") for cell in notebook.cells)


def register_engine() -> None:
    """Make the engine known to papermill in this process."""
    papermill_engines.register(ENGINE, StageEngine)
