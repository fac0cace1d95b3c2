"""What the last monitoring run advises: shown at the top, because it is what somebody should do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from gristmill.monitoring.weekly.recommending import KEEP
from gristmill.monitoring.weekly.reporting import PRODUCT
from gristmill.paths import CasePaths
from gristmill.reporting.wording import moment
from gristmill.views.monitoring.labels import as_moment


@dataclass(frozen=True)
class Advice:
    """A recommendation to a person.

    Attributes
    ----------
    quiet
        Whether nothing is to be done.
    headline
        In a sentence.
    reasons
        Why, the strongest first.
    commands
        What to run next.
    until
        The end of the time that it is about.
    """

    quiet: bool
    headline: str
    reasons: Sequence[str]
    commands: Sequence[str]
    until: str


def advice(paths: CasePaths) -> Advice | None:
    """Return what the last weekly report advises; None if there was none."""
    try:
        content = json.loads((paths.artifacts / PRODUCT).read_text(encoding="utf-8"))
        found = content["recommendation"]
        until = moment(as_moment(float(content["until"])))
        return Advice(found["action"] == KEEP, found["headline"], tuple(found["reasons"]), tuple(found["commands"]), until)
    except (OSError, ValueError, KeyError, TypeError):
        return None
