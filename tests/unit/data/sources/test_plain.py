"""Tables in a few plain types, with names that can be told apart."""

import decimal

import pandas as pd
import pyarrow as pa
import pytest

from gristmill.data.sources.plain import check_names, frame_batch, plain_batches, plain_type, to_frame
from gristmill.errors import SourceError


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (pa.uint8(), pa.int64()),
        (pa.uint64(), pa.float64()),
        (pa.decimal128(9, 2), pa.float64()),
        (pa.date32(), pa.timestamp("us")),
        (pa.timestamp("ns", "Europe/Paris"), pa.timestamp("us")),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.list_(pa.int8()), pa.string()),
        (pa.binary(), pa.string()),
        (pa.null(), pa.string()),
        (pa.bool_(), pa.bool_()),
    ],
)
def test_every_type_has_a_plain_one(kind, plain):
    assert plain_type(kind) == plain


def test_frames_of_any_types_become_plain():
    frame = pd.DataFrame(
        {
            "level": pd.Categorical(["x", None]),
            1: [decimal.Decimal("1.5"), None],
            "mixed": [1, "a"],
            "whole": pd.array([1, None], dtype="Int64"),
            "when": pd.to_datetime(["2024-01-01T01:00:00+01:00", None]),
            "bytes": [b"x", None],
        }
    )
    found = to_frame(pa.Table.from_batches(plain_batches([frame_batch(frame)], "rows")))
    assert found.columns.tolist() == ["level", "1", "mixed", "whole", "when", "bytes"]
    assert found["level"].tolist() == ["x", None]
    assert found["1"].iloc[0] == 1.5
    assert found["mixed"].tolist() == ["1", "a"]
    assert found["whole"].isna().tolist() == [False, True]
    assert found["when"].iloc[0] == pd.Timestamp("2024-01-01")
    assert found["bytes"].tolist() == ["x", None]


def test_names_are_made_text_and_empty_ones_filled_in():
    assert check_names(["a", "", 3], "rows") == ["a", "unnamed_2", "3"]


@pytest.mark.parametrize(("names", "said"), [(["a", "b", "a"], "2 columns called 'a'"), (["row_key"], "'row_key'")])
def test_names_that_clash_are_refused(names, said):
    with pytest.raises(SourceError, match=said):
        check_names(names, "rows")
