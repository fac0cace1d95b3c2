"""Signed model directories: with a key in the environment, what nobody vouches for is refused before it is opened (R33, R38)."""

import json
from pathlib import Path

import pytest
from tests.models import save_model
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.errors import ArtifactError
from gristmill.modeling.artifact import model_directory, signatures, signing
from gristmill.modeling.artifact.signatures import KEY_VARIABLE, OLD_KEY_VARIABLE, SIGNATURE
from gristmill.pipeline.definition import Stage
from gristmill.pipeline.records import product_files
from gristmill.pipeline.redaction import Redactor
from gristmill.serving.predictor import Predictor

KEY, OTHER = "a-key-of-more-than-32-characters-0", "another-key-that-is-as-long-as-it-0"


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory that was written before there was a key."""
    save_model(tmp_path / "candidate")
    return tmp_path / "candidate"


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that are opened from now on."""
    names: list[str] = []
    plain = model_directory.read_plain

    def noting(path: Path) -> bytes:
        names.append(path.name)
        return plain(path)

    monkeypatch.setattr(model_directory, "read_plain", noting)
    return names


def test_without_a_key_nothing_is_signed_and_nothing_demanded(directory: Path):
    assert not (directory / SIGNATURE).exists()
    assert model_directory.verify(directory).case == "small"


@pytest.mark.usefixtures("key")
def test_with_a_key_what_is_written_is_signed_and_loads(tmp_path: Path):
    digest = save_model(tmp_path / "model")
    assert Predictor.load(tmp_path / "model", digest).manifest.digest == digest
    extended = model_directory.extend(tmp_path / "model", tmp_path / "extended", {"card.md": b"# Card"})
    assert model_directory.verify(tmp_path / "extended").digest == extended.digest


def test_an_unsigned_directory_is_refused_before_anything_else_is_opened(directory: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    names = opened(monkeypatch)
    with pytest.raises(ArtifactError, match=r"not signed.*gristmill sign"):
        Predictor.load(directory)
    assert names == ["manifest.json"]


@pytest.mark.usefixtures("key")
def test_a_signature_of_another_key_is_refused_before_anything_else_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_model(tmp_path / "model")
    monkeypatch.setenv(KEY_VARIABLE, OTHER)
    names = opened(monkeypatch)
    with pytest.raises(ArtifactError, match="another key, or altered"):
        Predictor.load(tmp_path / "model")
    assert names == ["manifest.json", SIGNATURE]


@pytest.mark.usefixtures("key")
def test_files_and_manifest_forged_together_are_refused(tmp_path: Path):
    save_model(tmp_path / "model")
    kept = (tmp_path / "model" / SIGNATURE).read_bytes()
    (tmp_path / "model" / "model.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY_VARIABLE)
        model_directory.write_manifest(tmp_path / "model", "small")
    assert (tmp_path / "model" / SIGNATURE).read_bytes() == kept
    with pytest.raises(ArtifactError, match="altered"):
        model_directory.verify(tmp_path / "model")


@pytest.mark.usefixtures("key")
@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"signature": null}', b'{"algorithm": "none", "signature": ""}', b"\xff"],
)
def test_what_is_no_signature_is_refused(tmp_path: Path, content: bytes):
    save_model(tmp_path / "model")
    (tmp_path / "model" / SIGNATURE).write_bytes(content)
    with pytest.raises(ArtifactError, match="another key, or altered"):
        model_directory.verify(tmp_path / "model")


@pytest.mark.usefixtures("key")
def test_the_right_signature_under_another_algorithm_is_refused(tmp_path: Path):
    save_model(tmp_path / "model")
    said = json.loads((tmp_path / "model" / SIGNATURE).read_text())
    (tmp_path / "model" / SIGNATURE).write_text(json.dumps({**said, "algorithm": "HMAC-MD5"}))
    with pytest.raises(ArtifactError, match="another key, or altered"):
        model_directory.verify(tmp_path / "model")


@pytest.mark.usefixtures("key")
def test_a_signature_that_is_a_link_is_refused(tmp_path: Path):
    save_model(tmp_path / "model")
    (tmp_path / "model" / SIGNATURE).rename(tmp_path / "elsewhere")
    (tmp_path / "model" / SIGNATURE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match="link"):
        model_directory.verify(tmp_path / "model")


@pytest.mark.usefixtures("key")
def test_the_former_key_is_taken_while_keys_are_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save_model(tmp_path / "model")
    monkeypatch.setenv(KEY_VARIABLE, OTHER)
    monkeypatch.setenv(OLD_KEY_VARIABLE, KEY)
    assert model_directory.verify(tmp_path / "model").case == "small"
    assert signing.sign(tmp_path / "model")[1]
    monkeypatch.delenv(OLD_KEY_VARIABLE)
    assert model_directory.verify(tmp_path / "model").case == "small"
    assert not signing.sign(tmp_path / "model")[1]


@pytest.mark.parametrize(
    ("environment", "message"),
    [({KEY_VARIABLE: "short"}, "32"), ({OLD_KEY_VARIABLE: OTHER}, "both"), ({KEY_VARIABLE: KEY, OLD_KEY_VARIABLE: "x"}, "_OLD")],
)
def test_a_key_that_is_none_is_a_sentence_without_the_key(environment: dict[str, str], message: str):
    with pytest.raises(ArtifactError, match=message) as caught:
        signatures.signing_keys(environment)
    assert not any(value in str(caught.value) for value in (KEY, OTHER, "short"))


def test_signing_changes_no_digest_and_makes_no_stage_stale(directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    stage = Stage(
        name="06_select", notebook=tmp_path / "n", products={"candidate": directory / "manifest.json"}, upstream=(), entry={}
    )
    before, files, manifest = (
        model_directory.verify(directory).digest,
        product_files(tmp_path, stage),
        (directory / "manifest.json").read_bytes(),
    )
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert signing.sign(directory)[1]
    assert model_directory.verify(directory).digest == before
    assert product_files(tmp_path, stage) == files
    assert (directory / "manifest.json").read_bytes() == manifest


def test_an_altered_directory_is_not_signed(directory: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    (directory / "contract.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"contract\.json"):
        signing.sign(directory)
    assert not (directory / SIGNATURE).exists()


def test_the_command_signs_what_is_there_and_says_so(directory: Path, monkeypatch: pytest.MonkeyPatch):
    (directory.parent / "pipeline.yaml").write_text("tasks: []\n")
    monkeypatch.chdir(directory.parent)
    with pytest.raises(ArtifactError, match="openssl rand"):
        CliRunner().invoke(app, ["sign", "candidate"], catch_exceptions=False)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    said = [CliRunner().invoke(app, ["sign", "candidate"], catch_exceptions=False).output for _ in range(2)]
    assert said[0].startswith("Signed candidate")
    assert said[1].startswith("Already signed")
    monkeypatch.setenv(KEY_VARIABLE, OTHER)
    with pytest.raises(ArtifactError, match="--replace"):
        CliRunner().invoke(app, ["sign", "candidate"], catch_exceptions=False)
    assert CliRunner().invoke(app, ["sign", "candidate", "--replace"], catch_exceptions=False).exit_code == 0
    assert model_directory.verify(directory).case == "small"


def test_the_keys_are_kept_out_of_reports():
    text = Redactor({KEY_VARIABLE: KEY, OLD_KEY_VARIABLE: OTHER}).text(f"{KEY} and {OTHER}")
    assert text == "[redacted] and [redacted]"


def test_the_signature_does_not_show_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    save_model(tmp_path / "model")
    assert KEY not in (tmp_path / "model" / SIGNATURE).read_text()
