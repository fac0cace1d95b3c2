"""``gristmill serve``: the prediction service of a case, and its first key."""

from typing import Annotated

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import project_paths


def serve(
    case: CaseName = DEFAULT_CASE,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 127.0.0.1 is for this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that serve.")] = 1,
    log_level: Annotated[str, typer.Option("--log-level", help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve predictions of CASE's production model over HTTP; prints a first key where there is none yet."""
    from gristmill.config.loading import load_case  # noqa: PLC0415
    from gristmill.serving.api import server  # noqa: PLC0415
    from gristmill.serving.api import workers as several  # noqa: PLC0415
    from gristmill.serving.first_key import first_key  # noqa: PLC0415

    root = project_paths().root
    serving = load_case(case, root).serving
    listening = several.listen(host, port, serving.limits.backlog)
    made = first_key(root)
    shown = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    if made is not None:
        typer.echo(f"A first key, for everything, shown this once: {made}")
        typer.echo("It works for 90 days. `gristmill keys create` makes others, `gristmill keys revoke` ends one.")
    typer.echo(f"{case} is served at {shown}; Ctrl-C ends it.")
    with listening:
        if workers == 1:
            server.serve(root, case, serving, listening, level=log_level)
        else:
            several.serve_with_workers(root, case, serving, listening, workers, log_level)
