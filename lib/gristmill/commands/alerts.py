"""``gristmill alerts``: the rules for Prometheus, Gristmill's own evaluation of them, and the gauges they read."""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import project_root

KEY = "GRISTMILL_METRICS_KEY"
"""Environment variable with a key of the service whose scope is ``metrics``."""

app = typer.Typer(
    no_args_is_help=True, help="Alerts of a case: rules for Prometheus, an evaluation without it, and the gauges of both."
)


@app.command()
def render(
    case: CaseName = DEFAULT_CASE,
    rules: Annotated[Path, typer.Option("--rules", metavar="FILE", help="Where the rules go.")] = Path(
        "deploy/prometheus/rules.yml"
    ),
    alertmanager: Annotated[
        Path, typer.Option("--alertmanager", metavar="FILE", help="Where the configuration of Alertmanager goes.")
    ] = Path("deploy/alertmanager/alertmanager.yml"),
    webhook: Annotated[str, typer.Option("--webhook", metavar="URL", help="Where every alert goes as JSON.")] = "",
    pagerduty: Annotated[
        str, typer.Option("--pagerduty", metavar="URL", help="Where pages go: another region of PagerDuty, or a trial's receiver.")
    ] = "",
    routing_key: Annotated[
        str, typer.Option("--routing-key", metavar="FILE", help="File from which Alertmanager reads PagerDuty's integration key.")
    ] = "",
) -> None:
    """Write the alerts of CASE as rules of Prometheus, and whom they reach as a configuration of Alertmanager; check both."""
    from gristmill.monitoring.alerts.rendering import Receivers  # noqa: PLC0415
    from gristmill.monitoring.alerts.writing import write  # noqa: PLC0415

    asked = {"webhook_url": webhook, "pagerduty_url": pagerduty, "routing_key_file": routing_key}
    receivers = Receivers(**{name: value for name, value in asked.items() if value})
    for line in write(case, project_root(), rules, alertmanager, receivers):
        typer.echo(line)


@app.command()
def check(
    case: CaseName = DEFAULT_CASE,
    service: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--service", metavar="URL", help=f"The service's /metrics, with the key in {KEY}; none is looked at if not given."
        ),
    ] = None,
    alertmanager: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--alertmanager", metavar="URL", help="An Alertmanager that is told what is new."),
    ] = None,
) -> None:
    """Look at the alerts of CASE once, without a Prometheus, and say which are pending, firing or over; exit 3 if one is firing."""
    from gristmill.monitoring.alerts.looking import look  # noqa: PLC0415

    lines, firing = look(case, project_root(), service, os.environ.get(KEY, ""), alertmanager)
    for line in lines:
        typer.echo(line)
    if firing:
        raise typer.Exit(3)


@app.command()
def export(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the gauges.")] = 9464,
    host: Annotated[str, typer.Option("--host", help="Address to listen at.")] = "127.0.0.1",
) -> None:
    """Serve what watching found, and how the machine is, to Prometheus at /metrics, until this is stopped."""
    from gristmill.monitoring.exporter import serve  # noqa: PLC0415

    _, thread = serve(project_root(), port, host)
    typer.echo(f"Serving the gauges of this project at http://{host}:{port}/metrics")
    thread.join()
