"""JupyterLab's settings for every Gristmill project; `gristmill.environment` leads Jupyter here."""

from gristmill.pipeline.lab_page import loadable

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - Jupyter provides it

# Opens every stage with the real inputs of the last build; what a stage writes by hand goes to artifacts/<case>/scratch.
c.ServerApp.contents_manager_class = "gristmill.pipeline.lab.StageContentsManager"

# Each would wrap the contents manager once more; Jupytext's would turn it asynchronous, which Ploomber's part cannot be.
c.ServerApp.jpserver_extensions = {"ploomber": False, "jupyterlab_jupytext": False, "jupytext": False, "ploomber_extension": False}

c.ServerApp.tornado_settings = {"page_config_hook": loadable}
