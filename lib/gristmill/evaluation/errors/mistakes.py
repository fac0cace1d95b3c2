"""The rows a model is most wrong about, each with what the table says of it and the reasons for its prediction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.behaviour.answers import MOST_SHOWN, value_text
from gristmill.evaluation.explanation.explain import raw_predict, row_error
from gristmill.evaluation.explanation.local_reasons import LocalExplainer
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.scores import decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import figure

MOST_WRONG = 5
BACKGROUND = 500
REASONS = 8


def most_wrong(
    model: FittedModel,
    scored: Scored,
    rows: pd.DataFrame,
    train: pd.DataFrame,
    suspects: Collection[str] = (),
    most: int = MOST_WRONG,
) -> list[dict[str, Any]]:
    """Return the rows with the largest errors, the worst first, with the reasons for what was predicted.

    Parameters
    ----------
    model
        The candidate.
    scored, rows
        Test rows: predicted, and with their raw columns, in the same order.
    train
        Training rows, from a sample of which neighbours take their values.
    suspects
        Keys of rows whose label may be wrong.
    most
        How many rows.

    Returns
    -------
    list
        ``row_key, truth, prediction, error, suspect, row`` (column -> value), ``output`` (the class explained), ``stability`` and
        ``reasons``: ``feature, reason, weight``, the weightiest first.
    """
    error = row_error(scored)
    worst = np.argsort(-error, kind="stable")[:most]
    shown = rows.iloc[worst]
    background = model.features(train.sample(min(len(train), BACKGROUND), random_state=0))
    explainer = LocalExplainer(raw_predict(model), model.features(shown), background)
    found = []
    for place, position in enumerate(worst):
        explained = explainer.explain(place)
        truth, prediction = _in_words(model, scored, int(position))
        found.append(
            {
                "row_key": str(rows.index[position]),
                "truth": truth,
                "prediction": prediction,
                "error": float(error[position]),
                "suspect": str(rows.index[position]) in suspects,
                "row": {str(name): value_text(shown[name].iloc[place]) for name in rows.columns[:MOST_SHOWN]},
                "output": model.classes[explained.output] if model.classes else None,
                "stability": explained.stability,
                "reasons": [
                    {"feature": name, "reason": text, "weight": weight} for name, text, weight in explained.reasons[:REASONS]
                ],
            }
        )
    return found


def _in_words(model: FittedModel, scored: Scored, position: int) -> tuple[str, str]:
    """Return truth and prediction of a row as a reader would write them."""
    if not model.classes:
        return figure(float(scored.y_true[position])), figure(float(scored.predicted[position]))
    probabilities = scored.predicted[[position]]
    decided = int(decide(probabilities, model.threshold)[0])
    said = f"{model.classes[decided]} (probability {figure(float(probabilities[0, decided]))})"
    return model.classes[int(scored.y_true[position])], said


def mistake_table(mistakes: Sequence[Mapping[str, Any]], top: int = 3) -> pd.DataFrame:
    """Return one line a row: truth, prediction, the first reasons that spoke for it, and whether its label is a suspect."""
    lines = [
        {
            "row": one["row_key"],
            "truth": one["truth"],
            "predicted": one["prediction"],
            "what spoke for it": "; ".join([part["reason"] for part in one["reasons"] if part["weight"] > 0][:top])
            or "nothing much",
            "stability": figure(one["stability"], 2),
            "label a suspect": "yes" if one["suspect"] else "",
        }
        for one in mistakes
    ]
    columns = ["row", "truth", "predicted", "what spoke for it", "stability", "label a suspect"]
    return pd.DataFrame(lines, columns=columns).set_index("row").rename_axis(None)
