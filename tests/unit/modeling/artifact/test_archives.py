"""Archives among the files of a model: bombs, traversals, links and damage are refused before anything is unpacked (R33, R38)."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.models import fit, save_model

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact import archives, model_directory
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    save_model(tmp_path / "candidate")
    return tmp_path / "candidate"


def forged(directory: Path, content: bytes, name: str = "pipeline.skops") -> Path:
    """Put a file into a directory, with a manifest that agrees with it."""
    (directory / name).write_bytes(content)
    model_directory.write_manifest(directory, "small")
    return directory


def archive_of(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def bomb(megabytes: int) -> bytes:
    """Return an archive of zeros that unpacks to a thousand times its size."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.npy", "w") as member:
        for _ in range(megabytes):
            member.write(bytes(2**20))
    return made.getvalue()


@pytest.mark.parametrize("name", ["pipeline.skops", "compiled.npz"])
def test_a_zip_bomb_is_refused_and_not_unpacked(directory: Path, name: str):
    forged(directory, bomb(600), name)
    tracemalloc.start()
    with pytest.raises(ArtifactError, match="unpack to"):
        FittedModel.load(directory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 2**20


@pytest.mark.parametrize("member", ["../outside.npy", "/etc/cron.d/x", "a/../../b", "..", "a\\..\\b", "x" * 300, "a\nb"])
def test_a_member_with_the_name_of_a_path_is_refused(directory: Path, member: str):
    forged(directory, archive_of(("schema.json", b"{}"), (member, b"x")))
    with pytest.raises(ArtifactError, match="member called"):
        model_directory.verify(directory)


def test_a_member_that_stands_twice_is_refused(directory: Path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive_of(("schema.json", b"{}"), ("schema.json", b"[]"))
    with pytest.raises(ArtifactError, match="two members"):
        model_directory.verify(forged(directory, content))


def test_a_member_that_is_a_link_is_refused(directory: Path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        link = zipfile.ZipInfo("schema.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArtifactError, match="link"):
        model_directory.verify(forged(directory, made.getvalue()))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_pipeline_is_refused(directory: Path, share: float):
    whole = (directory / "pipeline.skops").read_bytes()
    with pytest.raises(ArtifactError):
        FittedModel.load(forged(directory, whole[: int(len(whole) * share)]))


def test_an_array_of_objects_is_not_unpickled(directory: Path):
    """An ``npy`` of objects is a pickle in a coat; see CVE-2019-6446."""
    content = dump_pipeline(fit())
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        members = [(name, objects.getvalue() if name.endswith(".npy") else given.read(name)) for name in given.namelist()]
    assert any(name.endswith(".npy") for name, _ in members)
    with pytest.raises(ArtifactError, match="allow_pickle=False"):
        load_pipeline_bytes(archive_of(*members))


def test_an_array_that_says_it_is_enormous_is_refused(directory: Path):
    content = dump_pipeline(fit())
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**14,)})
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        members = [(name, header.getvalue() if name.endswith(".npy") else given.read(name)) for name in given.namelist()]
    with pytest.raises(ArtifactError):
        load_pipeline_bytes(archive_of(*members))


NO_JSON = (b"[" * 200_000, b'{"a":' * 200_000, b"", b"5", b"nonsense", b"\xff")


@pytest.mark.parametrize("name", ["model.json", "contract.json", "drift_reference.json", "conformity.json"])
@pytest.mark.parametrize("content", NO_JSON, ids=["deep arrays", "deep objects", "nothing", "a number", "words", "no text"])
def test_json_that_is_too_deep_or_none_is_a_sentence(directory: Path, name: str, content: bytes):
    with pytest.raises(ArtifactError):
        FittedModel.load(forged(directory, content, name))


@pytest.mark.parametrize("loader", ["SGDRegressor", "MethodNode", "OperatorFuncNode", "JsonNode", "PartialNode"])
def test_a_node_whose_loader_was_exchanged_runs_nothing(directory: Path, loader: str):
    """What a type is called in one place of the schema and what is built in another must not differ; see CVE-2025-54412, -54413."""
    content = dump_pipeline(fit())
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        members = {name: given.read(name) for name in given.namelist()}
    schema = json.loads(members["schema.json"])
    schema.update(
        __class__="call", __module__="_operator", __loader__=loader, content={"attrs": schema["content"]}, attrs=schema["content"]
    )
    members["schema.json"] = json.dumps(schema).encode()
    with pytest.raises(ArtifactError):
        load_pipeline_bytes(archive_of(*members.items()))


@pytest.mark.parametrize("name", ["model.json", "contract.json", "conformity.json"])
def test_a_list_in_the_place_of_a_mapping_is_a_sentence(directory: Path, name: str):
    with pytest.raises(ArtifactError):
        FittedModel.load(forged(directory, b"[]", name))


def test_what_builds_write_is_plain_and_far_from_the_limit():
    content = dump_pipeline(fit())
    archives.require_plain(content, "pipeline.skops")
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        assert sum(member.file_size for member in given.infolist()) < archives.MOST_TIMES_ITS_SIZE * len(content) / 4
