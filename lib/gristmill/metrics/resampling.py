"""The bootstrap of any figures that are functions of row weights: metrics of one model, differences between two, profit.

Up to :data:`gristmill.metrics.bags.MOST_ROWS` rows are resampled one by one, within strata, and a jackknife gives the acceleration
of each figure; of more rows, bags are resampled (:mod:`gristmill.metrics.bags`), at a cost that no longer grows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gristmill.metrics.bags import BAGS, CELLS_AT_ONCE, MOST_ROWS, bag_weights, bags

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Kernel = Callable[[Floats], dict[str, Floats]]
"""From weights ``(n_sets, n_rows)`` to figures, each ``(n_sets,)``."""

MOST_LEFT_OUT = 2_000
"""Rows that the jackknife leaves out one by one; of more, :data:`LEFT_OUT_GROUPS` random groups of rows in turn."""

LEFT_OUT_GROUPS = 200

ROUNDING = 1e-12
"""Relative size below which a change is rounding and nothing else."""


@dataclass(frozen=True)
class Resampled:
    """Figures with their bootstrap distributions.

    Attributes
    ----------
    values
        Each figure on the rows themselves.
    draws
        Each figure's draws, shape ``(resamples,)``.
    accelerations
        How fast each figure's standard error changes with it, for :func:`gristmill.metrics.interval_ends.bca_interval`; zero for
        tables that were resampled in bags, where it no longer matters.
    """

    values: dict[str, float]
    draws: dict[str, Floats]
    accelerations: dict[str, float]


def resample(
    kernel_of: Callable[[NDArray[np.intp]], Kernel], strata: Codes, resamples: int, random_state: int, *, accelerate: bool = True
) -> Resampled:
    """Return figures of rows with their bootstrap distributions.

    Parameters
    ----------
    kernel_of
        Gives, for the positions of some rows, the function from weights of these rows to figures.
    strata
        Code of each row's stratum, shape ``(n_rows,)``; every resample draws as many rows of a stratum as it has.
    resamples, random_state
        Number of resamples and seed.
    accelerate
        Whether accelerations are wanted; they take as long as some hundred resamples.
    """
    everything = kernel_of(np.arange(len(strata)))
    values = {name: float(value[0]) for name, value in everything(np.ones((1, len(strata)))).items()}
    zero = dict.fromkeys(values, 0.0)
    if len(strata) > MOST_ROWS:
        return Resampled(values, _of_bags(kernel_of, strata, values, resamples, random_state), zero)
    blocks = [everything(weights) for weights in resample_weights(strata, resamples, random_state)]
    draws = {name: np.concatenate([block[name] for block in blocks]) for name in values}
    return Resampled(values, draws, accelerations(everything, strata, random_state) if accelerate else zero)


def resample_weights(strata: Codes, resamples: int, random_state: int) -> Iterator[Floats]:
    """Give how often each row is drawn, in blocks of shape ``(some resamples, n_rows)``, together ``resamples`` long.

    Parameters
    ----------
    strata
        Code of each row's stratum, shape ``(n_rows,)``; every resample draws as many rows of a stratum as it has.
    resamples
        Number of resamples.
    random_state
        Seed; the same seed and strata give the same weights.
    """
    rng = np.random.default_rng(random_state)
    members = [np.flatnonzero(strata == code) for code in np.unique(strata)]
    block = max(1, CELLS_AT_ONCE // max(1, len(strata)))
    for start in range(0, resamples, block):
        weights = np.empty((min(block, resamples - start), len(strata)))
        for rows in members:
            for resample in weights:
                drawn = rng.integers(0, len(rows), len(rows), dtype=np.int32)
                resample[rows] = np.bincount(drawn, minlength=len(rows))
        yield weights


def _of_bags(
    kernel_of: Callable[[NDArray[np.intp]], Kernel], strata: Codes, values: dict[str, float], resamples: int, random_state: int
) -> dict[str, Floats]:
    """Return the draws of all bags, each moved from its bag's own value to that of the table where both are finite."""
    drawn: dict[str, list[Floats]] = {name: [] for name in values}
    per_bag = np.diff(np.linspace(0, resamples, BAGS + 1).round().astype(int))
    for number, bag in enumerate(bags(strata, random_state)):
        kernel = kernel_of(bag.rows)
        own = {name: float(value[0]) for name, value in kernel(bag.balanced()).items()}
        for weights in bag_weights(bag, int(per_bag[number]), random_state + 1 + number):
            for name, found in kernel(weights).items():
                moved = values[name] - own[name] if np.isfinite([values[name], own[name]]).all() else 0.0
                drawn[name].append(found + moved)
    return {name: np.concatenate(parts) for name, parts in drawn.items()}


def accelerations(kernel: Kernel, strata: Codes, random_state: int = 0) -> dict[str, float]:
    """Return the acceleration of each figure by the jackknife within strata (Davison and Hinkley 1997, section 5.4 and 2.7).

    A figure that some rows left out make undefined has none, which is zero.
    """
    codes, places = np.unique(strata, return_inverse=True)
    groups = _left_out(places, np.random.default_rng(random_state))
    sizes = np.bincount(places).astype(float)
    squares: dict[str, float] = {}
    cubes: dict[str, float] = {}
    for place in range(len(codes)):
        some = [rows for rows in groups if places[rows[0]] == place]
        if len(some) < 2:
            continue
        for name, values in _without(kernel, some, places, sizes).items():
            known = np.where(np.isfinite(values), values, np.nan)
            apart = known.mean() - known
            influence = (len(some) - 1) * np.where(np.abs(apart) > ROUNDING * np.abs(known.mean()), apart, 0.0)
            squares[name] = squares.get(name, 0.0) + float((influence**2).sum()) / len(some) ** 2
            cubes[name] = cubes.get(name, 0.0) + float((influence**3).sum()) / len(some) ** 3
    found = {name: cubes[name] / (6 * squares[name] ** 1.5) if squares[name] > 0 else 0.0 for name in squares}
    return {name: found.get(name, 0.0) if np.isfinite(found.get(name, 0.0)) else 0.0 for name in kernel(np.ones((1, len(strata))))}


def _left_out(places: Codes, rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Return the groups of rows that are left out in turn, each of one stratum: single rows, or random groups of many."""
    single = len(places) <= MOST_LEFT_OUT
    groups: list[NDArray[np.intp]] = []
    for place in range(int(places.max()) + 1):
        members = np.flatnonzero(places == place)
        wanted = len(members) if single else max(20, round(LEFT_OUT_GROUPS * len(members) / len(places)))
        groups += np.array_split(rng.permutation(members), min(len(members), wanted))
    return groups


def _without(kernel: Kernel, groups: list[NDArray[np.intp]], places: Codes, sizes: Floats) -> dict[str, Floats]:
    """Return the figures with each group left out, the other rows of its stratum weighted to make up for it."""
    block = max(1, CELLS_AT_ONCE // len(places))
    found: dict[str, list[Floats]] = {}
    for start in range(0, len(groups), block):
        some = groups[start : start + block]
        weights = np.ones((len(some), len(places)))
        for line, rows in zip(weights, some, strict=True):
            stratum = places == places[rows[0]]
            size = sizes[places[rows[0]]]
            line[stratum] = size / (size - len(rows))
            line[rows] = 0.0
        for name, values in kernel(weights).items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}
