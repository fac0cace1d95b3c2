"""The model directory: whole, verified, and free of anything that runs code (R22, R33)."""

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.models import FEATURES, customers, describe, fit, save_model

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact import model_directory
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    save_model(tmp_path / "candidate")
    return tmp_path / "candidate"


def forge(directory: Path, **changes: object) -> None:
    """Change a file and write a manifest that agrees with it."""
    for name, content in changes.items():
        (directory / name.replace("__", ".")).write_bytes(content)  # type: ignore[arg-type]
    model_directory.write_manifest(directory, "small")


def test_a_saved_pipeline_predicts_as_before(directory: Path) -> None:
    rows = customers()[FEATURES]
    assert np.array_equal(model_directory.load_pipeline(directory).predict_proba(rows), fit().predict_proba(rows))


def test_the_same_plan_gives_the_same_digest_in_another_process(tmp_path: Path, repository: Path) -> None:
    code = "import sys, pathlib; from tests.models import save_model; print(save_model(pathlib.Path(sys.argv[1])))"
    run = [sys.executable, "-c", code, str(tmp_path / "other")]
    other = subprocess.run(run, cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
    assert save_model(tmp_path / "mine") == other


def test_the_digest_is_in_the_manifest_and_verified(directory: Path) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    assert model_directory.verify(directory).digest == manifest["digest"] == model_directory.digest_of(manifest["files"], "small")
    assert sorted(manifest["files"]) == sorted(model_directory.CANDIDATE_FILES)


@pytest.mark.parametrize("name", model_directory.CANDIDATE_FILES)
def test_an_altered_file_is_refused_by_name(directory: Path, name: str) -> None:
    content = bytearray((directory / name).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / name).write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=f"{name}.*altered"):
        model_directory.load_pipeline(directory)


def test_a_truncated_file_is_refused(directory: Path) -> None:
    content = (directory / "pipeline.skops").read_bytes()
    (directory / "pipeline.skops").write_bytes(content[:-100])
    with pytest.raises(ArtifactError, match=r"pipeline\.skops.*altered"):
        model_directory.verify(directory)


def test_a_missing_file_is_refused(directory: Path) -> None:
    (directory / "contract.json").unlink()
    with pytest.raises(ArtifactError, match=r"contract\.json.*missing"):
        model_directory.verify(directory)


def test_an_additional_file_is_refused(directory: Path) -> None:
    (directory / "extra.py").write_text("print('hello')")
    with pytest.raises(ArtifactError, match=r"extra\.py.*manifest does not name"):
        model_directory.verify(directory)


def test_the_record_that_the_build_keeps_beside_the_manifest_is_no_stranger(directory: Path) -> None:
    (directory / ".manifest.json.metadata").write_text("{}")
    assert model_directory.verify(directory).case == "small"


@pytest.mark.parametrize("name", ["pipeline.skops", "manifest.json"])
def test_a_link_is_refused_even_to_the_right_content(directory: Path, name: str) -> None:
    elsewhere = directory.parent / name
    (directory / name).rename(elsewhere)
    (directory / name).symlink_to(elsewhere)
    with pytest.raises(ArtifactError, match="link"):
        model_directory.verify(directory)


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting(directory: Path) -> None:
    (directory / "contract.json").unlink()
    os.mkfifo(directory / "contract.json")
    with pytest.raises(ArtifactError, match="plain file"):
        model_directory.verify(directory)


@pytest.mark.parametrize("name", ["../outside.json", "/etc/hostname", "a/b.json", ".hidden", "", "manifest.json"])
def test_a_manifest_that_names_a_path_outside_is_refused(directory: Path, name: str) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    manifest["digest"] = model_directory.digest_of(manifest["files"], "small")
    (directory / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="cannot be a file of a model"):
        model_directory.verify(directory)


