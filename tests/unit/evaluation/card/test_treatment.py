"""What the card says about missing values, outliers and duplicates."""

from typing import Any

from tests.models import case_of

from gristmill.evaluation.card.treatment import lines, policy_in_words


def column(name: str, **changes: Any) -> dict[str, Any]:
    plain = {
        "column": name, "kind": "numeric", "missing_values": "native", "outliers": "keep", "lower": None, "upper": None,
        "missing": 0, "filled": 0, "filled_by": [], "clipped": 0, "set_missing": 0, "unseen_levels": 0,
    }  # fmt: skip
    return {**plain, **changes}


def product(*columns: dict[str, Any]) -> dict[str, Any]:
    return {"treatment": {"rows": 100, "columns": list(columns), "totals": {}}}


def test_only_columns_with_something_to_tell_have_a_line_the_most_first():
    train = product(
        column("quiet"), column("gaps", missing=7, filled=7, filled_by=["linear"]), column("set", missing_values="mean")
    )
    test = product(column("quiet"), column("gaps", missing=2), column("set"))
    found = lines(train, test)
    assert [line["column"] for line in found] == ["gaps", "set"]
    assert (found[0]["train"], found[0]["test"], found[0]["filled_by"]) == ("7 missing, 7 filled", "2 missing", "linear")
    assert found[1]["train"] == "none"


def test_a_level_that_only_the_test_rows_have_is_told():
    (line,) = lines(product(column("c", kind="categorical", missing_values="level")), product(column("c", unseen_levels=3)))
    assert line["test"] == "3 unseen levels"


def test_limits_are_told_where_there_are_any():
    found = lines(product(column("x", outliers="clip", lower=-1.5, upper=None, clipped=2)), None)
    assert found[0]["outliers"] == "clip, \u22121.500 to no upper limit"


def test_products_of_a_build_before_there_were_counts_have_no_lines():
    assert lines({}, None) == []


def test_the_policy_and_the_fate_of_duplicates_are_one_sentence_each():
    found = {"policy": "drop", "found": 4, "dropped": 4, "label_conflicts": 2, "rows_used": 96}
    said = policy_in_words(case_of().features, {"duplicate_rows": found})
    assert said.startswith("Missing values: numeric *native*")
    assert said.endswith(
        "Duplicates: *drop*; 4 rows repeat another one, 4 of them were dropped; 2 rows contradict one with the same features."
    )
    assert "Duplicates" not in policy_in_words(case_of().features, {})
