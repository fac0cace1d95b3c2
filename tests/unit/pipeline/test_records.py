"""Which files a finished task stands for."""

import json
from pathlib import Path

from gristmill.pipeline.contents import Digests
from gristmill.pipeline.definition import Stage
from gristmill.pipeline.records import Record, altered_files, describe_files


def built(root: Path) -> tuple[Stage, Record]:
    """Return a task whose account of the split names a stored file, and the record of its run."""
    stored = root / "data" / "splits" / "small" / "ab12" / "0001.parquet"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"places")
    product = root / "artifacts" / "small" / "split.json"
    product.parent.mkdir(parents=True)
    product.write_text(json.dumps({"line": "ab12", "files": [str(stored.relative_to(root))]}))
    notebook = root / "notebooks" / "02_validate.ipynb"
    stage = Stage(name="02_validate", notebook=notebook, entry={}, upstream=(), products={"line": product})
    empty = {"ingredients": {}, "upstream": {}, "params": {}}
    record = Record("02_validate", "r", "b", 0.0, 1.0, 1.0, "f", files=describe_files(root, stage), **empty)
    return stage, record


def test_a_stage_is_stale_when_the_stored_split_it_rests_on_is_deleted(tmp_path):
    _, record = built(tmp_path)
    digests = Digests(tmp_path / "digests.json")
    assert altered_files(tmp_path, record, digests) == []
    (tmp_path / "data" / "splits" / "small" / "ab12" / "0001.parquet").unlink()
    assert altered_files(tmp_path, record, digests) == [("data/splits/small/ab12/0001.parquet", "deleted")]


def test_what_later_snapshots_add_to_the_stored_split_makes_no_stage_stale(tmp_path):
    _, record = built(tmp_path)
    (tmp_path / "data" / "splits" / "small" / "ab12" / "0002.parquet").write_bytes(b"more")
    assert altered_files(tmp_path, record, Digests(tmp_path / "digests.json")) == []
