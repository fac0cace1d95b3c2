"""What is explained, on which rows, and what is said of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gristmill.errors import ArtifactError
from gristmill.evaluation.explanation.effects import value_text
from gristmill.evaluation.explanation.exact_values import ExactValues
from gristmill.evaluation.explanation.hybrids import Predict
from gristmill.evaluation.explanation.local_reasons import LocalReasons
from gristmill.evaluation.explanation.shapley import ShapleyValues
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.scores import Floats, decide, score
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import figure, shorten

SHAP_SECONDS = 6.0
"""Seconds after which no further round of orders is begun; the first is always made."""

EXACT_ROWS = 200
"""Rows explained by exact values."""

MOST_SHUFFLED = 40_000
"""Rows the model is asked about for permutation importance, over all columns and repeats."""

ROUNDS_OF_A_ROW = 40
"""Pairs of an order and its reverse behind the values of a row that is shown by itself."""

MOST_LETTERS = 60
"""Letters of a value that stand in a reason; a free text would be all of it otherwise."""

STABLE = 0.6
"""Overlap of LIME's repetitions from which the reasons of a row are said to stay."""


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


def few(rows: pd.DataFrame, random_state: int = 0) -> pd.DataFrame:
    """Return at most :data:`EXACT_ROWS` of the rows, drawn at random: the first would be the oldest of a table in time's order."""
    return rows.sample(min(len(rows), EXACT_ROWS), random_state=random_state)


def row_error(scored: Scored) -> NDArray[np.float64]:
    """Return how wrong each row is: the probability that the true class was not given, or the absolute error."""
    if scored.task == "regression":
        return np.asarray(np.abs(scored.y_true - scored.predicted))
    return np.asarray(1 - scored.predicted[np.arange(len(scored)), scored.y_true.astype(np.int64)])


def chosen_rows(scored: Scored, threshold: float | None = None) -> dict[str, int]:
    """Return a few rows worth a look, ``{why: position}``: surely right, surely wrong, nearest to the threshold; each row once.

    Parameters
    ----------
    scored
        Predicted rows with their truth.
    threshold
        Smallest probability of the positive class that counts as positive; a half by default.
    """
    order = {"regression": _numbers_of_interest, "multiclass": _classes_of_interest}.get(scored.task)
    ranked = order(scored) if order else _decisions_of_interest(scored, 0.5 if threshold is None else threshold)
    chosen: dict[str, int] = {}
    for why, keys in ranked.items():
        left = np.where(np.isin(np.arange(len(scored)), list(chosen.values())), np.inf, keys)
        if np.isfinite(left).any():
            chosen[why] = int(np.argmin(left))
    return chosen


def _numbers_of_interest(scored: Scored) -> dict[str, Floats]:
    """Return, for each reason to look at a number, the key by which the first row is taken."""
    error = row_error(scored)
    return {
        "highest prediction": -scored.predicted,
        "lowest prediction": np.asarray(scored.predicted),
        "nearest to the truth": error,
        "farthest from the truth": -error,
    }


def _decisions_of_interest(scored: Scored, threshold: float) -> dict[str, Floats]:
    """Return the keys for two classes."""
    positive, truth = scored.predicted[:, 1], scored.y_true == 1
    decided = decide(scored.predicted, threshold) == 1
    return {
        "most confident right positive": np.where(truth & decided, -positive, np.inf),
        "most confident right negative": np.where(~truth & ~decided, positive, np.inf),
        "most confident wrong positive": np.where(~truth & decided, -positive, np.inf),
        "most confident wrong negative": np.where(truth & ~decided, positive, np.inf),
        "nearest to the threshold": np.abs(positive - threshold),
    }


def _classes_of_interest(scored: Scored) -> dict[str, Floats]:
    """Return the keys for several classes."""
    ranked = np.sort(scored.predicted, axis=1)
    right = scored.predicted.argmax(axis=1) == scored.y_true
    return {
        "most confident right": np.where(right, -ranked[:, -1], np.inf),
        "most confident wrong": np.where(right, np.inf, -ranked[:, -1]),
        "nearest to another class": ranked[:, -1] - ranked[:, -2],
    }


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
        "sign_agreement": reasons.sign_agreement,
        "reasons": [{"feature": column, "reason": text, "weight": weight} for column, text, weight in reasons.reasons],
    }


