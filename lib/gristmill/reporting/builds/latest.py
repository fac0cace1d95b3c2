"""The latest builds in a few words, for the pages that lead to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.reporting.builds.differences import signed
from gristmill.reporting.builds.facts import kinds_changed
from gristmill.reporting.builds.history import Entry
from gristmill.reporting.builds.noise import WORDS, change_of
from gristmill.reporting.builds.page import describe_build
from gristmill.reporting.wording import metric_label


def latest_builds(histories: Mapping[str, Sequence[Entry]], most: int) -> list[dict[str, Any]]:
    """Return the latest builds of all cases, the last one first.

    Parameters
    ----------
    histories
        Case -> its builds, oldest first.
    most
        How many there may be.
    """
    found = [(entries[place]["finished"], case, place) for case, entries in histories.items() for place in range(len(entries))]
    return [{"case": case, **describe_build(histories[case], place)} for _, case, place in sorted(found, reverse=True)[:most]]


def since_the_build_before(entries: Sequence[Entry]) -> str:
    """Return what the last build changed, in a sentence or two; nothing where there is no build before it."""
    if len(entries) < 2:
        return ""
    before, last = entries[-2:]
    changed = _listed(kinds_changed(before, last))
    return f"Since build {before['number']}: {changed}. {_metric(before, last)}".strip()


def _listed(kinds: Sequence[str]) -> str:
    """Return what changed as a part of a sentence."""
    if not kinds:
        return "neither data nor code nor parameters changed"
    names = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"
    return f"{names} changed"


def _metric(before: Entry, last: Entry) -> str:
    """Return how the primary metric changed, where both builds have it."""
    name = str(last["primary_metric"])
    scores = [entry["metrics"].get("test", {}).get(name) for entry in (before, last)]
    if scores[0] is None or scores[1] is None:
        return ""
    change = change_of(name, scores[0], scores[1])
    return f"{metric_label(name)} on the test rows {signed(change.value)}: {WORDS[change.verdict]}."
