"""Every version of a source is remembered, and can be gone back to (R6)."""

import dataclasses
import json

import pytest
from tests.unit.data.conftest import take_version

from gristmill.data.products import write_json
from gristmill.data.snapshots import history, snapshot
from gristmill.data.sources.opening import open_source
from gristmill.errors import ArtifactError, CaseFileError
from gristmill.paths import CasePaths, case_paths

FIRST, SECOND, THIRD = "a,y\n1,yes\n2,no\n", "a,y\n1,yes\n3,no\n", "a,y\n1,yes\n4,no\n5,no\n"


def digests(paths: CasePaths) -> list[str]:
    return [version.digest for version in history.versions(paths)]


def spoil(paths: CasePaths, taken: snapshot.Snapshot) -> None:
    file = paths.root / taken.path
    file.chmod(0o644)
    file.write_bytes(b"damaged")


def test_versions_are_listed_in_the_order_they_were_taken(small):
    taken = [take_version(small, text).digest for text in (FIRST, SECOND, THIRD)]
    assert digests(small) == taken
    assert [version.current for version in history.versions(small)] == [False, False, True]


def test_the_same_rows_taken_again_add_no_line(small):
    take_version(small, FIRST)
    take_version(small, FIRST)
    assert len(small.history.read_text().splitlines()) == 1


def test_rows_that_come_back_are_the_newest_version_again(small):
    first, second = take_version(small, FIRST), take_version(small, SECOND)
    take_version(small, FIRST)
    assert digests(small) == [second.digest, first.digest]
    assert history.current(small).digest == first.digest
    assert len(small.history.read_text().splitlines()) == 3


def test_a_build_from_before_there_was_a_history_is_its_first_entry(small):
    (small.root / "rows.csv").write_text(FIRST)
    first = snapshot.take(open_source("rows.csv", root=small.root), small.project)
    write_json(small.artifacts / "snapshot.json", {**first.to_dict(), "test": None})
    assert digests(small) == [first.digest]
    second = take_version(small, SECOND)
    (small.artifacts / "snapshot.json").unlink()
    assert digests(small) == [first.digest, second.digest]


def test_the_versions_of_one_case_are_not_those_of_another(small):
    take_version(small, FIRST)
    (small.project.configs / "other.yaml").write_text(small.case_file.read_text().replace("small", "other"))
    with pytest.raises(ArtifactError, match=r"No version of the source of 'other'.*ploomber build --env--case other"):
        history.versions(case_paths("other"))


def test_a_case_that_does_not_exist_is_refused(project):
    with pytest.raises(CaseFileError, match="Expected a case file"):
        history.versions(case_paths("nosuch"))


def test_any_beginning_that_one_version_has_names_it(small):
    taken = take_version(small, FIRST)
    assert history.find(small, taken.digest[:5].upper()).snapshot == taken


def test_an_unknown_beginning_is_refused_with_the_nearest_or_the_list(small):
    taken = take_version(small, FIRST)
    wrong = taken.digest[:5] + ("0" if taken.digest[5] != "0" else "1")
    with pytest.raises(ArtifactError, match=f"did you mean {taken.digest[:12]}"):
        history.find(small, wrong)
    with pytest.raises(ArtifactError, match=f"it has {taken.digest[:12]}"):
        history.find(small, "zzz")


def test_a_beginning_of_two_versions_is_refused_with_both(small):
    taken = {"event": "taken", "at": "2026-01-01", **take_version(small, FIRST).to_dict()}
    twins = [{**taken, "digest": name * 16} for name in ("abc1", "abc2")]
    small.history.write_text("".join(json.dumps(twin) + "\n" for twin in twins))
    with pytest.raises(ArtifactError, match=r"the beginning of 2 versions: abc1abc1abc1, abc2abc2abc2. Give more"):
        history.find(small, "abc")


def test_a_restored_version_is_what_a_build_uses_even_when_the_source_has_moved_on(small):
    first, second = take_version(small, FIRST), take_version(small, SECOND)
    assert history.restored(small) is None
    history.restore(small, first.digest[:8])
    assert history.restored(small) == first
    assert history.current(small).digest == first.digest
    history.record(small, second)
    assert history.current(small).digest == first.digest


def test_a_restored_version_can_be_let_go(small):
    first, _ = take_version(small, FIRST), take_version(small, SECOND)
    history.restore(small, first.digest)
    history.release(small)
    assert history.restored(small) is None
    with pytest.raises(ArtifactError, match="reads its source already"):
        history.release(small)


def test_a_damaged_version_is_not_restored(small):
    first, second = take_version(small, FIRST), take_version(small, SECOND)
    spoil(small, first)
    with pytest.raises(ArtifactError, match="was changed after it was taken"):
        history.restore(small, first.digest)
    assert history.current(small).digest == second.digest


def test_a_version_damaged_after_it_was_restored_is_refused_with_the_way_out(small):
    first = take_version(small, FIRST)
    history.restore(small, first.digest)
    spoil(small, first)
    with pytest.raises(ArtifactError, match="gristmill data restore small source"):
        history.restored(small)


def test_a_broken_line_is_named(small):
    take_version(small, FIRST)
    small.history.write_text(small.history.read_text() + "{\n")
    with pytest.raises(ArtifactError, match=r"one JSON entry a line in .*small\.jsonl"):
        history.versions(small)


def test_the_last_two_versions_are_compared_unless_others_are_named(small):
    first = take_version(small, FIRST)
    with pytest.raises(ArtifactError, match="nothing to compare it with"):
        history.pair(small)
    second, third = take_version(small, SECOND), take_version(small, THIRD)
    assert [version.digest for version in history.pair(small)] == [second.digest, third.digest]
    assert [version.digest for version in history.pair(small, first.digest[:9])] == [first.digest, third.digest]
    assert [version.digest for version in history.pair(small, second.digest, first.digest)] == [second.digest, first.digest]


def test_the_test_table_of_a_case_has_a_history_of_its_own(small):
    take_version(small, FIRST)
    test = snapshot.take(open_source("rows.csv", root=small.root), small.project)
    with pytest.raises(ArtifactError, match=r"no test table of its own: `split\.test_source`"):
        history.versions(small.own_test)
    history.record(small.own_test, test)
    later = take_version(small, SECOND)
    history.restore(small.own_test, test.digest)
    assert history.restored_digest(small) is None
    assert history.current(small).digest == later.digest
    assert history.restored(small.own_test) == test
    with pytest.raises(ArtifactError, match=r"data log small --test` lists"):
        history.find(small.own_test, later.digest)


def test_a_build_from_before_there_was_a_history_counts_for_the_test_table(small):
    taken = take_version(small, FIRST)
    small.history.unlink()
    small.artifacts.mkdir(parents=True)
    write_json(small.artifacts / "snapshot.json", {**taken.to_dict(), "test": {**taken.to_dict(), "digest": "f" * 64}})
    assert digests(small.own_test) == ["f" * 64]
    assert digests(small) == [taken.digest]


def test_a_snapshot_from_elsewhere_is_entered_at_its_place_in_time(small):
    here = take_version(small, FIRST)
    earlier = dataclasses.replace(here, digest="e" * 64, ingested_at="2020-01-01T00:00:00+00:00")
    history.enter(small, earlier)
    history.enter(small, earlier)
    assert digests(small) == [earlier.digest, here.digest]
    assert history.current(small).digest == here.digest
