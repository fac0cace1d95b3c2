"""What the service wants of the registry, done by a process of its own, so that no worker loads MLflow.

``python -m gristmill.serving.served.registry_process ROOT`` reads one request as JSON from its input and writes one answer. Three
things can be asked: where a version lies and which digest it has, a promotion, and a rollback; a fourth, for the app, is what
there is: the versions of a model with their evidence.
"""

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gristmill import errors
from gristmill.errors import GristmillError, RegistryError

SECONDS_TO_WAIT = 300
"""A registry may have to fetch a model from far away."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """Where a version lies, and the digest that it has to have."""

    version: int
    directory: Path
    digest: str | None


async def locate(root: Path, model: str, version: int | None = None) -> Located:
    """Return where a version lies; the champion where none is named.

    Raises
    ------
    RegistryError
        There is no such version, or no champion.
    """
    found = await ask(root, {"what": "locate", "model": model, "version": version})
    return Located(found["version"], Path(found["directory"]), found["digest"])


async def ask(root: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return what the process answers to a request.

    Raises
    ------
    GristmillError
        The error, of its own kind, that the registry raised.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, str(root),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal of the service is not for it
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(json.dumps(request).encode()), SECONDS_TO_WAIT)
    except (TimeoutError, asyncio.CancelledError) as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise RegistryError(f"The registry did not answer within {SECONDS_TO_WAIT} seconds. Look at its server.") from error
        raise
    try:
        answer: dict[str, Any] = json.loads(out)
    except ValueError as error:
        _LOG.error("the process that asks the registry ended without an answer: %s", err.decode("utf-8", "replace")[-2000:])
        raise RegistryError("The registry could not be asked; the log of the service says why.") from error
    if "error" in answer:
        kind = getattr(errors, str(answer["error"]), RegistryError)
        raise kind(answer["message"])
    return answer


def answer(root: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request, in this process.

    Raises
    ------
    GristmillError
        As the registry does.
    """
    from gristmill.registry import promotion, releases  # noqa: PLC0415

    model, what = str(request["model"]), request["what"]
    if what == "locate":
        return _locate(root, model, request["version"])
    if what == "list":
        return _list(root, model, int(request["most"]))
    with releases.acting_as(str(request["who"])):
        if what == "promote":
            outcome = promotion.promote(model, request["version"], request["alias"], request["reason"], root)
        else:
            outcome = promotion.rollback(model, request["reason"], request["to"], root)
    release = outcome.release
    moved = outcome.entry is not None
    return {"moved": moved, "champion": release.champion, "challenger": release.challenger, "staging": release.staging,
            "token": release.token, "notes": list(outcome.notes)}  # fmt: skip


def _locate(root: Path, model: str, version: int | None) -> dict[str, Any]:
    from gristmill.paths import ProjectPaths  # noqa: PLC0415
    from gristmill.registry.references import resolve  # noqa: PLC0415

    found = resolve(f"{model}@champion" if version is None else f"{model}/{version}", ProjectPaths(root))
    return {"version": found.version, "directory": os.fspath(found.directory.resolve()), "digest": found.digest}


def _list(root: Path, model: str, most: int) -> dict[str, Any]:
    from gristmill.registry.listing import listed  # noqa: PLC0415

    return {"versions": listed(model, most, root)}


def main() -> None:
    """Answer the one request that stands on the input."""
    written, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    try:
        made = answer(Path(sys.argv[1]), json.load(sys.stdin))
    except GristmillError as error:
        made = {"error": type(error).__name__, "message": str(error)}
    written.write(json.dumps(made))
    written.flush()


if __name__ == "__main__":
    main()
