"""The catalogue: what each feature means, what it is made from and what it looks like (R15)."""

from typing import Any

import numpy as np
import pandas as pd

from gristmill.features.aggregates import GroupAggregates
from gristmill.features.proposals import Proposals
from gristmill.features.rows import MISSING_LEVEL
from gristmill.reporting.wording import figure, plain, share, shorten

_MEANINGS = {
    "number": "{source} as it is, missing values kept",
    "flag": "1 where {source} is true, 0 where it is false, missing values kept",
    "level": "{source} as a category; missing values are a level of their own",
    "text": "{source} as words, described by topics inside the model",
    "day number": "days from 1970-01-01 to {source}",
}
_TYPES = {"level": "category", "text": "text"}

_READERS = {"additive": "linear models and networks", "trees": "trees"}
"""What candidates are to be added to -> who reads the features that are."""


def catalogue(plan: dict[str, Any], features: pd.DataFrame, target: pd.Series) -> dict[str, Any]:
    """Return the catalogue of a plan's features, as JSON-able data.

    Parameters
    ----------
    plan
        What :func:`gristmill.features.builder.make_plan` returned.
    features
        The row-wise features of the training rows.
    target
        Their target, for the combinations of columns that are proposed by what they tell of it.

    Returns
    -------
    dict
        ``version`` (of the plan), ``features`` (``name``, ``meaning``, ``source_columns``, ``type``, ``statistics``,
        ``version``) and ``dropped`` (``column``, ``reason``).
    """
    pages = [_entry(feature, features[feature["name"]], plan) for feature in plan["features"]]
    fitted = [*_aggregated(plan, features), *_proposed(plan, features, target)]
    return {"version": plan["version"], "features": [*pages, *fitted], "dropped": plan["dropped"]}


def as_table(described: dict[str, Any]) -> pd.DataFrame:
    """Return the features of a catalogue for reading, indexed by name: their meaning, type, and figures in words."""
    rows = [[one["name"], one["meaning"], one["type"], _in_words(one["statistics"])] for one in described["features"]]
    return pd.DataFrame(rows, columns=["name", "meaning", "type", "figures"]).set_index("name")


def _in_words(statistics: dict[str, Any]) -> str:
    """Return the figures of a feature as a reader would write them; gaps only where there are any."""
    said = [f"{share(statistics['missing_share'], 1)} missing"] if statistics.get("missing_share") else []
    if "median" in statistics:
        said += [f"{plain(statistics['minimum'])} to {plain(statistics['maximum'])}, median {plain(statistics['median'])}"]
    if "levels" in statistics:
        first = [f"{shorten(name, 24)} {share(part)}" for name, part in list(statistics.get("most_frequent", {}).items())[:2]]
        said += [f"{statistics['levels']} levels: {', '.join(first)}" + (", ..." if statistics["levels"] > len(first) else "")]
    if len(said) <= bool(statistics.get("missing_share")):
        said += [f"{name.replace('_', ' ')} {figure(value)}" for name, value in statistics.items() if name != "missing_share"]
    return "; ".join(said)


def _entry(feature: dict[str, Any], values: pd.Series, plan: dict[str, Any]) -> dict[str, Any]:
    """Return one feature's page of the catalogue."""
    step, source = feature["step"], feature["source"]
    custom = plan.get("custom", {"sources": {}})
    own = source in custom["sources"]
    meaning = _MEANINGS.get(step, f"the {step} of {{source}}").format(source=source)
    kind = _TYPES.get(step, "number")
    describe = {"category": _level_statistics, "text": _text_statistics, "number": _number_statistics}[kind]
    return {
        "name": feature["name"],
        "meaning": f"made by {custom['function']}" if own else meaning,
        "source_columns": custom["sources"].get(source, [source]),
        "type": kind,
        "statistics": describe(values),
        "version": plan["version"],
    }


def _aggregated(plan: dict[str, Any], features: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the pages of the plan's aggregations, with figures of all training rows; a model learns its own in every fold."""
    asked = plan.get("aggregations", [])
    if not asked:
        return []
    table = GroupAggregates(asked).fit_transform(features)
    sources = _sources(plan)
    return [
        {
            "name": one["name"],
            "meaning": f"the {one['name']}, learnt inside the folds",
            "source_columns": [source for name in (*([one["of"]] if one["of"] else []), *one["by"]) for source in sources[name]],
            "type": "number",
            "statistics": _number_statistics(table[one["name"]]),
            "version": plan["version"],
        }
        for one in asked
    ]


def _proposed(plan: dict[str, Any], features: pd.DataFrame, target: pd.Series) -> list[dict[str, Any]]:
    """Return the pages of the combinations that all training rows propose; a model makes its own proposals in every fold."""
    limit = plan["settings"].get("proposals", 0)
    if not limit:
        return []
    texts = [feature["name"] for feature in plan["features"] if feature["step"] == "text"]
    y = pd.factorize(target, sort=True)[0] if plan["n_classes"] else target.to_numpy(dtype=np.float64)
    tables: list[pd.DataFrame] = []
    told: dict[str, list[str]] = {}
    columns: dict[str, list[str]] = {}
    for first_model, readers in _READERS.items():
        proposals = Proposals(limit, plan["n_classes"], first_model, texts).fit(features, y)
        tables.append(proposals.transform(features))
        for recipe in proposals.recipes_:
            columns[recipe["name"]] = [recipe["of"], recipe["with"]]
            told.setdefault(recipe["name"], []).append(f"{recipe['gain']:.1%} of what the columns one by one leave to {readers}")
    sources, values = _sources(plan), {name: table[name] for table in tables for name in table if name in told}
    return [
        {
            "name": name,
            "meaning": f"{name}, proposed inside the folds; on all training rows it explains {' and '.join(told[name])}",
            "source_columns": [source for column in columns[name] for source in sources[column]],
            "type": "number",
            "statistics": _number_statistics(values[name]),
            "version": plan["version"],
        }
        for name in told
    ]


def _sources(plan: dict[str, Any]) -> dict[str, list[str]]:
    """Return the columns of the table that each row-wise feature is made from."""
    custom = plan.get("custom", {"sources": {}})["sources"]
    return {feature["name"]: custom.get(feature["source"], [feature["source"]]) for feature in plan["features"]}


def _number_statistics(values: pd.Series) -> dict[str, Any]:
    """Return the share of missing values, the mean, the spread and five quantiles."""
    quantiles = values.quantile([0, 0.25, 0.5, 0.75, 1]).to_numpy()
    names = ("minimum", "quartile_1", "median", "quartile_3", "maximum")
    return {
        "missing_share": float(values.isna().mean()),
        "mean": float(values.mean()),
        "std": float(values.std()),
        **dict(zip(names, quantiles.tolist(), strict=True)),
    }


def _level_statistics(values: pd.Series) -> dict[str, Any]:
    """Return the number of levels and the shares of the ten most frequent."""
    shares = values.value_counts(normalize=True)
    return {
        "missing_share": float((values == MISSING_LEVEL).mean()),
        "levels": len(shares),
        "most_frequent": {str(level): float(share) for level, share in shares.head(10).items()},
    }


def _text_statistics(values: pd.Series) -> dict[str, Any]:
    """Return the share of empty texts and the mean number of words."""
    return {"missing_share": float((values == "").mean()), "mean_words": float(np.mean([len(text.split()) for text in values]))}
