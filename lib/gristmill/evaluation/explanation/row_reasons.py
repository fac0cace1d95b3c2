"""Reasons for the prediction of any row, in one call: raw columns in, JSON-able reasons out; no test or training rows needed.

What stands for "not knowing" a column is drawn from the distributions that every model carries for watching drift, one column apart
from the others (the marginal reference of Strumbelj and Kononenko 2014), so that no row of a person is stored with a model. The
same row has the same reasons, whether it is asked about alone or among others.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.errors import ArtifactError, DataError
from gristmill.evaluation.explanation.effects import value_text
from gristmill.evaluation.explanation.explain import condition, raw_predict
from gristmill.evaluation.explanation.hybrids import as_columns
from gristmill.evaluation.explanation.shapley import shapley_values
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import DRIFT_REFERENCE, REBUILD, read_verified, require_files

BACKGROUND_ROWS = 40
"""Background rows, each walked to along one order of the columns and its reverse."""

MOST_ASKED = 20_000
"""Rows the model is asked about for one explanation; wide tables get fewer background rows."""

OTHER_LEVEL = "(another level)"


def background_rows(
    reference: Mapping[str, Any], contract: Mapping[str, Any], columns: tuple[str, ...], n_rows: int = BACKGROUND_ROWS
) -> pd.DataFrame:
    """Return rows drawn column by column from the stored distributions, evenly over each, the same every time.

    Parameters
    ----------
    reference
        ``drift_reference.json``.
    contract
        The data contract, for types and the ends of the first and last bins.
    columns
        The columns of the rows. Free text is always missing: its words are not stored.
    n_rows
        Number of rows.

    Raises
    ------
    ArtifactError
        The reference lacks one of the columns.
    """
    rng = np.random.default_rng(0)
    facts = {column["name"]: column for column in contract["columns"]}
    made: dict[str, Any] = {}
    for name in columns:
        if name not in reference.get("columns", {}):
            raise ArtifactError(
                f"Expected the distribution of {name!r} in the model's {DRIFT_REFERENCE}, got none, and reasons need it. {REBUILD}"
            )
        shares = (rng.permutation(n_rows) + 0.5) / n_rows
        made[name] = _drawn(reference["columns"][name], facts[name], shares)
    return pd.DataFrame(made)


def _drawn(stored: Mapping[str, Any], facts: Mapping[str, Any], shares: Floats) -> Any:
    """Return the values of one column at the given shares of its stored distribution, missing ones first."""
    missing = shares < stored["missing_share"]
    left = np.clip((shares - stored["missing_share"]) / max(1 - stored["missing_share"], 1e-12), 0, 1)
    if facts["kind"] == "text":
        return np.full(len(shares), None, dtype=object)
    if stored["kind"] == "levels":
        return _gaps(missing, _levels(stored, facts, left))
    numbers = np.where(missing, np.nan, _numbers(stored, facts, left))
    if facts["kind"] == "date":
        return pd.to_datetime(pd.Series(numbers), unit="s")
    if facts["kind"] == "boolean":
        return _gaps(missing, numbers >= 0.5)
    return numbers


def _levels(stored: Mapping[str, Any], facts: Mapping[str, Any], left: Floats) -> NDArray[np.object_]:
    """Return levels at the given shares of those that are present; the rarer ones are spread evenly over their share."""
    named = dict(stored["shares"])
    rare = [level for level in facts.get("levels") or () if level not in named] or [OTHER_LEVEL]
    if stored["other"] > 1e-9 or not named:
        named |= {level: max(stored["other"], 1e-9) / len(rare) for level in rare}
    ends = np.cumsum(list(named.values())) / sum(named.values())
    places = np.minimum(np.searchsorted(ends, left, side="right"), len(named) - 1)
    levels: NDArray[np.object_] = np.array(list(named), dtype=object)
    return np.asarray(levels[places], dtype=object)


def _gaps(missing: NDArray[np.bool_], values: NDArray[Any]) -> NDArray[np.object_]:
    """Return values as objects, None where missing."""
    made = values.astype(object)
    made[missing] = None
    return made


def _numbers(stored: Mapping[str, Any], facts: Mapping[str, Any], left: Floats) -> Floats:
    """Return numbers at the given shares of those that are present, evenly within a bin, whole where the contract has it so."""
    edges = np.asarray(stored["edges"], dtype=np.float64)
    mean = 0.0 if stored.get("mean") is None else float(stored["mean"])
    ends = edges[[0, -1]] if len(edges) else np.array([mean, mean])
    lowest = ends[0] if facts.get("minimum") is None else min(float(facts["minimum"]), float(ends[0]))
    highest = ends[1] if facts.get("maximum") is None else max(float(facts["maximum"]), float(ends[1]))
    bounds = np.concatenate([[lowest], edges, [highest]])
    total = np.concatenate([[0.0], np.cumsum(stored["shares"])])
    total = total / (total[-1] or 1.0)
    place = np.clip(np.searchsorted(total, left, side="right") - 1, 0, len(stored["shares"]) - 1)
    within = (left - total[place]) / np.maximum(total[place + 1] - total[place], 1e-12)
    whole = str(facts.get("dtype", "")).lower().startswith(("int", "uint")) or facts["kind"] == "boolean"
    if not whole:
        return np.asarray(bounds[place] + within * (bounds[place + 1] - bounds[place]), dtype=np.float64)
    last = np.where(place == len(edges), bounds[place + 1], np.maximum(bounds[place + 1] - 1, bounds[place]))
    return np.asarray(np.minimum(np.floor(bounds[place] + within * (last - bounds[place] + 1)), last), dtype=np.float64)


@dataclass(frozen=True)
class RowExplainer:
    """Gives the reasons for single predictions of one verified model.

    Attributes
    ----------
    model
        The model.
    background
        Rows that stand for "not knowing" a column, in contracted types.
    """

    model: FittedModel
    background: pd.DataFrame

    @classmethod
    def load(cls, directory: Path | str, digest: str | None = None) -> "RowExplainer":
        """Return the explainer of a model directory, which is verified first.

        Parameters
        ----------
        directory
            The model directory.
        digest
            The digest it must have, where it is known.

        Raises
        ------
        ArtifactError
            As :meth:`FittedModel.load`; or the directory lacks the distributions of the model's columns.
        """
        model = FittedModel.load(directory, digest)
        manifest, content = read_verified(directory, model.manifest.digest)
        require_files(manifest, (DRIFT_REFERENCE,), directory)
        return cls.of(model, json.loads(content[DRIFT_REFERENCE]))

    @classmethod
    def of(cls, model: FittedModel, reference: Mapping[str, Any]) -> "RowExplainer":
        """Return the explainer of a loaded model, with what its ``drift_reference.json`` holds."""
        drawn = background_rows(reference, model.contract, model.feature_columns)
        return cls(model, model.features(drawn))

    def explain(self, frame: pd.DataFrame, *, output: str | None = None, top: int | None = None) -> list[dict[str, Any]]:
        """Return the reasons for the prediction of each row of ``frame``, in its order.

        Parameters
        ----------
        frame
            Rows with the columns the model was built on, as a user has them; more columns do no harm.
        output
            The class whose probability is explained; by default the positive one of two, and the most probable of more.
        top
            Reasons kept a row; all by default. The others' sum is ``rest``.

        Returns
        -------
        list
            A row: ``prediction`` (a class or a number), ``output`` (the class explained; None for a regression), ``value`` (its
            probability, or the number), ``base`` (the mean value over the background), ``reasons`` (``feature``, ``value`` as
            text, None where missing, ``reason`` such as ``contract = Month-to-month``, ``contribution``; the largest first) and
            ``rest``. ``base``, contributions and ``rest`` sum to ``value``.

        Raises
        ------
        DataError
            A column is missing or holds a value its type cannot hold; or the model has no such class.
        """
        classes = self.model.classes
        if output is not None and output not in classes:
            known = f"one of {', '.join(classes)}" if classes else "none: the model predicts numbers"
            raise DataError(f"Expected as the class to explain {known}, got {output!r}.")
        rows = self.model.features(frame)
        return [self._one(rows.iloc[[place]], output, top) for place in range(len(rows))]

    def _one(self, row: pd.DataFrame, output: str | None, top: int | None) -> dict[str, Any]:
        """Return the reasons for one row in its contracted types."""
        predict, classes = raw_predict(self.model), self.model.classes
        answer = predict(row)
        code = None if not classes else classes.index(output) if output is not None else _explained(answer)
        place = code if code is not None and len(classes) > 2 else 0
        values = shapley_values(predict, row, self.background, max_rounds=BACKGROUND_ROWS, max_evaluations=MOST_ASKED)
        base, sign = float(values.base[0, place]), 1.0
        if len(classes) == 2 and code == 0:  # values are about the positive class
            base, sign = 1 - base, -1.0
        parts = {name: sign * part for name, part in values.row(0, place).items()}
        kept = list(parts.items())[:top]
        said = float(answer[0]) if not classes else classes[int(decide(answer, self.model.threshold)[0])]
        return {
            "prediction": said,
            "output": None if code is None else classes[code],
            "value": float(answer[0]) if code is None else float(answer[0, code]),
            "base": base,
            "reasons": [_reason(name, row[name].iloc[0], part) for name, part in kept],
            "rest": float(sum(list(parts.values())[len(kept) :])),
        }


def _explained(answer: Floats) -> int:
    """Return the class explained by default: the positive one of two, else the most probable."""
    return 1 if as_columns(answer).shape[1] == 1 else int(answer[0].argmax())


def _reason(name: str, value: Any, contribution: float) -> dict[str, Any]:
    """Return one column's reason in the words of the raw table."""
    return {
        "feature": name,
        "value": value_text(value) or None,
        "reason": condition(name, value),
        "contribution": float(contribution),
    }
