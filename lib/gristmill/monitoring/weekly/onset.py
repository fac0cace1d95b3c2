"""Since when a column differs: the beginning of its last unbroken run of days beyond a limit."""

from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.config.sections.drift import Drift

SHARE_OF_LARGEST = 0.25
"""Share of a column's largest value from which a day belongs to the run that this value is of."""


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
        days = [_beyond(over_time[measure][name], floor) for measure, floor in floors.items()]
        found[name] = _last_run([_either(day) for day in zip(*days, strict=True)], over_time["at"])
    return found


def _beyond(values: Sequence[float | None], floor: float) -> list[bool | None]:
    """Return on which days a measure is beyond its floor, and not far from its largest: a stray value is no beginning."""
    least = max([floor, *(SHARE_OF_LARGEST * value for value in values if value is not None)])
    return [None if value is None else value >= least for value in values]


def _either(day: Sequence[bool | None]) -> bool | None:
    """Return whether any measure is beyond; None where none is known."""
    known = [one for one in day if one is not None]
    return any(known) if known else None


def _last_run(beyond: Sequence[bool | None], at: Sequence[float]) -> float | None:
    """Return the beginning of the last run of days that are beyond, those not known passed over; None if there is no other day."""
    since = None
    for place in range(len(beyond) - 1, -1, -1):
        if beyond[place] is False:
            return since
        if beyond[place]:
            since = at[place]
    return None
