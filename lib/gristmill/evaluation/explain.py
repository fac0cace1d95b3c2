"""What is explained, on which rows, and how far three ways of explaining agree."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gristmill.errors import ArtifactError
from gristmill.evaluation.hybrids import Predict
from gristmill.evaluation.local_reasons import LocalReasons
from gristmill.evaluation.predictions import Scored
from gristmill.evaluation.shapley import ShapleyValues
from gristmill.metrics.scores import Floats, decide, score
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import figure


def raw_predict(model: FittedModel) -> Predict:
    """Return the pipeline's answer for rows that are in their contracted types already.

    The numerical libraries are kept on one core: threads that wait for each other in thousands of short calls cost more than
    they bring, and stages run side by side.
    """
    ask = model.pipeline.predict_proba if model.classes else model.pipeline.predict

    def predict(rows: pd.DataFrame) -> Floats:
        with threadpool_limits(limits=1):
            return np.asarray(ask(rows), dtype=np.float64)

    return predict


def require_same(candidate: str, evaluated: str) -> None:
    """Refuse a candidate that is not the one that was evaluated.

    Raises
    ------
    ArtifactError
        The digests differ.
    """
    if candidate != evaluated:
        raise ArtifactError(
            f"Expected the candidate that was evaluated, {evaluated!r}, got {candidate!r}: it was replaced after `07_evaluate`. "
            "Build the case again, so that every stage sees the same model."
        )


def measurable(metric: str, scored: Scored) -> str:
    """Return the metric to measure importance by: ``metric``, or log loss where these rows lack a class it needs."""
    if scored.task == "regression" or np.isfinite(score(metric, scored.y_true, scored.predicted)):
        return metric
    return "log_loss"


def sample_rows(scored: Scored, n_rows: int, random_state: int = 0) -> NDArray[np.intp]:
    """Return positions of at most ``n_rows`` rows, in order; for classes with the shares they have, none lost."""
    if len(scored) <= n_rows:
        return np.arange(len(scored))
    rng = np.random.default_rng(random_state)
    shuffled = rng.permutation(len(scored))
    if scored.task == "regression":
        return np.sort(shuffled[:n_rows])
    classes = scored.y_true[shuffled]
    turn = (
        pd.Series(classes).groupby(classes).cumcount().to_numpy() / np.bincount(classes.astype(np.int64))[classes.astype(np.int64)]
    )
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:n_rows]])


def row_error(scored: Scored) -> NDArray[np.float64]:
    """Return how wrong each row is: the probability that the true class was not given, or the absolute error."""
    if scored.task == "regression":
        return np.asarray(np.abs(scored.y_true - scored.predicted))
    return np.asarray(1 - scored.predicted[np.arange(len(scored)), scored.y_true.astype(np.int64)])


def chosen_rows(scored: Scored, threshold: float | None = None) -> dict[str, int]:
    """Return a few rows worth a look, ``{why: position}``: the surest, the closest call, the most wrong; each row once."""
    error = row_error(scored)
    if scored.task == "regression":
        order = {
            "highest prediction": -scored.predicted,
            "lowest prediction": scored.predicted,
            "nearest to the truth": error,
            "farthest from the truth": -error,
        }
    elif scored.task == "binary":
        positive = scored.predicted[:, 1]
        decided = decide(scored.predicted, threshold)
        order = {
            "surest positive": -positive,
            "surest negative": positive,
            "closest call": np.abs(positive - (0.5 if threshold is None else threshold)),
            "positive missed by most": np.where((scored.y_true == 1) & (decided == 0), positive, np.inf),
            "negative flagged by most": np.where((scored.y_true == 0) & (decided == 1), -positive, np.inf),
        }
    else:
        ranked = np.sort(scored.predicted, axis=1)
        order = {"surest": -ranked[:, -1], "closest call": ranked[:, -1] - ranked[:, -2], "most wrong": -error}
    chosen: dict[str, int] = {}
    for why, keys in order.items():
        position = int(np.argmin(keys))
        if np.isfinite(keys[position]) and position not in chosen.values():
            chosen[why] = position
    return chosen


def explained_class(scored: Scored, position: int) -> int | None:
    """Return the class whose probability the reasons of a row are about: the positive one of two, else the most probable."""
    if scored.task == "regression":
        return None
    return 1 if scored.task == "binary" else int(scored.predicted[position].argmax())


def reasons_record(reasons: LocalReasons, row_key: str, why: str, prediction: str, classes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the reasons for one row as the JSON-able part of ``explanation.json``."""
    return {
        "row_key": row_key,
        "why": why,
        "prediction": prediction,
        "output": classes[reasons.output] if classes else None,
        "stability": reasons.stability,
        "reasons": [{"feature": column, "reason": text, "weight": weight} for column, text, weight in reasons.reasons],
    }


