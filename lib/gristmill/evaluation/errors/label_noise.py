"""Rows whose label may be wrong, told from predictions by a model that had not seen them.

Classes: confident learning (Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels").
A row counts for the class whose probability is at least that class's mean among the rows labelled so; counts of labels against such
classes, calibrated to the labels' frequencies, estimate how many labels of each class belong to which other, and as many rows are
suspected, those first whose other class is ahead by most ("prune by noise rate").

Numbers: rows whose error is far out (Tukey 1977: beyond three interquartile ranges outside the quartiles) among rows with about the
same prediction, since errors often grow with what is predicted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.scores import Floats
from gristmill.reporting.wording import count, figure, share

MOST_SHOWN = 20
FAR_OUT = 3.0
BINS, FEWEST_IN_BIN = 10, 50


@dataclass(frozen=True)
class Suspects:
    """Rows whose label may be wrong.

    Attributes
    ----------
    rows
        How many rows were looked at.
    table
        One line a suspect, the surest first: ``row_key, side, given, suggested, probability_given, probability_suggested`` for
        classes, ``row_key, side, given, predicted, far_out`` for numbers (``far_out`` in interquartile ranges).
    noise
        Estimated share of wrong labels, for classes; not a number for numbers.
    """

    rows: int
    table: pd.DataFrame
    noise: float

    def as_product(self) -> dict[str, Any]:
        """Return the suspects as the JSON-able part of ``evaluation.json``, the surest twenty by name."""
        top = self.table.head(MOST_SHOWN).to_dict("records")
        return {"rows": self.rows, "suspects": len(self.table), "estimated_noise": self.noise, "surest": top}

    def sentence(self) -> str:
        """Return in Markdown how many rows are suspected."""
        part = share(len(self.table) / max(1, self.rows), 1)
        text = f"**{count(len(self.table))}** of {count(self.rows)} labels are suspects ({part})."
        if not np.isfinite(self.noise):
            return text
        return f"{text} Were the model always right about what it is sure of, {share(self.noise, 1)} of all labels would be wrong."

    def keys(self) -> set[str]:
        """Return the keys of the suspects."""
        return set(self.table["row_key"])

    def shown(self, most: int = 10) -> pd.DataFrame:
        """Return the surest suspects as a reader would want them."""
        table = self.table.head(most).set_index("row_key").rename_axis(None)
        numbers = [name for name in table.columns if name not in ("side", "given", "suggested")]
        shown = table.assign(**{name: table[name].map(figure) for name in numbers})
        return shown.rename(columns=lambda name: name.replace("_", " "))


def confident_joint(labels: NDArray[np.int64], predicted: Floats) -> NDArray[np.float64]:
    """Return how many rows labelled ``i`` belong to class ``j``, estimated; shape ``(n_classes, n_classes)``.

    Rows add up to the number of rows labelled so. A class without rows has a row of zeros.

    Parameters
    ----------
    labels
        Code of each row's label, shape ``(n_rows,)``.
    predicted
        Probabilities by a model that had not seen the row, shape ``(n_rows, n_classes)``.
    """
    n_classes = predicted.shape[1]
    sizes = np.bincount(labels, minlength=n_classes)
    own = predicted[np.arange(len(labels)), labels]
    with np.errstate(invalid="ignore", divide="ignore"):
        thresholds = np.where(sizes > 0, np.bincount(labels, weights=own, minlength=n_classes) / sizes, np.inf)
    confident = np.where(predicted >= thresholds - 1e-12, predicted, -np.inf)
    sure = np.isfinite(confident).any(axis=1)
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, (labels[sure], confident[sure].argmax(axis=1)), 1.0)
    empty = joint.sum(axis=1) == 0
    joint[empty, empty] = 1.0
    return np.asarray(joint / joint.sum(axis=1, keepdims=True) * sizes[:, None])


def suspect_rows(labels: NDArray[np.int64], predicted: Floats) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return positions of the suspected rows, the surest first, and the class that each is likelier to have.

    See :func:`confident_joint` for the parameters. A row is left out when its own label is the most probable class.
    """
    joint, own = confident_joint(labels, predicted), predicted[np.arange(len(labels)), labels]
    best: dict[int, tuple[float, int]] = {}
    for given, other in np.argwhere(np.round(joint) > 0):
        if given == other:
            continue
        rows = np.flatnonzero(labels == given)
        ahead = predicted[rows, other] - own[rows]
        first = np.argsort(-ahead, kind="stable")[: round(joint[given, other])]
        for place in first:
            row, margin = int(rows[place]), float(ahead[place])
            if predicted[row].argmax() != given and margin > best.get(row, (0.0, -1))[0]:
                best[row] = (margin, int(other))
    order = sorted(best, key=lambda row: (-best[row][0], row))
    return np.array(order, dtype=np.intp), np.array([best[row][1] for row in order], dtype=np.int64)


def far_out(truth: Floats, predicted: Floats) -> Floats:
    """Return how far each error lies outside the quartiles of errors at about the same prediction, in interquartile ranges.

    Zero between the quartiles. Predictions are cut into ten bins of equal size, fewer where bins would have under fifty rows.
    """
    error = truth - predicted
    n_bins = int(np.clip(len(error) // FEWEST_IN_BIN, 1, BINS))
    ranks = np.argsort(np.argsort(predicted, kind="stable"), kind="stable")
    bins = ranks * n_bins // max(1, len(error))
    out = np.zeros(len(error))
    for number in range(n_bins):
        rows = bins == number
        low, high = np.quantile(error[rows], [0.25, 0.75])
        if high > low:
            out[rows] = np.maximum(0.0, np.maximum(low - error[rows], error[rows] - high)) / (high - low)
    return out


def find_suspects(sides: Mapping[str, Scored], classes: Sequence[str] = ()) -> Suspects:
    """Return the rows whose label may be wrong, the surest first.

    Parameters
    ----------
    sides
        Name of a kind of rows (``training``, ``test``) -> their predictions by a model that had not seen them.
    classes
        Classes in the order of their codes; empty for a regression.
    """
    keys = np.concatenate([np.asarray(scored.row_keys.astype(str), dtype=object) for scored in sides.values()])
    names = np.concatenate([np.full(len(scored), side, dtype=object) for side, scored in sides.items()])
    truth, predicted = (np.concatenate([getattr(scored, part) for scored in sides.values()]) for part in ("y_true", "predicted"))
    if not classes:
        out = far_out(truth.astype(np.float64), predicted)
        rows = np.flatnonzero(out > FAR_OUT)
        rows = rows[np.argsort(-out[rows], kind="stable")]
        parts = {"given": truth[rows], "predicted": predicted[rows], "far_out": out[rows]}
        return Suspects(len(truth), pd.DataFrame({"row_key": keys[rows], "side": names[rows], **parts}), float("nan"))
    labels = truth.astype(np.int64)
    rows, other = suspect_rows(labels, predicted)
    joint = confident_joint(labels, predicted)
    words = np.array(classes, dtype=object)
    table = pd.DataFrame(
        {
            "row_key": keys[rows],
            "side": names[rows],
            "given": words[labels[rows]],
            "suggested": words[other],
            "probability_given": predicted[rows, labels[rows]],
            "probability_suggested": predicted[rows, other],
        }
    )
    return Suspects(len(labels), table, float(1 - np.trace(joint) / max(1.0, joint.sum())))
