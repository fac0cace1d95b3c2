"""One version in memory: what it was verified with is all that it needs (R34)."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.models import FEATURES, customers, describe, fit
from tests.service import rows_of

from gristmill.config.sections.operation import Serving
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.serving.api.extras import explanations
from gristmill.serving.predictor import Predictor
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.versions import ServedVersion


def loaded(folder: Path, *, described: bool = True) -> ServedVersion:
    """Return a version that was loaded from a directory which is gone now; its columns are described there, or not."""
    rows, (model, contract) = customers(80), describe("binary", 0.5)
    reference = drift_reference(rows, contract, FEATURES, np.zeros((80, 2)), bins=10) if described else {"columns": {}}
    save_candidate(folder / "model", fit("binary", rows), model, contract, reference, "small")
    version = ServedVersion.load("small", 1, folder / "model", None, Serving())
    shutil.rmtree(folder / "model")
    return version


def explained(version: ServedVersion) -> list[object]:
    with ThreadPoolExecutor(1) as executor:
        answer = asyncio.run(explanations(version, rows_of(1), executor))
    found: list[object] = answer["explanations"]
    return found


def test_a_row_is_explained_though_the_directory_is_gone(tmp_path: Path):
    assert len(explained(loaded(tmp_path))) == 1


def test_a_version_without_distributions_is_refused_and_one_that_cannot_use_them_is_not_there(tmp_path: Path):
    version = loaded(tmp_path)
    without = replace(version, predictor=Predictor(replace(version.predictor.model, drift_reference=None)))
    with pytest.raises(ProblemError) as nothing:
        explained(without)
    assert nothing.value.status == 422
    with pytest.raises(ProblemError) as unusable:
        explained(loaded(tmp_path, described=False))
    assert unusable.value.status == 503
