"""The time that one row takes."""

import numpy as np
import pandas as pd

from gristmill.modeling.latency import middle_and_p95, row_milliseconds, serving_time, typical_row_milliseconds

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


def work(row: pd.DataFrame) -> float:
    return float(np.sort(np.tile(row.to_numpy(), 20_000), axis=None).sum())


def test_rows_are_timed_one_by_one_after_one_that_does_not_count():
    asked = []
    taken = row_milliseconds(lambda row: asked.append(row.iloc[0, 0]) or work(row), ROWS, n_rows=7)
    assert asked == [1, 2, 3, 1, 2, 3, 1, 2]
    assert taken.shape == (7,)
    assert (taken > 0).all()


def test_the_middle_and_a_slow_row_are_told():
    assert middle_and_p95(np.arange(101.0)) == (50.0, 95.0)


def test_a_model_without_probabilities_is_timed_by_its_numbers():
    class Numbers:
        predict = staticmethod(work)

    assert typical_row_milliseconds(Numbers(), ROWS, n_rows=3) > 0


def test_the_form_that_serves_is_timed_the_compiled_one_if_there_is_one():
    class Slow:
        predict = staticmethod(work)

    plain = serving_time(Slow(), ROWS, n_rows=3)
    compiled = serving_time(Slow(), ROWS, compiled=lambda row: row.iloc[0, 0], n_rows=3)
    assert (plain.form, compiled.form) == ("plain pipeline", "compiled form")
    assert 0 < compiled.ms < plain.ms
