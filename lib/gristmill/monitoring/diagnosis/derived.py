"""Features made of columns, by the plan that the model holds: whether they changed though their columns look as before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gristmill.config.sections.drift import Drift
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.fitted import FittedModel

LEAST_MOVED = 0.1
"""Share of the rows that must have moved from one level of a feature to another, or from one number to another."""


@dataclass(frozen=True)
class ChangedFeature:
    """A feature that is distributed otherwise than in the reference.

    Attributes
    ----------
    name
        Its name.
    sources
        The columns of the table that it is made of.
    words
        How it changed.
    """

    name: str
    sources: tuple[str, ...]
    words: str


def changed_features(model: FittedModel, reference: pd.DataFrame, window: pd.DataFrame, limits: Drift) -> list[ChangedFeature]:
    """Return the features made of several columns that changed beyond chance.

    Parameters
    ----------
    model
        The model; one whose plan makes no features of its own has none.
    reference, window
        Raw rows.
    limits
        ``significance``, shared among the features by Bonferroni's method.
    """
    rows = model.pipeline[0]
    custom = (rows.plan or {}).get("custom") if isinstance(rows, RowFeatures) else None
    if not custom:
        return []
    sources: Mapping[str, Sequence[str]] = custom.get("sources", {})
    names = [feature["name"] for feature in (rows.plan or {})["features"] if feature["source"] in custom["columns"]]
    owners = {feature["name"]: feature["source"] for feature in (rows.plan or {})["features"]}
    old, new = (rows.transform(model.features(side)) for side in (reference, window))
    found = []
    for name in names:
        made_of = tuple(one for one in sources.get(owners[name], custom["reads"]) if one in model.feature_columns)
        moved, chance = _difference(old[name], new[name])
        if moved >= LEAST_MOVED and chance < limits.significance / len(names):
            said = f"the feature {name!r} changed for {100 * moved:.3g} % of the rows, though {_listed(made_of)} as before"
            found.append(ChangedFeature(name, made_of, said))
    return found


def _listed(names: Sequence[str]) -> str:
    """Return columns as the subject of a sentence."""
    return f"{names[0]!r} looks" if len(names) == 1 else f"{', '.join(map(repr, names))} each look"


def _difference(old: pd.Series, new: pd.Series) -> tuple[float, float]:
    """Return what share of the rows moved, and the chance of as much without a cause."""
    from scipy.stats import chi2_contingency, ks_2samp  # noqa: PLC0415

    if pd.api.types.is_numeric_dtype(old):
        was, now = (side.to_numpy(dtype=np.float64) for side in (old, new))
        was, now = was[~np.isnan(was)], now[~np.isnan(now)]
        if not (len(was) and len(now)):
            return 0.0, 1.0
        tested = ks_2samp(was, now)
        return float(tested.statistic), float(tested.pvalue)
    counts = pd.DataFrame({"old": old.value_counts(), "new": new.value_counts()}).fillna(0)
    if len(counts) < 2:
        return 0.0, 1.0
    shares = counts / counts.sum()
    return float((shares["old"] - shares["new"]).abs().sum() / 2), float(chi2_contingency(counts.to_numpy().T).pvalue)
