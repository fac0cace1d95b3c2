"""Whether the rows stay as they are over time: the target by period, and columns whose earlier and later rows differ."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.shares import by_group, called, series_of, value_words, widest
from gristmill.data.kinds import is_numeric

FEWEST_PERIODS, MOST_PERIODS = 6, 40
UNITS = (
    ("year", "Y", "%Y"),
    ("quarter", "Q", "%Y-%m"),
    ("month", "M", "%Y-%m"),
    ("week", "W", "%Y-%m-%d"),
    ("day", "D", "%m-%d"),
    ("hour", "h", "%m-%d %H h"),
)
BLOCKS = 10
"""Blocks of equally many rows, where time is a number or spans too few of any unit."""

MOST_ROWS = 50_000
CHANCE = 0.001
"""Probability of a difference by chance below which it is called one."""

_MOST_LEVELS = 50
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Stability:
    """How the rows change over time: the target by period, the shift of each column, and what to make of it, in a sentence.

    Both tables are empty where the case names no time column.
    """

    by_period: pd.DataFrame
    unit: str
    shifts: pd.DataFrame
    sentence: str


def stability(train: pd.DataFrame, contract: Contract, case: Any) -> Stability:
    """Return how the training rows change along the case's time column."""
    if not case.time_column:
        sentence = (
            "The case names no `time_column`: nothing says which rows came first, and the split takes them as exchangeable. If "
            "predictions will be made for later rows than these, name the column that says when a row became known."
        )
        return Stability(pd.DataFrame(), "", pd.DataFrame(), sentence)
    times = train[case.time_column]
    table, unit = target_by_period(train, case)
    moved = shifts(train, contract, case, times)
    return Stability(table, unit, moved, in_words(table, unit, target_chance(train, times, case), case))


def periods(times: pd.Series) -> tuple[pd.Series, str]:
    """Return the period of each row as an ordered categorical, and what a period is in words.

    The coarsest unit of the calendar of which there are at least :data:`FEWEST_PERIODS`; blocks of equally many rows where none
    fits.
    """
    if pd.api.types.is_datetime64_any_dtype(times):
        for word, code, written in UNITS:
            cut = times.dt.to_period(code)
            if FEWEST_PERIODS <= cut.nunique() <= MOST_PERIODS:
                order = sorted(cut.dropna().unique())
                texts = {one: one.start_time.strftime(written) for one in order}
                return _ordered(cut.astype(object).map(texts, na_action="ignore"), list(texts.values())), word
    ranks = times.rank(method="first")
    blocks = pd.cut(ranks, BLOCKS, labels=[f"{block + 1}" for block in range(BLOCKS)])
    return _ordered(blocks.astype(object), [f"{block + 1}" for block in range(BLOCKS)]), "tenth of the rows"


def _ordered(texts: pd.Series, order: list[str]) -> pd.Series:
    """Return texts as an ordered categorical."""
    return pd.Series(pd.Categorical(texts, categories=list(dict.fromkeys(order)), ordered=True), index=texts.index)


def target_by_period(train: pd.DataFrame, case: Any) -> tuple[pd.DataFrame, str]:
    """Return what the target is like in each period of the case's time column, and what a period is in words."""
    cut, word = periods(train[case.time_column])
    return by_group(train[case.target], cut, case), word


def target_chance(train: pd.DataFrame, times: pd.Series, case: Any) -> float:
    """Return how probable it is that earlier and later rows have targets this different if nothing has changed."""
    late = _late(times)
    if not 0 < late.sum() < len(late):
        return 1.0
    values = series_of(train[case.target], case)
    if case.task == "regression":
        return float(ks_2samp(values["mean"][late], values["mean"][~late]).pvalue)
    tables = [pd.crosstab(late, one == 1) for one in values.values()]
    return min([float(chi2_contingency(table).pvalue) for table in tables if table.shape == (2, 2)], default=1.0)


