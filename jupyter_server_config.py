"""JupyterLab's settings for this project; `make lab` starts it with them, GRISTMILL_CASE names another case."""

c = get_config()  # noqa: F821 - Jupyter provides it

# Opens every stage with the real inputs of the last build; what a stage writes by hand goes to artifacts/<case>/scratch.
c.ServerApp.contents_manager_class = "gristmill.pipeline.lab.StageContentsManager"

# Both would wrap the contents manager once more; Jupytext's would turn it asynchronous, which Ploomber's part cannot be.
c.ServerApp.jpserver_extensions = {"ploomber": False, "jupytext": False}
