"""Snapshots are immutable, named by their content, and whole or not there at all (R6)."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from gristmill.data.snapshots import snapshot
from gristmill.data.sources.opening import open_source
from gristmill.data.sources.table_source import Source
from gristmill.errors import ArtifactError, SourceError
from gristmill.paths import ProjectPaths


class Fails(Source):
    """A table whose connection drops after some rows."""

    def version(self):
        return "1"

    def _batches(self):
        yield pa.record_batch({"a": [1, 2]})
        raise SourceError("the connection was lost")


@pytest.fixture
def paths(tmp_path: Path) -> ProjectPaths:
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,\n")
    return ProjectPaths(tmp_path)


def take(paths: ProjectPaths) -> snapshot.Snapshot:
    return snapshot.take(open_source("rows.csv", root=paths.root), paths)


def test_a_snapshot_holds_the_rows_and_says_where(paths):
    taken = take(paths)
    assert taken.path == f"data/snapshots/{taken.digest}.parquet"
    assert taken.columns == {"a": "int64", "b": "string"}
    assert taken.rows == 2
    assert snapshot.load(paths.root / taken.path)["b"].tolist() == ["x", None]


def test_the_same_rows_are_the_same_file(paths):
    first = take(paths)
    written = (paths.root / first.path).stat().st_mtime_ns
    assert take(paths).digest == first.digest
    assert (paths.root / first.path).stat().st_mtime_ns == written
    assert len(list(paths.snapshots.iterdir())) == 1


def test_other_rows_are_another_file(paths):
    first = take(paths)
    (paths.root / "rows.csv").write_text("a,b\n1,x\n3,\n")
    assert take(paths).digest != first.digest
    assert len(list(paths.snapshots.iterdir())) == 2


def test_the_digest_does_not_depend_on_how_the_source_cuts_its_rows(paths):
    class Cut(Fails):
        def __init__(self, size):
            super().__init__("cut")
            self.size = size

        def _batches(self):
            table = pa.table({"a": range(300_000), "b": [f"text {n % 40_000}" for n in range(300_000)]})
            return iter(table.to_batches(max_chunksize=self.size))

    assert snapshot.take(Cut(1_000), paths).digest == snapshot.take(Cut(200_000), paths).digest


def test_a_table_lost_half_way_leaves_nothing_behind(paths):
    with pytest.raises(SourceError, match="connection was lost"):
        snapshot.take(Fails("broken"), paths)
    assert list(paths.snapshots.iterdir()) == []


def test_a_changed_snapshot_is_refused(paths):
    file = paths.root / take(paths).path
    file.chmod(0o644)
    pd.DataFrame({"a": [9]}).to_parquet(file)
    with pytest.raises(ArtifactError, match="was changed after it was taken"):
        snapshot.load(file)


def test_a_missing_snapshot_is_refused(paths):
    with pytest.raises(ArtifactError, match="does not exist"):
        snapshot.load(paths.snapshots / "nothing.parquet")


def test_a_damaged_snapshot_is_replaced_when_taken_again(paths):
    taken = take(paths)
    file = paths.root / taken.path
    file.chmod(0o644)
    file.write_bytes(b"damaged")
    take(paths)
    assert snapshot.load(file)["a"].tolist() == [1, 2]
