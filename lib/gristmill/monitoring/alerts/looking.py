"""One look at a case's alerts from the command line."""

from pathlib import Path

from gristmill.config.loading import load_case
from gristmill.monitoring.alerts.evaluate import (
    FIRING,
    after,
    as_posted,
    evaluate,
    news,
    read_look,
    sentence,
    state_file,
    write_look,
)
from gristmill.monitoring.alerts.fetching import fetched
from gristmill.monitoring.alerts.posting import post


def look(name: str, root: Path, service: str | None, token: str, alertmanager: str | None) -> tuple[list[str], bool]:
    """Evaluate the alerts of a case once; return a line for each that is not quiet, and whether one is firing.

    Parameters
    ----------
    name, root
        The case and the project.
    service, token
        As in :func:`gristmill.monitoring.alerts.fetching.fetched`. Without a service its own alerts are left out.
    alertmanager
        URL of an Alertmanager that is told of every firing alert, and of those that are over; None for none.

    Raises
    ------
    StateError
        The Alertmanager does not answer; the look is not counted then, and the next one tells it again.
    """
    case, path = load_case(name, root), state_file(root, name)
    samples, last = fetched(root, service, token), read_look(path)
    alerts = evaluate(case, samples, last)
    if alertmanager is not None:
        told = [as_posted(case, one, samples.at) for one in alerts if one.state == FIRING or one in news(alerts)]
        if told:
            post(alertmanager, told)
    write_look(path, after(samples, alerts))
    firing = any(one.state == FIRING for one in alerts)
    lines = [sentence(case, one) for one in alerts] or [f"No alert of {name} is pending or firing."]
    return lines, firing
