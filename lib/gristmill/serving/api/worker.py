"""What a worker runs: ``python -m gristmill.serving.api.worker JSON``, started by :mod:`gristmill.serving.api.workers`."""

import json
import socket
import sys
from pathlib import Path

from gristmill.config.sections.operation import Serving
from gristmill.errors import GristmillError


def main() -> None:
    """Serve with what the parent handed over."""
    told = json.loads(sys.argv[1])
    from gristmill.serving.api.server import serve  # noqa: PLC0415 - after the metrics folder is known

    try:
        serve(
            Path(told["root"]), told["name"], Serving.model_validate(told["serving"]), socket.socket(fileno=told["socket"]),
            workers=told["workers"], parent=told["parent"], level=told["level"],
        )  # fmt: skip
    except GristmillError as error:
        sys.stderr.write(f"gristmill: {error}\n")
        sys.exit(GristmillError.exit_code)


if __name__ == "__main__":
    main()