def test_an_edited_manifest_is_refused(directory: Path) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["files"]["contract.json"] = "0" * 64
    (directory / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match=r"manifest .* altered"):
        model_directory.verify(directory)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"format": 1}', '{"format": 2, "files": {}}', "[" * 100_000, "\xff"])
def test_what_is_no_manifest_is_refused(directory: Path, text: str) -> None:
    (directory / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ArtifactError, match="manifest"):
        model_directory.verify(directory)


class Bomb:
    def __reduce__(self) -> object:
        return os.mkdir, (os.environ["BOMB"],)


def test_a_pickle_renamed_is_refused_and_not_loaded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOMB", str(directory.parent / "exploded"))
    forge(directory, pipeline__skops=pickle.dumps(Bomb()))
    with pytest.raises(ArtifactError, match="skops format"):
        model_directory.load_pipeline(directory)
    assert not (directory.parent / "exploded").exists()


def test_a_type_that_is_not_trusted_is_named_and_not_loaded(directory: Path) -> None:
    content = dump_pipeline(LogisticRegression().fit([[0], [1]], [0, 1]))
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        members = {name: given.read(name) for name in given.namelist()}
    members["schema.json"] = members["schema.json"].replace(b'"LogisticRegression"', b'"Popen"')
    members["schema.json"] = members["schema.json"].replace(b'"sklearn.linear_model._logistic"', b'"subprocess"')
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    forge(directory, pipeline__skops=forged.getvalue())
    with pytest.raises(ArtifactError, match=r"subprocess\.Popen"):
        model_directory.load_pipeline(directory)


@pytest.mark.parametrize("schema", [b"", b"[]", b"{}", b'{"__class__": 1}', b"[" * 100_000])
def test_a_schema_that_is_none_ends_in_a_sentence(schema: bytes) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("schema.json", schema)
    with pytest.raises(ArtifactError):
        load_pipeline_bytes(made.getvalue())


class Unknown(LogisticRegression):
    """A class that the allow-list does not name."""


def test_a_class_that_could_not_be_loaded_is_not_saved_either(tmp_path: Path) -> None:
    pipeline = Unknown().fit([[0], [1]], [0, 1])
    with pytest.raises(ArtifactError, match="Unknown"):
        model_directory.save_candidate(tmp_path / "candidate", pipeline, *describe(), {}, "small")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_replaced_whole(directory: Path) -> None:
    before = model_directory.verify(directory).digest
    after = save_model(directory, threshold=0.3)
    assert after != before
    assert model_directory.verify(directory).digest == after
    assert [path.name for path in directory.parent.iterdir()] == ["candidate"]


def test_a_failure_while_writing_leaves_the_old_directory(directory: Path) -> None:
    before = model_directory.verify(directory).digest
    with pytest.raises(IsADirectoryError), model_directory.replacing_directory(directory) as made:
        made.write_text("a folder is no file")
    assert model_directory.verify(directory).digest == before
    assert [path.name for path in directory.parent.iterdir()] == ["candidate"]


def test_an_extended_directory_holds_the_candidate_byte_for_byte(directory: Path) -> None:
    manifest = model_directory.extend(directory, directory.parent / "model", {"card.md": b"# Card"})
    assert (directory.parent / "model" / "pipeline.skops").read_bytes() == (directory / "pipeline.skops").read_bytes()
    assert set(manifest.files) == {*model_directory.CANDIDATE_FILES, "card.md"}
    extended, before = model_directory.verify(directory.parent / "model"), model_directory.verify(directory)
    assert extended.digest == manifest.digest != before.digest


def test_an_addition_may_not_replace_a_file_of_the_candidate(directory: Path) -> None:
    with pytest.raises(ArtifactError, match=r"model\.json"):
        model_directory.extend(directory, directory.parent / "model", {"model.json": b"{}"})
    assert not (directory.parent / "model").exists()


def test_no_directory_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="make run"):
        model_directory.verify(tmp_path / "nothing")