def shifts(train: pd.DataFrame, contract: Contract, case: Any, times: pd.Series) -> pd.DataFrame:
    """Return how far the later half of the rows lies from the earlier half, column by column, the furthest first.

    Parameters
    ----------
    train
        Training rows; at most :data:`MOST_ROWS` of them, drawn at random, are looked at.
    contract, case
        The data contract and the case.
    times
        When each row was.

    Returns
    -------
    DataFrame
        Indexed by column: ``distance`` from 0 to 1, the largest difference between the two distributions (Kolmogorov-Smirnov) of
        numbers, or half the sum of the differences of shares of levels; ``chance``, the probability of as much by chance;
        ``earlier`` and ``later``, the median or the share of the level that changed most; and ``follows``, the size of the rank
        correlation of numbers with the time.
    """
    rows = train.sample(min(len(train), MOST_ROWS), random_state=0)
    late = _late(times.loc[rows.index])
    found = {}
    for one in contract["columns"]:
        comparable = one["used"] and one["kind"] not in ("date", "text") and one["n_levels"] > 1
        if comparable and one["name"] not in (case.target, case.time_column) and 0 < late.sum() < len(late):
            found[one["name"]] = [*_shift(rows[one["name"]], late), _follows(rows[one["name"]], times.loc[rows.index])]
    table = pd.DataFrame(found, index=["distance", "chance", "earlier", "later", "follows"]).T.rename_axis("column")
    return table.astype({"distance": "float64", "chance": "float64", "follows": "float64"}).sort_values(
        "distance", ascending=False, kind="stable"
    )


def _late(times: pd.Series) -> NDArray[np.bool_]:
    """Return which rows are of the later half."""
    return (times > times.quantile(0.5, interpolation="lower")).to_numpy(dtype=bool)


def _shift(values: pd.Series, late: NDArray[np.bool_]) -> list[Any]:
    """Return distance, chance, and the earlier and later half of one column in words."""
    if is_numeric(values) and values.nunique() > 2:
        numbers = values.astype(float)
        before, after = numbers[~late].dropna(), numbers[late].dropna()
        if before.empty or after.empty:
            return [0.0, 1.0, "", ""]
        compared = ks_2samp(before, after)
        return [
            float(compared.statistic),
            float(compared.pvalue),
            f"median {before.median():,.5g}",
            f"median {after.median():,.5g}",
        ]
    texts = values.astype("string").fillna("missing")
    kept = texts.value_counts().index[:_MOST_LEVELS]
    table = pd.crosstab(texts.where(texts.isin(kept), "others"), late)
    if table.shape[0] < 2:
        return [0.0, 1.0, "", ""]
    shares = table / table.sum()
    moved = (shares[True] - shares[False]).abs()
    level = str(moved.idxmax())
    told = [f"{level}: {float(shares[half][level]):.1%}" for half in (False, True)]
    return [float(moved.sum() / 2), float(chi2_contingency(table).pvalue), *told]


def _follows(values: pd.Series, times: pd.Series) -> float:
    """Return the size of the rank correlation of numbers with the time; 0 for levels."""
    if not is_numeric(values) or values.nunique() < 3:
        return 0.0
    return float(np.nan_to_num(abs(values.astype(float).rank().corr(times.rank()))))


def in_words(by_period: pd.DataFrame, unit: str, chance: float, case: Any) -> str:
    """Return how the target moved over the periods, as a sentence."""
    ends = widest(by_period, _FEWEST_ROWS)
    if ends is None:
        return f"There are too few rows in a {unit} to say how the target moved."
    low, high = ends
    what = "the mean" if case.task == "regression" else f"the share of {low['series']}"
    moved = (
        "Later rows differ from earlier ones by more than chance explains."
        if chance < CHANCE
        else "Later rows differ from earlier ones by no more than chance explains."
    )
    return (
        f"By {unit}, {what} of `{case.target}` lies between {value_words(float(low['value']), case)} ({low['group']}) and "
        f"{value_words(float(high['value']), case)} ({high['group']}). {moved}"
    )


def headline(found: Stability, case: Any) -> str:
    """Return between what the target moves over the periods, as the title of a figure."""
    ends = widest(found.by_period, _FEWEST_ROWS)
    if ends is None:
        return f"{case.target} by {found.unit}"
    low, high = (f"{value_words(float(one['value']), case)} ({one['group']})" for one in ends)
    return f"The {called(str(ends[0]['series']), case)} moves between {low} and {high}"
