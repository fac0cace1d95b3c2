"""Since when a column differs: the beginning of its last unbroken run of days beyond a limit."""

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.config.sections.drift import Drift


def onsets(over_time: Mapping[str, Any], limits: Drift) -> dict[str, float | None]:
    """Return since when each column differs, in seconds since 1970.

    Parameters
    ----------
    over_time
        ``at``, the beginning of each day; ``psi`` and ``wrong``, by column its values of each day, None where there are few rows.
    limits
        The floors from which a difference counts.

    Returns
    -------
    dict
        None for a column that differs on all days, or not on the last one: then the window as a whole is what is known of it.
    """
    floors = {"psi": limits.psi, "wrong": min(limits.missing, limits.outside, limits.new_levels)}
    found = {}
    for name in over_time["psi"]:
        beyond = [_beyond(over_time, floors, name, place) for place in range(len(over_time["at"]))]
        found[name] = _last_run(beyond, over_time["at"])
    return found


def _beyond(over_time: Mapping[str, Any], floors: Mapping[str, float], name: str, place: int) -> bool | None:
    """Return whether a column differs on a day; None where that is not known."""
    values = {measure: over_time[measure][name][place] for measure in floors}
    known = {measure: value for measure, value in values.items() if value is not None}
    return any(value >= floors[measure] for measure, value in known.items()) if known else None


def _last_run(beyond: Sequence[bool | None], at: Sequence[float]) -> float | None:
    """Return the beginning of the last run of days that are beyond, those not known passed over; None if there is no other day."""
    since = None
    for place in range(len(beyond) - 1, -1, -1):
        if beyond[place] is False:
            return since
        if beyond[place]:
            since = at[place]
    return None
