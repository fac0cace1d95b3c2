"""The rows a model is most wrong about, each with what the table says of it and the reasons for its prediction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.behaviour.answers import MOST_SHOWN, value_text
from gristmill.evaluation.explanation.explain import raw_predict, row_error
from gristmill.evaluation.explanation.local_reasons import LocalExplainer
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.paired import Answers
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
    others: Mapping[str, Answers] | None = None,
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
    others
        Name of another model -> what it says about all the rows.

    Returns
    -------
    list
        ``row_key, truth, prediction, others`` (what each other model says), ``error, suspect, row`` (column -> value), ``output``
        (the class explained), ``stability`` and ``reasons``: ``feature, reason, weight``, the weightiest first.
    """
    error = row_error(scored)
    worst = np.argsort(-error, kind="stable")[:most]
    shown = rows.iloc[worst]
    background = model.features(train.sample(min(len(train), BACKGROUND), random_state=0))
    explainer = LocalExplainer(raw_predict(model), model.features(shown), background)
    found = []
    for place, position in enumerate(worst):
        explained = explainer.explain(place)
        said = Answers(scored.predicted, model.threshold)
        found.append(
            {
                "row_key": str(rows.index[position]),
                "truth": _truth(model, scored, int(position)),
                "prediction": _in_words(model, said, int(position)),
                "others": {name: _in_words(model, answers, int(position)) for name, answers in (others or {}).items()},
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


def _truth(model: FittedModel, scored: Scored, position: int) -> str:
    """Return the truth of a row as a reader would write it."""
    return model.classes[int(scored.y_true[position])] if model.classes else figure(float(scored.y_true[position]))


def _in_words(model: FittedModel, answers: Answers, position: int) -> str:
    """Return what was predicted of a row as a reader would write it."""
    if not model.classes:
        return figure(float(answers.predicted[position]))
    probabilities = answers.predicted[[position]]
    decided = int(decide(probabilities, answers.threshold)[0])
    return f"{model.classes[decided]} (probability {figure(float(probabilities[0, decided]))})"


def mistake_table(mistakes: Sequence[Mapping[str, Any]], top: int = 3) -> pd.DataFrame:
    """Return one line a row: truth, prediction, that of others, the first reasons for it, and whether its label is a suspect."""
    lines = [
        {
            "row": one["row_key"],
            "truth": one["truth"],
            "predicted": one["prediction"],
            **one["others"],
            "what spoke for it": "; ".join([part["reason"] for part in one["reasons"] if part["weight"] > 0][:top])
            or "nothing much",
            "stability": figure(one["stability"], 2),
            "label a suspect": "yes" if one["suspect"] else "",
        }
        for one in mistakes
    ]
    beside = list(mistakes[0]["others"]) if mistakes else []
    columns = ["row", "truth", "predicted", *beside, "what spoke for it", "stability", "label a suspect"]
    return pd.DataFrame(lines, columns=columns).set_index("row").rename_axis(None)
