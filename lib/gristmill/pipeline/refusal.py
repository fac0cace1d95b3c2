"""How a build refuses: one sentence and an exit code, except where exiting would take a server or a person's work down."""

import sys
from typing import NoReturn

from gristmill.errors import GristmillError


def inside_jupyter() -> bool:
    """Return whether this process is a Jupyter server or a notebook's kernel."""
    for module, name in (("jupyter_server.serverapp", "ServerApp"), ("ipykernel.kernelapp", "IPKernelApp")):
        application = getattr(sys.modules.get(module), name, None)
        if application is not None and application.initialized():
            return True
    return False


def refuse(error: GristmillError) -> NoReturn:
    """End the process with the error's one sentence and exit code; inside Jupyter, raise it instead.

    Raises
    ------
    SystemExit
        Always, outside Jupyter.
    GristmillError
        ``error`` itself, inside Jupyter.
    """
    if inside_jupyter():
        raise error
    sys.stdout.flush()
    sys.stderr.write(f"gristmill: {error}\n")
    raise SystemExit(error.exit_code)
