import numpy as np
import pandas as pd
import pytest

from gristmill.errors import ArtifactError
from gristmill.evaluation.others import as_rows, from_rows, thresholds_of
from gristmill.metrics.paired import Answers

KEYS = pd.Index(["a", "b", "c"], name="row_key")


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_what_was_said_is_read_as_it_was_in_the_order_asked_for(n_classes):
    rng = np.random.default_rng(0)
    shape = (3, n_classes) if n_classes else (3,)
    others = {"baseline": Answers(rng.random(shape)), "champion": Answers(rng.random(shape), 0.3)}
    found = from_rows(as_rows(others, KEYS), thresholds_of(others), KEYS[::-1], n_classes)
    assert list(found) == ["baseline", "champion"]
    for name, answers in others.items():
        assert np.array_equal(found[name].predicted, answers.predicted[::-1])
        assert found[name].threshold == answers.threshold


def test_a_row_or_a_model_that_was_not_kept_is_named():
    kept = as_rows({"baseline": Answers(np.zeros((3, 2)))}, KEYS)
    with pytest.raises(ArtifactError, match="the row 'd' is missing"):
        from_rows(kept, {"baseline": None}, pd.Index(["a", "d"]), 2)
    with pytest.raises(ArtifactError, match="the column 'champion/0' is missing"):
        from_rows(kept, {"baseline": None, "champion": 0.5}, KEYS, 2)
