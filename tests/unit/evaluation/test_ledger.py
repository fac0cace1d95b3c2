from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pandas as pd
import pytest

from gristmill.errors import ArtifactError
from gristmill.evaluation.ledger import LEDGER_FILE, read_ledger, record_use, rows_digest, uses

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
ROWS = pd.Index(["a", "b", "c"])


def record(state, candidate, rows=ROWS):
    return record_use(state, case="churn", row_keys=rows, candidate=candidate, at=WHEN)


def test_each_new_candidate_is_one_more_use(tmp_path):
    assert [record(tmp_path, candidate) for candidate in ("one", "two", "three")] == [1, 2, 3]


def test_the_same_candidate_again_does_not_count_twice(tmp_path):
    record(tmp_path, "one")
    assert record(tmp_path, "one") == 1
    assert len(read_ledger(tmp_path)) == 1


def test_other_test_rows_start_anew(tmp_path):
    record(tmp_path, "one")
    assert record(tmp_path, "two", pd.Index(["a", "b"])) == 1
    assert uses(tmp_path, rows_digest(ROWS)) == 1


def test_a_set_of_rows_is_the_same_in_any_order():
    assert rows_digest(ROWS) == rows_digest(ROWS[::-1])
    assert rows_digest(pd.Index(["a", "bc"])) != rows_digest(pd.Index(["ab", "c"]))


def test_an_entry_says_which_case_how_many_rows_and_when(tmp_path):
    record(tmp_path, "one")
    (entry,) = read_ledger(tmp_path)
    assert (entry["case"], entry["n_rows"], entry["at"]) == ("churn", 3, "2026-01-02T00:00:00+00:00")


def test_writers_at_the_same_time_lose_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: record(tmp_path, str(number)), range(24)))
    assert uses(tmp_path, rows_digest(ROWS)) == 24


def test_a_broken_line_is_refused_with_what_to_do(tmp_path):
    record(tmp_path, "one")
    (tmp_path / LEDGER_FILE).write_text('{"rows": "x"\n')
    with pytest.raises(ArtifactError, match="restore it from a copy"):
        record(tmp_path, "two")


def test_an_absent_ledger_has_no_entries(tmp_path):
    assert read_ledger(tmp_path) == []


def test_test_rows_that_grew_with_their_line_remember_who_was_judged_by_them(tmp_path):
    def judge(candidate, rows, line):
        return record_use(tmp_path, case="churn", row_keys=pd.Index(rows), candidate=candidate, at=WHEN, line=line)

    assert judge("one", ["a", "b"], "first") == 1
    assert judge("two", ["a", "b", "c"], "first") == 2
    assert judge("three", ["x", "y"], "second") == 1
    assert judge("two", ["a", "b", "c"], "first") == 2
