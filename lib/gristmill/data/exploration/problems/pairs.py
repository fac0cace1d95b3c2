"""Problems of columns taken together: those that say the same, mark the same rows, follow from others, or tell of a group."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.problems.finding import Finding
from gristmill.data.kinds import is_numeric

_SAME = 0.999
_FOLLOWS = 0.999
_TELLS = 0.5
_MOST_NUMBERS = 12
_MOST_ROWS = 5_000
_LEAST_SHARE = 0.01
_MOST_LEVELS = 30


def repeated(pairs: pd.DataFrame, case: Any) -> Iterator[Finding]:
    """Yield columns that say the same as another one.

    Parameters
    ----------
    pairs
        How strongly columns go together, by :func:`gristmill.data.exploration.exploration.associations`.
    case
        The case.
    """
    hidden = {case.target, *case.sensitive_features}
    names = [name for name in pairs.columns if name not in hidden]
    same = pairs.loc[names, names].to_numpy(dtype=np.float64) >= _SAME
    for position, name in enumerate(names):
        earlier = [other for place, other in enumerate(names[:position]) if same[position, place]]
        if earlier:
            advice = "Keep one of them; importance is shared between the two."
            yield Finding("low", name, f"Says the same as {earlier[0]!r}.", advice, "features.exclude")


def proxies(pairs: pd.DataFrame, case: Any) -> Iterator[Finding]:
    """Yield columns that tell of a sensitive feature, which a model would learn from them even where it does not see it."""
    sensitive = [name for name in case.sensitive_features if name in pairs.columns]
    for name in pairs.columns:
        told = {group: float(pairs.loc[name, group]) for group in sensitive if group != name}
        if name not in (*sensitive, case.target) and told and max(told.values()) >= _TELLS:
            group = max(told, key=lambda one: told[one])
            text = f"Tells of {group!r} (association {told[group]:.2f})."
            advice = (
                "Leaving the sensitive column out is not enough: audit the groups, and exclude this one if it only stands for it."
            )
            yield Finding("medium", name, text, advice, "features.exclude")


def marking_the_same_rows(train: pd.DataFrame, contract: Contract, case: Any) -> Iterator[Finding]:
    """Yield levels of different columns that mark exactly the same rows, as "no internet" does in a dozen columns of a table."""
    marked: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    shares: dict[bytes, float] = {}
    for one in contract["columns"]:
        if one["used"] and one["name"] != case.target and 2 < one["n_levels"] <= _MOST_LEVELS:
            texts = train[one["name"]].astype("string")
            for level in texts.value_counts().index:
                rows = (texts == level).to_numpy(dtype=bool, na_value=False)
                if _LEAST_SHARE <= rows.mean() <= 1 - _LEAST_SHARE:
                    packed = np.packbits(rows).tobytes()
                    marked[packed].append((one["name"], str(level)))
                    shares[packed] = float(rows.mean())
    for packed, levels in marked.items():
        if len(levels) > 1 and len({name for name, _ in levels}) == len(levels):
            yield _same_rows(levels, shares[packed])


def _same_rows(levels: list[tuple[str, str]], share: float) -> Finding:
    """Return the finding that some levels mark the same rows."""
    said = ", ".join(f"{name} = {level}" for name, level in levels[:4]) + (
        f" and {len(levels) - 4} more" if len(levels) > 4 else ""
    )
    text = f"{len(levels)} columns mark the same {share:.1%} of the rows: {said}."
    advice = "Their weight and importance are shared among them; read explanations of these columns together."
    return Finding("low", levels[0][0], text, advice, "features.selection", share)


def following(train: pd.DataFrame, contract: Contract, case: Any) -> Iterator[Finding]:
    """Yield numbers that are nearly the product, sum or difference of two others."""
    names = [one["name"] for one in contract["columns"] if one["used"] and one["kind"] == "numeric" and one["n_levels"] > 20]
    names = [name for name in names if name != case.target and is_numeric(train[name])][:_MOST_NUMBERS]
    rows = train[names].dropna().astype(float)
    rows = rows.sample(min(len(rows), _MOST_ROWS), random_state=0)
    for name in names if len(rows) > 100 else []:
        made = _made_of(rows, name)
        if made is not None:
            text = f"Is nearly {made} (correlation above {_FOLLOWS})."
            advice = "It is news only where it departs from that; a feature of the departure may tell more than the number."
            yield Finding("low", name, text, advice, "features.custom")


def _made_of(rows: pd.DataFrame, name: str) -> str | None:
    """Return the two columns of which a column is nearly made, and how, or None; none is, if one alone tells it as well."""
    others = [other for other in rows.columns if other != name]
    alone = rows[others].corrwith(rows[name]).abs()
    for one, other in combinations([other for other in others if alone[other] < _FOLLOWS], 2):
        first, second = rows[one].to_numpy(), rows[other].to_numpy()
        tried = {
            f"{one!r} times {other!r}": first * second,
            f"{one!r} plus {other!r}": first + second,
            f"{one!r} minus {other!r}": first - second,
        }
        for said, values in tried.items():
            if np.ptp(values) > 0 and abs(np.corrcoef(values, rows[name])[0, 1]) > max(_FOLLOWS, float(alone[[one, other]].max())):
                return said
    return None
