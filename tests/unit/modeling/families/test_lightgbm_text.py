"""A text that LightGBM would believe and stumble over is refused before LightGBM reads it."""

import random

import numpy as np
import pytest

from gristmill.modeling.families.lightgbm_text import verify
from gristmill.modeling.families.lightgbm_trees import LightGBMTreesClassifier


@pytest.fixture(scope="module")
def text() -> str:
    """Return a model of 3 trees, 2 columns and 2 classes, which splits categories too."""
    X = np.column_stack([np.arange(200) % 9, np.linspace(0, 1, 200)])
    model = LightGBMTreesClassifier(rounds=3, leaves=5, min_samples_leaf=5, cat_smooth=1.0, categories=1)
    y = (np.isin(X[:, 0], (1, 5, 6)) ^ (X[:, 1] > 0.5)) * 1
    content = model.fit(X, y).model_.tobytes().decode()
    assert "cat_threshold" in content
    return content


def altered(text: str, key: str, place: int, value: str) -> str:
    """Return the text with one word of the first line of ``key`` replaced by another of the same length."""
    start = text.index(f"\n{key}=") + len(key) + 2
    line = text[start : text.index("\n", start)]
    words = line.split(" ")
    words[place] = value.rjust(len(words[place]), "0") if value.isdigit() else value
    changed = text[:start] + " ".join(words) + text[start + len(line) :]
    size = int(text.partition("tree_sizes=")[2].split()[0])
    return changed.replace(f"tree_sizes={size}", f"tree_sizes={size + len(changed) - len(text)}", 1)


def test_what_lightgbm_wrote_passes(text: str) -> None:
    verify(text, 2, 2)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("left_child", "0", "leads nowhere"),
        ("left_child", "4", "leads nowhere"),
        ("right_child", "-6", "leads nowhere"),
        ("right_child", "1e1", "no whole numbers"),
        ("split_feature", "2", "column that the model does not have"),
        ("split_feature", "-1", "column that the model does not have"),
        ("decision_type", "12", "does not exist"),
        ("threshold", "nan", "set of categories that does not exist"),
        ("cat_boundaries", "1", "do not fit together"),
        ("cat_threshold", "-1", "do not fit together"),
        ("leaf_value", "inf", "answers with what is no number"),
        ("leaf_value", "0.1 0.2", "6 numbers, and 5 were expected"),
        ("leaf_value", "0.1.2", "no numbers"),
        ("num_leaves", "9", "9 were expected"),
        ("num_cat", "0", "leaves of a kind"),
        ("is_linear", "1", "leaves of a kind"),
    ],
)
def test_a_number_that_leads_astray_is_refused(text: str, key: str, value: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        verify(altered(text, key, 0, value), 2, 2)


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("max_feature_idx=1", "max_feature_idx=7", "max_feature_idx"),
        ("binary sigmoid:1", "lambdarank", "objective"),
        ("Tree=1", "Tree=2", "another number"),
        ("tree_sizes=", "tree_sizes=1", "sizes of its trees"),
        ("Column_1", "Column_1 Column_2", "feature_names"),
        ("is_linear=0\n", "", "sizes of its trees"),
        ("tree\n", "", "begin and end"),
        ("end of trees\n", "", "begin and end"),
    ],
)
def test_another_form_is_refused(text: str, was: str, becomes: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        verify(text.replace(was, becomes, 1), 2, 2)


@pytest.mark.parametrize(("n_columns", "n_classes"), [(3, 2), (2, 3), (2, 0)])
def test_a_model_for_something_else_is_refused(text: str, n_columns: int, n_classes: int) -> None:
    with pytest.raises(ValueError, match="was expected"):
        verify(text, n_columns, n_classes)


def test_whatever_passes_can_be_asked(text: str) -> None:
    import lightgbm  # noqa: PLC0415

    chance, passed = random.Random(0), 0
    for _ in range(400):
        place = chance.randrange(len(text))
        forged = text[:place] + chance.choice("0123456789-. \n=") + text[place + 1 :]
        try:
            verify(forged, 2, 2)
        except ValueError:
            continue
        passed += 1
        answer = lightgbm.Booster(model_str=forged).predict([[3.0, 0.2], [np.nan, np.nan], [300.0, 9.0]], num_threads=1)
        assert answer.shape == (3,)
    assert passed > 20
