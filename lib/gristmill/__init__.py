"""Gristmill: a raw table in, a served and watched model out."""


def load_ipython_extension(shell: object) -> None:
    """Make ``%run_stage``, ``%run_downstream``, ``%why`` and ``products`` known; IPython calls this for ``%load_ext gristmill``."""
    from gristmill.pipeline.magics import register  # noqa: PLC0415 - notebooks that do not ask for it pay nothing

    register(shell)
