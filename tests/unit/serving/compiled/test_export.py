"""Export to ONNX: onnxruntime answers as the model does, or nothing is written."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from tests.compiled_models import Setting, setting

from gristmill.errors import ArtifactError
from gristmill.modeling.choice.calibration import Calibrated, ProbabilityCalibrator
from gristmill.modeling.choice.ensembling import WeightedClassifier
from gristmill.serving.compiled.edge.export import export
from gristmill.serving.predictor import Predictor

NAMES = ("linear", "random forest", "extra trees", "histogram trees", "lightgbm", "catboost", "network")


@pytest.fixture(scope="module")
def settings() -> dict[str, Setting]:
    return {task: setting(task) for task in ("binary", "multiclass", "regression")}


def predictor_of(made: Setting, name: str) -> Predictor:
    return made.predictor(made.fitted(made.member(name)))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", NAMES)
def test_an_export_answers_as_the_model(settings: dict[str, Setting], name: str, task: str, tmp_path: Path) -> None:
    done = export(predictor_of(settings[task], name), tmp_path / "model.onnx")
    assert done.largest < 1e-9
    assert {entry.key for entry in onnx.load(done.path).metadata_props} >= {"gristmill.tolerance", "gristmill.largest_difference"}


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibrated_ensemble(settings: dict[str, Setting], method: str, tmp_path: Path) -> None:
    made = settings["binary"]
    said = np.random.default_rng(3).dirichlet(np.ones(2), len(made.target))
    members = WeightedClassifier([(name, made.member(name)) for name in ("linear", "lightgbm")], [0.4, 0.6])
    model = made.predictor(made.fitted(Calibrated(members, ProbabilityCalibrator(method).fit(said, made.target))))
    assert export(model, tmp_path / "model.onnx").largest < 1e-9


def test_a_network_in_eight_bits_says_how_far_it_is(settings: dict[str, Setting], tmp_path: Path) -> None:
    done = export(predictor_of(settings["binary"], "network"), tmp_path / "small.onnx", int8=True, tolerance=0.4)
    noted = [entry for entry in onnx.load(done.path).metadata_props if entry.key.startswith("gristmill.")]
    facts = {entry.key: json.loads(entry.value) for entry in noted}
    assert 1e-6 < facts["gristmill.largest_difference"] <= facts["gristmill.tolerance"] == 0.4
    assert "MatMulInteger" in {node.op_type for node in onnx.load(done.path).graph.node}


def test_an_export_that_answers_too_differently_is_not_written(settings: dict[str, Setting], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="answers too differently"):
        export(predictor_of(settings["binary"], "network"), tmp_path / "small.onnx", int8=True, tolerance=1e-6)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "int8", "reason"), [("linear on splines", False, "ranks of numbers"), ("linear", True, "for networks")]
)
def test_what_cannot_be_exported_is_named_and_nothing_written(
    settings: dict[str, Setting], name: str, int8: bool, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        export(predictor_of(settings["binary"], name), tmp_path / "model.onnx", int8=int8)
    assert list(tmp_path.iterdir()) == []
