"""Writes the rules of Prometheus and the configuration of Alertmanager, each checked by its own tool where that is here."""

import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from gristmill.config.loading import load_case
from gristmill.data.products import replacing
from gristmill.errors import ParameterError, StateError
from gristmill.monitoring.alerts.rendering import Receivers, alertmanager_file, rules_file


def write(name: str, root: Path, rules: Path, alertmanager: Path, receivers: Receivers | None = None) -> list[str]:
    """Write the two files of a case and return a line for each.

    Parameters
    ----------
    name, root
        The case and the project.
    rules, alertmanager
        Where they go, below the project unless absolute.
    receivers
        Whom alerts reach; the defaults when omitted.

    Raises
    ------
    ParameterError
        An address of a receiver is none; nothing was written.
    StateError
        ``promtool`` or ``amtool`` refuses a file, which is then not written.
    """
    case = load_case(name, root)
    receivers = receivers or Receivers()
    _check_addresses(receivers)
    lines = []
    for path, text, tool in (
        (rules, rules_file(case), ("promtool", "check", "rules")),
        (alertmanager, alertmanager_file(receivers), ("amtool", "check-config")),
    ):
        with replacing(root / path) as temporary:
            temporary.write_text(text, encoding="utf-8")
            checked = _checked(tool, temporary)
        lines.append(f"Wrote {path}{checked}.")
    return lines + _said_of_links(case.monitoring.runbook_url)


def _check_addresses(receivers: Receivers) -> None:
    """Raise if alerts are to go where nobody can be."""
    for option, url in (("--pagerduty", receivers.pagerduty_url), ("--webhook", receivers.webhook_url)):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ParameterError(
                f"Expected {option} as an address such as https://example.org/alerts, got {url!r}. Give all of it."
            )


def _said_of_links(runbook_url: str) -> list[str]:
    """Return that a pager cannot open the runbook, where it is named by a path."""
    if urlsplit(runbook_url).scheme in ("http", "https"):
        return []
    return [
        f"The links of the alerts lead to {runbook_url}, which a pager cannot open. Name the page where it is published as "
        "`monitoring.runbook_url` in the case file."
    ]


def _checked(tool: tuple[str, ...], path: Path) -> str:
    """Return that a file was checked, or why not."""
    if shutil.which(tool[0]) is None:
        return f" (not checked: there is no {tool[0]} here)"
    done = subprocess.run([*tool, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StateError(f"{tool[0]} refuses what was rendered: {(done.stdout + done.stderr).strip()}")
    return f", checked by {tool[0]}"
