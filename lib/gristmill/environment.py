"""Defaults that have to be in the environment before any library is imported.

A ``.pth`` file beside the installed package imports this module whenever Python starts in an environment that holds Gristmill,
so that a bare ``ploomber build``, a notebook kernel and ``mlflow ui`` are covered too. What the user has set is left alone.
Only ``os`` is imported: this runs at every start of the interpreter.
"""

import os

USAGE_REPORTING_OFF = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "EVIDENTLY_DISABLE_TELEMETRY": "1",
    "FEAST_USAGE": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PLOOMBER_STATS_ENABLED": "false",
    "PLOOMBER_VERSION_CHECK_DISABLED": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "YDATA_PROFILING_NO_ANALYTICS": "True",
}
"""One switch per library that would otherwise report its use to its makers."""

JUPYTER_SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pipeline", "jupyter")
"""Folder of the settings that make JupyterLab open stages with their inputs.

Jupyter does not look into the folder it is started in, rightly: whoever may write there could run code.
"""

PROJECT_MARK = "pipeline.yaml"
"""The file that marks the root of a project."""


def find_project_root(start: str) -> str | None:
    """Return the nearest folder at or above ``start`` that holds ``pipeline.yaml``, or None."""
    folder = os.path.abspath(start)
    while not os.path.isfile(os.path.join(folder, PROJECT_MARK)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def embedded_tracking_uri(root: str) -> str:
    """Return the URI of the tracking store that a project keeps in its own folder."""
    return "sqlite:///" + os.path.join(root, "mlruns", "mlflow.db")


def with_jupyter_settings(paths: str) -> str:
    """Return Jupyter's search path for settings with ours at its end, where the user's own go first."""
    known = [path for path in paths.split(os.pathsep) if path]
    return os.pathsep.join(known if JUPYTER_SETTINGS in known else [*known, JUPYTER_SETTINGS])


def apply() -> None:
    """Set what the user has not: usage reporting off, MLflow and its server on the project's store, Jupyter on its settings."""
    for name, value in USAGE_REPORTING_OFF.items():
        os.environ.setdefault(name, value)
    try:
        root = find_project_root(os.getcwd())
    except OSError:  # the working directory was deleted: nothing to find
        return
    if root is not None:
        if "MLFLOW_TRACKING_URI" not in os.environ:  # MLflow's server and `mlflow ui` ask for a variable of their own
            os.environ.setdefault("MLFLOW_BACKEND_STORE_URI", embedded_tracking_uri(root))
        os.environ.setdefault("MLFLOW_TRACKING_URI", embedded_tracking_uri(root))
        os.environ["JUPYTER_CONFIG_PATH"] = with_jupyter_settings(os.environ.get("JUPYTER_CONFIG_PATH", ""))


apply()
