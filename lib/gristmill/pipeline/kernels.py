"""The engine papermill executes stages with: nbclient's own, with every save of the notebook redacted."""

import os
from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from gristmill.pipeline.redaction import Redactor

ENGINE = "gristmill"
"""Name of the engine."""


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
            cls.execute_managed_notebook(manager, kernel_name, log_output=options.get("log_output", False), **kwargs)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.nb


def register_engine() -> None:
    """Make the engine known to papermill in this process."""
    papermill_engines.register(ENGINE, StageEngine)
