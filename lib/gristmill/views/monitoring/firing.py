"""The alerts of a case as they stand now, each with what to do about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gristmill.config.case import Case
from gristmill.monitoring.alerts.evaluate import FIRING, PENDING, Look, evaluate, read_look, state_file
from gristmill.monitoring.alerts.fetching import fetched
from gristmill.monitoring.alerts.rendering import anchor, annotations
from gristmill.monitoring.alerts.signals import Samples
from gristmill.reporting.wording import moment
from gristmill.views.monitoring.labels import as_moment

RUNBOOK = Path("docs") / "runbook.md"


@dataclass(frozen=True)
class Standing:
    """One alert that is not quiet.

    Attributes
    ----------
    rule, state, severity
        As in the case file and in :mod:`gristmill.monitoring.alerts.evaluate`.
    since
        When it went beyond its limit.
    words
        What is, and beyond which limit.
    runbook
        The runbook's section on it in Markdown; empty where the project has none.
    url
        Where that section is on the web.
    """

    rule: str
    state: str
    severity: str
    since: str
    words: str
    runbook: str
    url: str


def standing(case: Case, root: Path, service: Samples | None = None) -> tuple[list[Standing], str]:
    """Return the alerts that are firing or pending, the firing ones first, and a sentence on how things stand.

    Nothing is written: pending alerts go on from what ``gristmill alerts check`` left.

    Parameters
    ----------
    case
        The case.
    root
        The project.
    service
        What a running service says; None where none answers, and its alerts are then left out.

    Raises
    ------
    StateError
        What the last look left cannot be read.
    """
    own = fetched(root, None)
    series = {**own.series, **(service.series if service is not None else {})}
    samples, last = Samples(own.at, series), read_look(state_file(root, case.name))
    found = [one for one in evaluate(case, samples, last) if one.state in (FIRING, PENDING)]
    runbook = _runbook(root)
    listed = [
        Standing(one.rule, one.state, case.monitoring.alerts[one.rule].severity,
                 moment(as_moment(one.since)), _words(case, one.rule, one.value), section(runbook, anchor(one.rule)),
                 annotations(case, one.rule, case.monitoring.alerts[one.rule], "")["runbook_url"])
        for one in sorted(found, key=lambda one: (one.state != FIRING, one.rule))
    ]  # fmt: skip
    return listed, _sentence(listed, last, with_service=service is not None)


def _sentence(listed: Sequence[Standing], last: Look, *, with_service: bool) -> str:
    """Say how many alerts there are, and what was not looked at."""
    firing, pending = (sum(one.state == state for one in listed) for state in (FIRING, PENDING))
    parts = [f"{firing} {'alert is' if firing == 1 else 'alerts are'} firing" if firing else "No alert is firing"]
    if pending:
        parts.append(f"{pending} {'is' if pending == 1 else 'are'} beyond the limit, but not yet for long enough")
    lines = [f"{', '.join(parts)}."]
    if not with_service:
        lines.append("Alerts about the service are left out, because none answers.")
    elif last.samples is None:
        lines.append("Alerts on rates compare with the last `gristmill alerts check`; there was none yet.")
    return " ".join(lines)


def _words(case: Case, rule: str, value: float) -> str:
    """Return what an alert says to a person."""
    return annotations(case, rule, case.monitoring.alerts[rule], f"{value:.4g}")["description"]


def _runbook(root: Path) -> str:
    """Return the project's runbook, or nothing."""
    path = root / RUNBOOK
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def section(text: str, name: str) -> str:
    """Return the part of a Markdown text under the heading of a name, without the heading; nothing if there is none.

    Links to other parts of the text lead nowhere outside of it, and become plain words.
    """
    found = re.search(rf"^##\s+{re.escape(name)}\s*$\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1", found[1].strip()) if found else ""
