"""The compiled form is data: under the manifest, opened without pickle, and refused when altered."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from tests.compiled_models import Setting, setting

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.model_directory import COMPILED, COMPILED_ARRAYS, save_candidate, write_manifest
from gristmill.modeling.artifact.persistence import load_pipeline_bytes
from gristmill.serving.compiled.form import compiled_files
from gristmill.serving.predictor import Predictor

Content = dict[str, Any]
Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def made() -> Setting:
    return setting("binary")


@pytest.fixture(scope="module")
def pipeline(made: Setting) -> Pipeline:
    return made.fitted(made.member("lightgbm"))


@pytest.fixture
def directory(made: Setting, pipeline: Pipeline, tmp_path: Path) -> Path:
    files, why_not = compiled_files(pipeline, made.contract, made.columns, 2)
    assert why_not == ""
    model = {"task": "binary", "classes": made.classes, "threshold": 0.5, "target": "left", "feature_columns": made.columns}
    save_candidate(tmp_path / "model", pipeline, model, made.contract, {"columns": {}}, "small", compiled=files)
    return tmp_path / "model"


def altered(directory: Path, change: Callable[[Content, Arrays], None]) -> Path:
    """Alter the compiled form of a model directory, and its manifest with it."""
    content = json.loads((directory / COMPILED).read_text(encoding="utf-8"))
    with np.load(directory / COMPILED_ARRAYS) as packed:
        arrays = {name: packed[name] for name in packed.files}
    change(content, arrays)
    (directory / COMPILED).write_text(json.dumps(content), encoding="utf-8")
    written = io.BytesIO()
    np.savez(written, **arrays)
    (directory / COMPILED_ARRAYS).write_bytes(written.getvalue())
    write_manifest(directory, "small")
    return directory


def test_a_compiled_model_answers_without_its_pipeline(directory: Path, made: Setting, pipeline: Pipeline) -> None:
    predictor = Predictor.load(directory)
    answers = predictor.predict_proba(made.frame)
    assert predictor.compiled
    assert "pipeline" not in vars(predictor.model)  # it was never opened
    assert np.abs(answers - pipeline.predict_proba(made.frame[made.columns])).max() < 1e-12


def test_a_service_that_loads_one_imports_no_reader_of_pipelines(directory: Path, made: Setting) -> None:
    row = dict.fromkeys(made.columns)
    program = (
        "import sys\nfrom gristmill.serving.predictor import Predictor\n"
        f"print(Predictor.load({str(directory)!r}).values_of([{row!r}]).shape)\n"
        "print([name for name in ('skops', 'lightgbm', 'catboost', 'torch', 'mlflow') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == ["(1, 2)", "[]"]


def test_the_same_pipeline_gives_the_same_bytes(made: Setting, pipeline: Pipeline) -> None:
    first, second = (compiled_files(pipeline, made.contract, made.columns, 2)[0] for _ in range(2))
    assert first == second


def test_a_model_without_compiled_form_says_why(made: Setting) -> None:
    texts = made.frame.assign(note=[f"the visit {number} was long and the talk was good" for number in range(len(made.frame))])
    noted = setting("binary", frame=texts)
    predictor = noted.predictor(noted.fitted(noted.member("linear")))
    assert not predictor.compiled
    assert predictor.why_not_compiled == "the free text of 'note' is turned into topics, which has no compiled form"
    assert predictor.values_of([dict.fromkeys(noted.columns)]).shape == (1, 2)


def test_a_byte_that_changed_is_refused_before_anything_is_opened(directory: Path) -> None:
    content = bytearray((directory / COMPILED_ARRAYS).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / COMPILED_ARRAYS).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"compiled\.npz"):
        Predictor.load(directory)


def test_half_a_compiled_form_is_refused(directory: Path) -> None:
    (directory / COMPILED_ARRAYS).unlink()
    write_manifest(directory, "small")
    with pytest.raises(ArtifactError, match=r"compiled\.npz"):
        Predictor.load(directory)


def with_pickle(content: Content, arrays: Arrays) -> None:
    arrays["array_0"] = np.array([print], dtype=object)


def with_a_strange_part(content: Content, arrays: Arrays) -> None:
    content["plan"]["answer"] = {"part": "Popen", "args": ["id"]}


def with_a_strange_field(content: Content, arrays: Arrays) -> None:
    content["plan"]["answer"]["more"] = 1


def without_an_array(content: Content, arrays: Arrays) -> None:
    del arrays["array_0"]


def of_another_format(content: Content, arrays: Arrays) -> None:
    content["format"] = 99


def with_other_trees(content: Content, arrays: Arrays) -> None:
    name = next(name for name, array in arrays.items() if array.dtype == np.uint8)
    arrays[name] = np.frombuffer(arrays[name].tobytes().replace(b"left_child=1", b"left_child=7777"), dtype=np.uint8)


def with_places_beyond_the_table(content: Content, arrays: Arrays) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "i" and array.size:
            arrays[name] = array + 100_000


def with_a_bottomless_part(content: Content, arrays: Arrays) -> None:
    inner = content["plan"]["answer"]
    for _ in range(200):
        inner = {"part": "Mean", "members": [inner], "weights": [1.0]}
    content["plan"]["answer"] = inner


CHANGES = [
    (with_pickle, "cannot be read as one"),
    (with_a_strange_part, "there is no part 'Popen'"),
    (with_a_strange_field, "has other fields"),
    (without_an_array, "there is no array of numbers"),
    (of_another_format, "format 1, got 99"),
    (with_other_trees, "trees of the compiled model cannot be used"),
    (with_places_beyond_the_table, "cannot answer"),
    (with_a_bottomless_part, "too deep"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_an_altered_form_under_a_manifest_that_fits_is_refused(
    directory: Path, change: Callable[[Content, Arrays], None], reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        Predictor.load(altered(directory, change))


def test_the_pipeline_beside_it_can_still_be_opened(directory: Path) -> None:
    predictor = Predictor.load(directory)
    assert type(predictor.model.pipeline) is type(load_pipeline_bytes((directory / "pipeline.skops").read_bytes()))
