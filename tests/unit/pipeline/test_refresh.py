"""`gristmill refresh` goes back to the source, whatever stood in for it."""

from tests.unit.data.conftest import small, take_version  # noqa: F401 - a fixture

from gristmill.data.snapshots import history
from gristmill.pipeline.definition import find_stage
from gristmill.pipeline.refresh import refresh
from gristmill.pipeline.staleness import Survey


def ingredients(paths) -> dict[str, str]:
    stage = find_stage(paths.root, "small", "01_ingest")
    assert stage is not None
    return Survey(paths.root, "small").ingredients(stage)


def test_a_refresh_lets_a_restored_snapshot_go(small):  # noqa: F811
    first = take_version(small, "a,y\n1,yes\n")
    take_version(small, "a,y\n2,no\n")
    history.restore(small, first.digest)
    assert ingredients(small)["the restored snapshot"] == first.digest[:12]
    refresh(small)
    assert history.restored(small) is None
    after = ingredients(small)
    assert "the restored snapshot" not in after
    assert {"the file rows.csv", "the last `gristmill refresh`"} <= set(after)


def test_a_restored_test_table_is_what_the_stage_depends_on_until_a_refresh(small):  # noqa: F811
    small.case_file.write_text(small.case_file.read_text() + "split: {test_source: rows.csv}\n")
    taken = take_version(small, "a,y\n1,yes\n")
    history.record(small.own_test, taken)
    history.restore(small.own_test, taken.digest)
    assert ingredients(small)["the restored snapshot of the test table"] == taken.digest[:12]
    refresh(small)
    assert "the restored snapshot of the test table" not in ingredients(small)


def test_a_refresh_of_a_case_that_was_never_built_is_noted(small):  # noqa: F811
    (small.root / "rows.csv").write_text("a,y\n1,yes\n")
    refresh(small)
    assert "the last `gristmill refresh`" in ingredients(small)
