"""Lineage is read both ways: which data made this model, which models came from this data (R6)."""

from collections.abc import Callable

import pytest
from tests.unit.registry.test_registration import FAILED, PASSED, in_a_build, registered  # noqa: F401 - a fixture
from typer.testing import CliRunner

from gristmill import cli, tracking
from gristmill.data.snapshots import history
from gristmill.data.snapshots.snapshot import Snapshot
from gristmill.errors import RegistryError
from gristmill.paths import ProjectPaths
from gristmill.registry import origins
from gristmill.registry.evidence import Upstream

Build = Callable[..., Upstream]
pytestmark = pytest.mark.usefixtures("in_a_build")


def taken(tracked: ProjectPaths, case: str, digest: str) -> dict:
    snapshot = Snapshot("customers.csv", digest, f"data/snapshots/{digest}.parquet", 80, {"a": "int64"}, "2026-11-21T10:00:00", "1")
    history.record(tracked.case(case), snapshot)
    return snapshot.to_dict()


def test_a_model_says_which_data_code_and_parameters_made_it(build: Build, tracked: ProjectPaths) -> None:
    snapshot = taken(tracked, "origin", "c1" * 32)
    with tracking.build_run("origin", tracked.root) as run:
        tracking.log_params(run, {"chosen": "linear"})
        with tracking.child_run(run, "linear") as family:
            tracking.log_params(family, {"family": "linear", "C": 0.5})
    upstream = build(snapshot=snapshot)
    registered(upstream, tracked, "origin", PASSED)
    run.client.set_tag(run.run_id, "gristmill.family_run.linear", family.run_id)
    said = "\n".join(origins.lines("origin", None, tracked))
    assert "origin version 1 (champion)" in said
    assert f"Data        {'c1' * 32}, 80 rows" in said
    assert "Source      customers.csv" in said
    assert "Code        sha256:" in said
    assert "chosen=linear" in said
    assert "linear      C=0.5, family=linear" in said


def test_the_latest_version_stands_for_a_name_without_a_champion(build: Build, tracked: ProjectPaths) -> None:
    registered(build("one"), tracked, "nochampion", FAILED)
    registered(build("two", selection={"chosen": "linear", "leaderboard": [], "threshold": None}), tracked, "nochampion", FAILED)
    assert origins.named_version("nochampion", tracked).version == 2
    assert origins.named_version("nochampion/1", tracked).version == 1


def test_a_snapshot_says_which_models_came_from_it(build: Build, tracked: ProjectPaths) -> None:
    mine = taken(tracked, "daughter", "d2" * 32)
    registered(build(snapshot=mine), tracked, "daughter", PASSED)
    registered(build("other", snapshot=taken(tracked, "stranger", "e3" * 32)), tracked, "stranger", PASSED)
    digest, made = origins.made_from("d2d2", tracked)
    assert (digest, [(version.name, version.version) for version in made]) == ("d2" * 32, [("daughter", 1)])
    assert "  daughter/1 (champion), code sha256:" in "\n".join(origins.lines(None, "D2D2", tracked))


def test_a_snapshot_that_no_model_came_from_is_known_all_the_same(tracked: ProjectPaths) -> None:
    taken(tracked, "childless", "f4" * 32)
    assert origins.lines(None, "f4f4", tracked) == [f"No registered model comes from the snapshot {'f4' * 32}."]


def test_what_does_not_exist_is_refused_with_what_does(build: Build, tracked: ProjectPaths) -> None:
    registered(build(snapshot=taken(tracked, "present", "a5" * 32)), tracked, "present", PASSED)
    with pytest.raises(RegistryError, match=r"no 'presnt'; it has .*present/1"):
        origins.named_version("presnt", tracked)
    with pytest.raises(RegistryError, match="Expected a model as NAME"):
        origins.named_version("a b", tracked)
    with pytest.raises(RegistryError, match=r"got '0000'; known are: .*a5a5a5a5a5a5"):
        origins.made_from("0000", tracked)


def test_a_beginning_of_two_digests_is_refused(tracked: ProjectPaths) -> None:
    taken(tracked, "twins", "b6" + "0" * 62)
    taken(tracked, "twins", "b6" + "1" * 62)
    with pytest.raises(RegistryError, match=r"beginning of 2 digests: b60000000000, b61111111111"):
        origins.made_from("b6", tracked)


def test_the_command_wants_a_model_or_a_digest(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tracked.root)
    answer = CliRunner().invoke(cli.app, ["lineage"])
    assert isinstance(answer.exception, RegistryError)
    assert "got neither" in str(answer.exception)
