"""Answers, reasons and changes in plain sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.explanation.counterfactuals import Counterfactual
from gristmill.evaluation.explanation.effects import value_text
from gristmill.evaluation.explanation.similar_rows import SimilarRows
from gristmill.metrics.scores import decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import figure, share
from gristmill.serving.served.versions import ServedVersion
from gristmill.views.group_thresholds import thresholds_words
from gristmill.views.predict.answers import Answer
from gristmill.views.predict.exploring import OUTPUT, SAID, VALUE
from gristmill.views.predict.sample import Sample

NEGLIGIBLE = 5e-4
"""Change of a probability below which it is not worth a sentence."""


def value_words(value: float | str) -> str:
    """Return a prediction as people write it."""
    return value if isinstance(value, str) else figure(float(value))


def decision_words(answer: Answer, model: FittedModel) -> str:
    """Return what decides between two classes, or which class is the most probable; empty for a number."""
    if not model.classes:
        return ""
    if len(model.classes) == 2 and model.threshold is not None:
        positive = model.classes[1]
        by = "at least" if answer.prediction == positive else "below"
        decided = (
            f"The probability of {positive} is {share(answer.probabilities[positive], 1)}, {by} the "
            f"{share(model.threshold, 1)} from which on the model answers {positive}."
        )
        return f"{decided} {thresholds_words(model.group_thresholds)}".strip()
    return f"{answer.prediction} is the most probable class, with {share(answer.confidence, 1)}."


def other_version_words(answer: Answer, serving: ServedVersion) -> str:
    """Return why nothing more is said of an answer: what is in production here is not the version that gave it."""
    return (
        f"Version {answer.version} gave this answer, and version {serving.label} is the one that is here now. What if and other "
        "decisions would be those of another model. Press Predict to ask again."
    )


def range_words(answer: Answer, model: FittedModel) -> str:
    """Return how sure the answer is, as a set of classes or an interval."""
    if answer.level is None:
        return "This model does not know how far it errs, so there is no set or interval."
    if answer.ends is not None:
        low, high = map(figure, answer.ends)
        return f"Of {share(answer.level)} of all rows the truth lies within such an interval, here from {low} to {high}."
    sure = f"At a level of {share(answer.level)}"
    if len(answer.classes) == 1:
        return f"{sure} the model is sure of {answer.classes[0]}."
    if len(answer.classes) == len(model.classes):
        return f"{sure} the model cannot rule out any class."
    return f"{sure} it may be {' or '.join(answer.classes)}."


def ends_words(ends: tuple[float, float]) -> str:
    """Return an interval as its two ends."""
    return f"{figure(ends[0])} to {figure(ends[1])}"


def contribution_title(explanation: Mapping[str, Any]) -> str:
    """Return what contributions are measured in, as the title of an axis."""
    said = explanation["output"]
    return "part of the number" if said is None else f"part of P({said})"


def moved_sentence(curve: pd.DataFrame, column: str, value: Any, model: FittedModel) -> str:
    """Return what the model says where a column is moved to a value."""
    said = curve[curve[VALUE] == value]
    given = f"With {column} = {value_text(value)}"
    if not model.classes:
        return f"{given}, {model.target} is {figure(float(said[SAID].iloc[0]))}."
    if len(model.classes) > 2:
        parts = [f"{name} {share(float(part), 1)}" for name, part in zip(said[OUTPUT], said[SAID], strict=True)]
        return f"{given}, the probabilities are {_listed(parts)}."
    positive = float(said[SAID].iloc[0])
    decided = model.classes[int(decide(np.array([[1 - positive, positive]]), model.threshold)[0])]
    return f"{given}, the probability of {model.classes[1]} is {share(positive, 1)}, and the model answers {decided}."


def curve_sentence(curve: pd.DataFrame, column: str, model: FittedModel) -> str:
    """Return a curve in words: from where to where it goes, for each class if there are several."""
    parts = []
    for name, one in curve.groupby(OUTPUT, sort=False):
        low, high = one.iloc[int(one[SAID].argmin())], one.iloc[int(one[SAID].argmax())]
        what = f"the probability of {name}" if model.classes else str(name)
        said = name if model.classes else None
        parts.append(
            f"{what} is lowest, {_amount(low[SAID], said)}, at {value_text(low[VALUE])}, "
            f"and highest, {_amount(high[SAID], said)}, at {value_text(high[VALUE])}"
        )
    return f"Over {column}, {'; '.join(parts)}."


def nothing_found(at_once: int) -> str:
    """Return that no change was found."""
    columns = "one column" if at_once == 1 else f"up to {('two', 'three')[at_once - 2]} columns"
    return f"No change of {columns} within the ranges of the training rows leads there."


def sample_sentence(sample: Sample) -> str:
    """Return among how many rows was looked."""
    looked = f"{len(sample.rows):,} of {sample.n_rows:,}" if len(sample.rows) < sample.n_rows else f"all {sample.n_rows:,}"
    return f"Looked for among {looked} training rows of the last build; all columns count alike."


def reasons_table(explanation: Mapping[str, Any]) -> pd.DataFrame:
    """Return reasons as a table: ``reason``, ``contribution``, ``direction``, the largest first; the others' sum at the end."""
    lines = [(one["reason"], float(one["contribution"])) for one in explanation["reasons"]]
    if abs(float(explanation["rest"])) > 0:
        lines.append(("all other columns", float(explanation["rest"])))
    table = pd.DataFrame(lines, columns=["reason", "contribution"])
    return table.assign(direction=["raises" if part >= 0 else "lowers" for part in table["contribution"]])


