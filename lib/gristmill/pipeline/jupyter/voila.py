"""Voila's settings for every Gristmill project; `gristmill.environment` leads Jupyter here.

The explorer is for people who do not read code: none is shown, nothing comes from another host, and only this machine is served.
"""

import os

from traitlets.config import Application

from gristmill.paths import project_paths
from gristmill.pipeline.lab_case import current_case
from gristmill.views.explorer.starting import TEMPLATES, require_built

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - Jupyter provides it

# JupyterLab reads these settings too, for its previews, and has to start before anything is built.
if Application.initialized() and Application.instance().name == "voila":
    require_built(current_case(project_paths().root))

# Where Voila looks for templates; it has no setting for that.
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH", "")]))

c.Voila.ip = "127.0.0.1"
c.Voila.open_browser = False
c.VoilaConfiguration.template = "gristmill"
c.VoilaConfiguration.allow_template_override = "NO"
c.VoilaConfiguration.allow_theme_override = "NO"
c.VoilaConfiguration.strip_sources = True
c.VoilaConfiguration.file_allowlist = []
c.VoilaConfiguration.extension_allowlist = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]
c.TagRemovePreprocessor.remove_cell_tags = {"for-programmers"}
c.MappingKernelManager.cull_idle_timeout = 1200
c.MappingKernelManager.cull_interval = 60
