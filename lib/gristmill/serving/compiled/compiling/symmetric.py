"""Compiling of CatBoost's symmetric trees.

What a question makes of a category is not worked out again: CatBoost itself is asked which leaves a row of each code comes to,
and the binary digits of the leaves are the answers to the questions. Only where a question is about several columns together, its
own library has to answer every row.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.catboost_trees import MOST_CODES, CatBoostTrees
from gristmill.serving.compiled.kernels.simple import Constant
from gristmill.serving.compiled.kernels.symmetric import Library, Symmetric


@dataclass(frozen=True)
class _Question:
    """A question of a tree: about a number and its border, or about the category in a column; ``column`` is one of the matrix."""

    column: int
    border: float | None


def compile_symmetric_trees(model: CatBoostTrees) -> Symmetric | Library | Constant:
    """Return the kernel that answers what CatBoost does before it makes probabilities of it."""
    n_codes, n_outputs = min(model.categories, int(model.n_features_in_)), len(model.prior_)
    library = Library(np.asarray(model.model_), int(model.n_features_in_), n_codes, n_outputs)
    described = _described(model)
    trees = described["oblivious_trees"]
    scale, bias = described["scale_and_bias"]
    if not any(tree["splits"] for tree in trees):
        total = np.sum([np.asarray(tree["leaf_values"], dtype=np.float64).reshape(-1, n_outputs)[0] for tree in trees], axis=0)
        return Constant(np.atleast_1d(np.asarray(total * scale + np.asarray(bias), dtype=np.float64)))
    asked = _questions(described["features_info"], n_codes)
    used = sorted({int(split["split_index"]) for tree in trees for split in tree["splits"]})
    if any(asked[place] is None for place in used):
        return library
    return _symmetric(
        model, trees, {place: asked[place] for place in used}, (float(scale), np.asarray(bias, dtype=np.float64)), library
    )


def _described(model: CatBoostTrees) -> dict[str, Any]:
    """Return a model as CatBoost describes it in JSON; a tree that asks nothing has no questions there, and none here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        empty = np.zeros((1, int(model.n_features_in_)))
        model._opened.save_model(str(path), format="json", pool=model._pool(empty))
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for tree in content["oblivious_trees"]:
        tree["splits"] = tree.get("splits") or []
    return content


def _questions(features: Mapping[str, Any], n_codes: int) -> list[_Question | None]:
    """Return every question in CatBoost's numbering: numbers, levels one by one, statistics; None for one about several columns."""
    found: list[_Question | None] = []
    for one in features.get("float_features", ()):
        known = one.get("nan_value_treatment", "AsIs") != "AsTrue"
        found += [
            _Question(n_codes + int(one["feature_index"]), float(border)) if known else None for border in one["borders"] or ()
        ]
    for one in features.get("categorical_features", ()):
        found += [_Question(int(one["feature_index"]), None)] * len(one.get("values") or ())
    for one in features.get("ctrs", ()):
        parts = one["elements"]
        alone = len(parts) == 1 and parts[0]["combination_element"] == "cat_feature_value"
        found += [_Question(int(parts[0]["cat_feature_index"]), None) if alone else None] * len(one["borders"])
    return found


def _symmetric(
    model: CatBoostTrees, trees: Sequence[Mapping[str, Any]], asked: Mapping[int, Any], ends: tuple[float, Any], library: Library
) -> Symmetric:
    """Return the trees as arrays."""
    numbers = [place for place, question in asked.items() if question.border is not None]
    about = [place for place, question in asked.items() if question.border is None]
    order = {place: row for row, place in enumerate([*numbers, *about])}
    depth = max(len(tree["splits"]) for tree in trees)
    questions = np.full((depth, len(trees)), len(order), dtype=np.intp)
    for column, tree in enumerate(trees):
        for level, split in enumerate(tree["splits"]):
            questions[level, column] = order[int(split["split_index"])]
    leaves = [np.asarray(tree["leaf_values"], dtype=np.float64).reshape(-1, library.n_outputs) for tree in trees]
    return Symmetric(
        columns=np.array([asked[place].column for place in numbers], dtype=np.intp),
        borders=np.array([asked[place].border for place in numbers], dtype=np.float64),
        code_columns=np.array([asked[place].column for place in about], dtype=np.intp),
        truths=_truths(model, trees, about),
        questions=questions,
        starts=np.concatenate([[0], np.cumsum([len(one) for one in leaves])[:-1]]).astype(np.intp),
        leaves=np.vstack(leaves),
        scale=ends[0],
        bias=np.atleast_1d(ends[1]),
        library=library,
    )


def _truths(model: CatBoostTrees, trees: Sequence[Mapping[str, Any]], about: Sequence[int]) -> NDArray[np.bool_]:
    """Return the answers to questions about categories for a missing one and each code, as CatBoost gives them."""
    made = np.zeros((MOST_CODES + 1, len(about)), dtype=bool)
    if not about:
        return made
    rows = np.zeros((MOST_CODES + 1, int(model.n_features_in_)))
    rows[:, : model.categories] = np.arange(-1, MOST_CODES)[:, None]
    leaves = np.asarray(model._opened.calc_leaf_indexes(model._pool(rows)), dtype=np.int64)
    where = {int(s["split_index"]): (column, level) for column, tree in enumerate(trees) for level, s in enumerate(tree["splits"])}
    for place, question in enumerate(about):
        column, level = where[question]
        made[:, place] = (leaves[:, column] >> level) & 1
    return made
