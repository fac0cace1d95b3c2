import json

import numpy as np
import pandas as pd
import pytest
from tests.models import FEATURES, TARGETS, customers, describe, fit

from gristmill.errors import ArtifactError, DataError
from gristmill.evaluation.explanation.row_reasons import RowExplainer, background_rows
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import save_candidate

TASKS = tuple(TARGETS)


@pytest.fixture(scope="module")
def explainer(tmp_path_factory):
    made = {}

    def build(task):
        if task not in made:
            folder, frame = tmp_path_factory.mktemp(task) / "candidate", customers(300)
            model, contract = describe(task, threshold=0.4 if task == "binary" else None)
            predicted = np.ones((len(frame), len(contract.get("classes") or [0])))
            reference = drift_reference(frame, contract, FEATURES, predicted, bins=10)
            save_candidate(folder, fit(task, frame), model, contract, reference, "small")
            made[task] = RowExplainer.load(folder)
        return made[task]

    return build


@pytest.mark.parametrize("task", TASKS)
def test_reasons_sum_to_the_value_and_can_be_written_as_json(explainer, task):
    rows = customers(5, seed=2)
    found = json.loads(json.dumps(explainer(task).explain(rows)))
    said = explainer(task).model.predict_values(rows)
    assert len(found) == 5
    for place, one in enumerate(found):
        total = one["base"] + sum(reason["contribution"] for reason in one["reasons"]) + one["rest"]
        assert total == pytest.approx(one["value"], abs=1e-9)
        own = said[place] if task == "regression" else said[place, explainer(task).model.classes.index(one["output"])]
        assert one["value"] == pytest.approx(own, abs=1e-12)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_column_that_made_the_target_comes_first(explainer, task):
    frame = customers(3, seed=2).assign(tenure=[1, 70, 2])
    assert [one["reasons"][0]["feature"] for one in explainer(task).explain(frame)] == ["tenure"] * 3


def test_reasons_are_in_the_words_of_the_table(explainer):
    (one,) = explainer("binary").explain(pd.DataFrame({"tenure": ["3"], "charge": [None], "plan": ["01"]}))
    words = {reason["feature"]: (reason["value"], reason["reason"]) for reason in one["reasons"]}
    assert words == {"tenure": ("3", "tenure = 3"), "charge": (None, "charge is missing"), "plan": ("01", "plan = 01")}
    assert one["prediction"] == "Yes"


def test_a_row_has_the_same_reasons_alone_and_among_others(explainer):
    rows = customers(4, seed=5)
    together = explainer("multiclass").explain(rows)
    assert [explainer("multiclass").explain(rows.iloc[[place]])[0] for place in range(4)] == together


def test_the_other_class_has_the_opposite_reasons(explainer):
    rows = customers(1, seed=5)
    (yes,), (no,) = (explainer("binary").explain(rows, output=name) for name in ("Yes", "No"))
    assert yes["base"] + no["base"] == pytest.approx(1)
    for one, other in zip(yes["reasons"], no["reasons"], strict=True):
        assert one["contribution"] == pytest.approx(-other["contribution"])


def test_a_class_of_several_can_be_asked_about(explainer):
    (one,) = explainer("multiclass").explain(customers(1), output="silver", top=1)
    assert one["output"] == "silver"
    assert len(one["reasons"]) == 1
    assert one["base"] + one["reasons"][0]["contribution"] + one["rest"] == pytest.approx(one["value"])


def test_a_class_that_does_not_exist_is_refused(explainer):
    with pytest.raises(DataError, match="one of No, Yes, got 'Maybe'"):
        explainer("binary").explain(customers(1), output="Maybe")
    with pytest.raises(DataError, match="predicts numbers"):
        explainer("regression").explain(customers(1), output="Yes")


def test_no_rows_have_no_reasons_and_a_missing_column_is_named(explainer):
    assert explainer("binary").explain(customers(3).head(0)) == []
    with pytest.raises(DataError, match="'tenure' is missing"):
        explainer("binary").explain(customers(3).drop(columns="tenure"))


def test_background_rows_follow_the_stored_distributions():
    frame = pd.DataFrame(
        {
            "whole": np.r_[np.zeros(500, int), np.arange(1, 501)],
            "number": np.r_[np.full(200, np.nan), np.linspace(-3, 5, 800)],
            "flag": [True] * 300 + [False] * 700,
            "day": pd.date_range("2020-01-01", periods=1000),
            "level": [f"v{n % 60}" for n in range(1000)],
            "note": ["some words"] * 1000,
        }
    )
    kinds = {"whole": "numeric", "number": "numeric", "flag": "boolean", "day": "date", "level": "categorical", "note": "text"}
    ends = {"whole": (0, 500), "number": (-3, 5)}
    columns = [
        {"name": name, "kind": kind, "dtype": str(frame[name].dtype), "levels": sorted({f"v{n}" for n in range(60)}),
         "minimum": ends.get(name, (None, None))[0], "maximum": ends.get(name, (None, None))[1]}
        for name, kind in kinds.items()
    ]  # fmt: skip
    contract = {"columns": columns, "classes": None}
    reference = drift_reference(frame, contract, list(frame), np.zeros(1000), bins=10)
    drawn = background_rows(reference, contract, tuple(frame), 400)
    assert drawn["number"].isna().mean() == pytest.approx(0.2, abs=0.01)
    assert drawn["number"].mean() == pytest.approx(1.0, abs=0.05)
    assert (drawn["whole"] % 1 == 0).all()
    assert drawn["whole"].between(0, 500).all()
    assert drawn["whole"].median() <= 1
    assert drawn["flag"].astype(float).mean() == pytest.approx(0.3, abs=0.01)
    assert drawn["day"].between("2020-01-01", "2022-09-27").all()
    assert drawn["level"].nunique() > 50
    assert drawn["note"].isna().all()


def test_a_model_without_distributions_is_refused():
    with pytest.raises(ArtifactError, match="Expected the distribution of 'tenure'"):
        background_rows({"columns": {}}, {"columns": [{"name": "tenure"}]}, ("tenure",))