def with_contributions(
    records: Sequence[Mapping[str, Any]], values: ShapleyValues, rows: pd.DataFrame, classes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the records of rows with the SHAP values of the output they explain, the largest first, and what these start from.

    Parameters
    ----------
    records
        What :func:`reasons_record` returned.
    values
        SHAP values of the same rows, in the same order.
    rows
        The rows themselves, in their contracted types, for the values that stand in the reasons.
    classes
        Classes in the order of their codes; empty for a regression.
    """
    found = []
    for row, record in enumerate(records):
        output = list(classes).index(record["output"]) if len(classes) > 2 else 0
        contributions = [
            {"feature": column, "reason": condition(column, rows[column].iloc[row]), "contribution": value}
            for column, value in values.row(row, output).items()
        ]
        found.append({**record, "base": float(values.base[row, output]), "shap": contributions})
    return found


def condition(column: str, value: Any) -> str:
    """Return a column and its value in the words of the raw table: ``contract = Month-to-month``, ``fee is missing``."""
    text = shorten(value_text(value), MOST_LETTERS)
    return f"{column} = {text}" if text else f"{column} is missing"


def local_table(records: Sequence[Mapping[str, Any]], top: int = 3) -> pd.DataFrame:
    """Return one line a row: why it was chosen, what was predicted, and the first reasons by LIME and columns by SHAP."""
    lines = [
        {
            "why": record["why"],
            "prediction": record["prediction"],
            "first reasons (LIME)": "; ".join(reason["reason"] for reason in record["reasons"][:top]),
            "first reasons (SHAP)": "; ".join(f"{part['reason']} ({part['contribution']:+.3g})" for part in record["shap"][:top]),
            "same columns": round(record["stability"], 2),
            "same signs": round(record["sign_agreement"], 2),
        }
        for record in records
    ]
    return pd.DataFrame(lines).set_index("why").rename_axis(None)


def mean_local_weight(records: Sequence[Mapping[str, Any]]) -> pd.Series:
    """Return the mean absolute LIME weight of each column over the explained rows."""
    rows = [(reason["feature"], abs(reason["weight"])) for record in records for reason in record["reasons"]]
    return pd.DataFrame(rows, columns=["feature", "weight"]).groupby("feature")["weight"].mean()


def direction_table(importance: pd.Series, directions: Mapping[str, str], top: int = 10) -> pd.DataFrame:
    """Return the strongest columns with how far they move predictions and in which direction, in words."""
    lines = {
        str(name): {"mean |SHAP value|": figure(float(size), 4), "direction": directions[str(name)]}
        for name, size in importance[:top].items()
    }
    return pd.DataFrame.from_dict(lines, orient="index")


def global_record(importance: pd.Series, directions: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what each column does to predictions overall as the JSON-able part of ``explanation.json``, the strongest first."""
    sizes = {str(name): float(size) for name, size in importance.items()}
    return [{"feature": name, "mean_abs": size, "direction": directions[name]} for name, size in sizes.items()]


def exact_record(found: ExactValues | None, how: str) -> dict[str, Any]:
    """Return the exact values' importance, or why there is none, as the JSON-able part of ``explanation.json``."""
    if found is None:
        return {"how": how, "importance": None}
    sizes = [{"feature": name, "mean_abs": float(size)} for name, size in found.shap.importance().items()]
    return {"how": how, "scale": found.scale, "method": found.method, "rows": len(found.shap.predicted), "importance": sizes}


def conclusion(
    importance: pd.Series,
    directions: Mapping[str, str],
    pairs: Sequence[Mapping[str, Any]],
    permutation: pd.DataFrame,
    agreement: Sequence[Mapping[str, Any]],
    local: Sequence[Mapping[str, Any]],
) -> str:
    """Return in words what drives the model, which columns act together, and whether the reasons can be trusted.

    Parameters
    ----------
    importance, directions
        Mean absolute SHAP value by column, the largest first, and what each column does.
    pairs
        What :func:`gristmill.evaluation.explanation.effects.interactions` found.
    permutation
        Permutation importance with intervals.
    agreement
        What :func:`gristmill.evaluation.explanation.agreement.agreement` found.
    local
        The explained rows.
    """
    leading = "; ".join(f"**{name}** ({directions[name]})" for name in importance.index[:3] if importance[name] > 0)
    said = [f"The predictions are moved most by {leading}." if leading else "No column moves the predictions."]
    if pairs and pairs[0]["strength"] > 0:
        one, other = pairs[0]["features"]
        said.append(f"**{one}** and **{other}** act together most, by {figure(pairs[0]['strength'], 4)} on average.")
    elif pairs:
        said.append("The strongest columns simply add up; no two of them act together.")
    needed = int((permutation["low"] > 0).sum())
    said.append(f"The score surely depends on {needed} of {len(permutation)} columns.")
    known = [pair["rank_correlation"] for pair in agreement if pair["rank_correlation"] is not None]
    if known:
        said.append(f"The ways of asking agree with rank correlations of at least {min(known):.2f}.")
    steady = sum(record["stability"] >= STABLE for record in local)
    said.append(f"LIME's reasons stay the same under other neighbours for {steady} of {len(local)} rows shown.")
    return " ".join(said)