def reason_sentences(explanation: Mapping[str, Any], most: int = 3) -> list[str]:
    """Return where the answer comes from: from what it starts, and the largest reasons, each a sentence."""
    said, of = explanation["output"], "the prediction"
    start = f"Rows drawn from what the model learnt from get {figure(float(explanation['base']))} on average"
    if said is not None:
        of = f"the probability of {said}"
        start = f"Without knowing anything of the row, {of} would be {share(explanation['base'], 1)}"
    sentences = [f"{start}; for this row it is {_amount(explanation['value'], said)}."]
    for one in explanation["reasons"][:most]:
        part = float(one["contribution"])
        if abs(part) < NEGLIGIBLE and said is not None:
            continue
        sentences.append(f"That {one['reason']} {'raises' if part > 0 else 'lowers'} it by {_points(abs(part), said)}.")
    return sentences


def _amount(value: float, said: object) -> str:
    return figure(float(value)) if said is None else share(value, 1)


def _points(size: float, said: object) -> str:
    return figure(size) if said is None else f"{100 * size:.1f} percentage points"


def change_sentence(found: Counterfactual, model: FittedModel) -> str:
    """Return a change and what it leads to, such as "If contract were Two year instead of One year: No, ..."."""
    moves = [
        f"{name} were {value_text(after)} instead of {value_text(before) or 'not known'}"
        for name, (before, after) in found.changes.items()
    ]
    if not model.classes:
        return f"If {' and '.join(moves)}: {figure(float(found.value))}."
    code = int(decide(found.value[None, :], model.threshold)[0])
    shown = 1 if len(model.classes) == 2 else code
    probability = f"with a probability of {model.classes[shown]} of {share(float(found.value[shown]), 1)}"
    return f"If {' and '.join(moves)}: {model.classes[code]}, {probability}."


def outcome_sentence(found: SimilarRows, target: str) -> str:
    """Return what became of similar rows: "Of these 5 rows, 3 have churn = Yes and 2 No."."""
    outcomes = found.outcomes.dropna()
    if pd.api.types.is_numeric_dtype(outcomes) and outcomes.nunique() > 2:
        low, high = figure(float(outcomes.min())), figure(float(outcomes.max()))
        return f"Of these {len(outcomes)} rows, {target} is {figure(float(outcomes.mean()))} on average, from {low} to {high}."
    counts = outcomes.astype(str).value_counts()
    return f"What became of these {len(outcomes)} rows: {_listed([f'{target} = {level} for {n}' for level, n in counts.items()])}."


def similar_table(found: SimilarRows, row: pd.DataFrame, ids: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return similar rows as a table for reading: what became of them, how alike they are, and in which columns they differ."""
    own = row.to_dict("records")[0]
    differing = [
        "; ".join(f"{name} = {value_text(value) or 'missing'}" for name, value in one.items() if not _same(value, own[name]))
        or "nothing"
        for one in found.rows.to_dict("records")
    ]
    shown = pd.DataFrame(
        {target: found.outcomes.to_numpy(), "alike": [share(1 - far) for far in found.distances], "differs in": differing}
    )
    return pd.concat([ids.loc[found.rows.index].reset_index(drop=True), shown], axis=1)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (bool(pd.isna(one)) and bool(pd.isna(other)))


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