def with_contributions(
    records: Sequence[Mapping[str, Any]], values: ShapleyValues, chosen: Mapping[str, int], classes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the records of rows with the SHAP values of the output they explain, the largest first, and what these start from.

    Parameters
    ----------
    records
        What :func:`reasons_record` returned, in the order of ``chosen``.
    values
        SHAP values of all explained rows.
    chosen
        What :func:`chosen_rows` returned.
    classes
        Classes in the order of their codes; empty for a regression.
    """
    found = []
    for record, row in zip(records, chosen.values(), strict=True):
        output = list(classes).index(record["output"]) if len(classes) > 2 else 0
        by_column = values.row(row, output)
        contributions = [{"feature": column, "contribution": value} for column, value in by_column.items()]
        found.append({**record, "base": float(values.base[row, output]), "shap": contributions})
    return found


def local_table(records: Sequence[Mapping[str, Any]], top: int = 3) -> pd.DataFrame:
    """Return one line a row: why it was chosen, what was predicted, and the first reasons by LIME and columns by SHAP."""
    lines = [
        {
            "why": record["why"],
            "prediction": record["prediction"],
            "first reasons (LIME)": "; ".join(reason["reason"] for reason in record["reasons"][:top]),
            "first columns (SHAP)": ", ".join(part["feature"] for part in record["shap"][:top]),
            "stability": round(record["stability"], 2),
        }
        for record in records
    ]
    return pd.DataFrame(lines).set_index("why").rename_axis(None)


def mean_local_weight(records: Sequence[Mapping[str, Any]]) -> pd.Series:
    """Return the mean absolute LIME weight of each column over the explained rows."""
    rows = [(reason["feature"], abs(reason["weight"])) for record in records for reason in record["reasons"]]
    return pd.DataFrame(rows, columns=["feature", "weight"]).groupby("feature")["weight"].mean()


def agreement(importances: Mapping[str, pd.Series], top: int = 5) -> list[dict[str, Any]]:
    """Return, for each two ways of measuring importance, how far they rank the columns alike.

    Parameters
    ----------
    importances
        Name of a method -> importance by column.
    top
        How many of the first columns are compared.

    Returns
    -------
    list
        ``{"methods", "rank_correlation", "shared_top", "top"}``; Spearman's correlation over the columns both know, None where
        one of them finds every column alike.
    """
    found = []
    for (one, first), (other, second) in combinations(importances.items(), 2):
        both = pd.concat([first.rename("first"), second.rename("second")], axis=1, join="inner").rank(ascending=False)
        varied = len(both) > 1 and bool((both.std() > 0).all())
        leading = [set(values.sort_values(ascending=False, kind="stable").index[:top]) for values in (first, second)]
        found.append(
            {
                "methods": [one, other],
                "rank_correlation": float(both["first"].corr(both["second"])) if varied else None,
                "shared_top": len(leading[0] & leading[1]),
                "top": min(top, len(both)),
            }
        )
    return found


def agreement_table(pairs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return what :func:`agreement` found as a reader would write it."""
    lines = {
        " and ".join(pair["methods"]): {
            "rank correlation": figure(pair["rank_correlation"], 2),
            "first columns shared": f"{pair['shared_top']} of {pair['top']}",
        }
        for pair in pairs
    }
    return pd.DataFrame.from_dict(lines, orient="index")
