"""A model with every way of making features is stored, loaded and asked, and refused without the module it was built with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from tests.unit.modeling.conftest import make_case, make_frame

from gristmill.data.contract.schema import infer
from gristmill.data.targets import encode_classes
from gristmill.errors import ArtifactError
from gristmill.features import custom
from gristmill.features.builder import make_plan, source_columns
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.modeling.choice.selection import refit
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.families.problem import Problem

MODULE = "def add(rows):\n    return (rows[['x']] ** 2).rename(columns={'x': 'squared'})\n"
EVERYTHING = {
    "custom": "served_features:add",
    "aggregations": [{"by": "c", "of": "x", "statistics": ["mean", "difference", "count"]}],
    "proposals": 2,
    "selection": "l1",
    "augmentation": "smote",
}


def saved(folder: Path, family: str) -> tuple[pd.DataFrame, Pipeline]:
    """Write a model of everything at once; return its training rows and the pipeline."""
    frame, case = make_frame(n_rows=300), make_case(features=EVERYTHING)
    contract = infer(frame, case)
    plan = make_plan(frame, case, contract)
    y = encode_classes(frame["y"], contract["classes"])
    problem = Problem(plan, len(y), int(np.bincount(y).min()))
    pipeline = refit(plan, build(family, portfolio(family, problem)[0], problem), frame, y)
    model = {"task": "binary", "classes": contract["classes"], "target": "y", "feature_columns": source_columns(plan)}
    save_candidate(folder / "model", pipeline, model, contract, {"columns": {}}, "small")
    return frame, pipeline


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").touch()
    (tmp_path / "served_features.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("family", ["linear", "boosting"])
def test_it_answers_as_the_pipeline_that_was_stored_one_row_as_many(project: Path, family: str):
    frame, pipeline = saved(project, family)
    loaded = FittedModel.load(project / "model")
    rows = frame.drop(columns="y").head(5).assign(c=["a", "never seen", None, "b", "c"])
    answers, counts = loaded.predict_counted(rows)
    assert np.array_equal(answers, pipeline.predict_proba(rows))
    alone = np.vstack([loaded.predict_values(rows.iloc[[row]]) for row in range(5)])
    assert np.allclose(alone, answers, rtol=1e-9)
    assert counts is not None
    assert {choice["feature"] for choice in counts.choices if choice["choice"] == "added"} >= {"mean of x within c"}
    assert set(loaded.feature_columns) == {"x", "c", "noise"}
    assert "squared" in RowFeatures(pipeline[0].plan).transform(rows).columns


def test_it_is_refused_where_the_module_is_another_one_or_none(project: Path):
    saved(project, "linear")
    module = project / "served_features.py"
    for text, message in ((MODULE + "# edited\n", "but the module here is version"), (None, "which cannot be loaded here")):
        custom.load_version.cache_clear()  # as in another process
        module.unlink() if text is None else module.write_text(text)
        with pytest.raises(ArtifactError, match=message):
            FittedModel.load(project / "model")
